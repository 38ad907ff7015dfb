/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * Pseudonyms for addresses: keyed permutations within the class of the address, so that they are
 * reversible with the key, need no table, and are the same wherever the key is the same.
 *
 *  - IPv4: 10/8, 172.16/12, 192.168/16, 100.64/10, 169.254/16 and multicast stay within their
 *    block, public addresses stay public. Netmasks, 0/8, 127/8, 240/4 and 224.0.0/24 are kept. Two
 *    addresses that share 16 to 24 bits (in a block: any number up to 24) have images that share as
 *    many. Last octets 0 and 255 are kept, since they mean the network and its broadcast.
 *  - IPv6: global, unique local, link-local and multicast stay what they are. An interface
 *    identifier made of a MAC is made of that MAC's pseudonym.
 *  - MAC: the multicast and the locally-administered bit are kept; the vendor's part is replaced,
 *    the same for all cards of a vendor. Multicast groups, zero, broadcast and the address of
 *    backend interfaces (fe:ff:ff:ff:ff:ff) are kept.
 */
#pragma once

#include <stdint.h>

#include "collector/obfuscate/key.h"

enum address_kind { ADDRESS_IPV4, ADDRESS_IPV6, ADDRESS_MAC, ADDRESS_KINDS };

#define ADDRESS_BYTES 16

struct address {
    enum address_kind kind;
    uint8_t bytes[ADDRESS_BYTES]; /* 4, 16, 6 are used, the others 0 */
};

/* Whether the address tells nothing of anybody and is kept. */
bool address_is_kept(const struct address *address);

bool address_is_private_ipv4(const struct address *address);

/* Whether something that looks like IPv6 can be an address: "a::b" is more likely a name in C++. */
bool address_is_plausible_ipv6(const uint8_t bytes[16]);

struct address address_map(const struct key *key, const struct address *address);
struct address address_unmap(const struct key *key, const struct address *address);

/* As text, in the usual form; returns its length. `buffer` needs 46 bytes. */
size_t address_format(const struct address *address, char *buffer, size_t size);
