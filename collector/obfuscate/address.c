/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * Where a permutation leads out of what is allowed (a public address would become a private one,
 * host 7 the broadcast address) it is applied again until it leads back in. That is a permutation
 * of what is allowed ("cycle walking"), and the way back is the same.
 */
#include "collector/obfuscate/address.h"

#include <arpa/inet.h>
#include <string.h>

enum class { CLASS_KEPT, CLASS_PRIVATE, CLASS_PUBLIC };

struct block {
    uint8_t bytes[2]; /* no block needs more than 16 bits */
    int bits;
    enum class class;
};

/* Source: the registry of special-purpose IPv4 addresses (RFC 6890). */
static const struct block blocks[] = {
    {{0, 0}, 8, CLASS_KEPT},         {{127, 0}, 8, CLASS_KEPT},
    {{240, 0}, 4, CLASS_KEPT},       {{10, 0}, 8, CLASS_PRIVATE},
    {{100, 64}, 10, CLASS_PRIVATE},  {{172, 16}, 12, CLASS_PRIVATE},
    {{192, 168}, 16, CLASS_PRIVATE}, {{169, 254}, 16, CLASS_PRIVATE},
    {{224, 0}, 4, CLASS_PRIVATE},
};

typedef void (*walker)(const struct key *key, const char *label, uint8_t *bytes,
                       const uint8_t *kept, size_t length);

static void keep_bits(uint8_t *kept, size_t length, int bits)
{
    memset(kept, 0, length);
    for (int i = 0; i < bits; i++)
        kept[i / 8] = (uint8_t)(kept[i / 8] | 0x80 >> i % 8);
}

static enum class classify(const uint8_t *ip, int *ret_bits) {
    unsigned top = (unsigned)ip[0] << 8 | ip[1]; *ret_bits = 0;
    for (size_t i = 0; i < ARRAY_SIZE(blocks);
         i++){unsigned block = (unsigned)blocks[i].bytes[0] << 8 | blocks[i].bytes[1];
              if ((top ^ block) >> (16 - blocks[i].bits) == 0){ *ret_bits = blocks[i].bits;
                                                                return blocks[i].class;}
}
return CLASS_PUBLIC;
}

static bool is_kept_ipv4(const uint8_t *ip)
{
    int bits;
    bool low_mask = (ip[0] == 128 || ip[0] == 192 || ip[0] == 224) && !ip[1] && !ip[2] && !ip[3];
    bool routing_group = ip[0] == 224 && !ip[1] && !ip[2];
    return low_mask || routing_group || classify(ip, &bits) == CLASS_KEPT;
}

static bool is_edge(uint8_t last)
{
    return last == 0 || last == 255;
}

static void walk_ipv4(const struct key *key, uint8_t *ip, walker step)
{
    static const uint8_t only_last[4] = {0xff, 0xff, 0xff, 0};
    uint8_t kept[4], last = ip[3];
    int bits, block;
    bool public = classify(ip, &bits) == CLASS_PUBLIC;
    keep_bits(kept, 4, bits);
    /* The first three bytes; the last one hangs on them and is done when they are known. */
    kept[3] = 0xff;
    bool back = step == key_unpermute;
    uint8_t original[4] = {ip[0], ip[1], ip[2], last};
    do
        step(key, "ipv4", ip, kept, 4);
    while ((public && classify(ip, &block) != CLASS_PUBLIC) || is_kept_ipv4(ip));
    const uint8_t *net = back ? ip : original; /* the tree is that of the original network */
    uint8_t full[4] = {net[0], net[1], net[2], last};
    if (is_edge(last))
        return;
    do
        step(key, "ipv4-host", full, only_last, 4);
    while (is_edge(full[3]));
    ip[3] = full[3];
}

static bool is_kept_mac(const uint8_t *mac)
{
    static const uint8_t backend[6] = {0xfe, 0xff, 0xff, 0xff, 0xff, 0xff};
    static const uint8_t zero[6];
    static const uint8_t bridge_group[3] = {0x01, 0x80, 0xc2};
    static const uint8_t broadcast[6] = {0xff, 0xff, 0xff, 0xff, 0xff, 0xff};
    return memcmp(mac, backend, 6) == 0 || memcmp(mac, zero, 6) == 0 ||
           memcmp(mac, broadcast, 6) == 0 || memcmp(mac, bridge_group, 3) == 0;
}

static void walk_mac(const struct key *key, uint8_t *mac, walker step)
{
    uint8_t kept[6] = {0x03, 0, 0, 0, 0, 0};
    if (mac[0] & 1)
        memset(kept, 0xff, 3); /* a protocol's group, not a vendor's card */
    do
        step(key, "mac", mac, kept, 6);
    while (is_kept_mac(mac));
}

/* An interface identifier in the form of EUI-64: a MAC with ff:fe in its middle (RFC 4291). */
static bool holds_mac(const uint8_t *ip)
{
    return ip[11] == 0xff && ip[12] == 0xfe;
}

static void walk_identifier_mac(const struct key *key, uint8_t *ip, walker step)
{
    uint8_t mac[6] = {ip[8] ^ 2, ip[9], ip[10], ip[13], ip[14], ip[15]};
    if (!is_kept_mac(mac))
        walk_mac(key, mac, step);
    ip[8] = mac[0] ^ 2;
    memcpy(ip + 9, mac + 1, 2);
    memcpy(ip + 13, mac + 3, 3);
}

static bool is_mapped_ipv4(const uint8_t *ip)
{
    static const uint8_t mapped[12] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};
    static const uint8_t nat64[12] = {0, 0x64, 0xff, 0x9b};
    return memcmp(ip, mapped, 12) == 0 || memcmp(ip, nat64, 12) == 0;
}

static bool is_multicast(const uint8_t *ip)
{
    return ip[0] == 0xff;
}

/* ff02::1:ffXX:XXXX: the group that a host is asked for its MAC in; has the end of its address. */
static bool is_solicited(const uint8_t *ip)
{
    static const uint8_t head[11] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0xff};
    return is_multicast(ip) && memcmp(ip + 2, head, sizeof head) == 0;
}

static bool is_kept_ipv6(const uint8_t *ip)
{
    static const uint8_t zero[14];
    if (is_mapped_ipv4(ip))
        return is_kept_ipv4(ip + 12);
    if (is_multicast(ip))
        return !is_solicited(ip) && memcmp(ip + 2, zero, 11) == 0;
    bool all_zero_or_one = memcmp(ip, zero, 14) == 0 && ip[14] == 0 && ip[15] <= 1;
    bool prefix_only = memcmp(ip + 2, zero, 14) == 0 && ip[1] == (ip[0] == 0xfe ? 0x80 : 0);
    return all_zero_or_one || prefix_only; /* 2000::/3, fd00::/8, fe80::/10 name a block */
}

static int ipv6_kept_bits(const uint8_t *ip)
{
    if (is_multicast(ip))
        return is_solicited(ip) ? 104 : 16;
    if (ip[0] == 0xfe)
        return 64; /* fe80::/64 is all that is in use of fe80::/10 */
    return (ip[0] & 0xfe) == 0xfc ? 8 : 3;
}

static void walk_ipv6(const struct key *key, uint8_t *ip, walker step)
{
    static const uint8_t zero[8];
    if (is_mapped_ipv4(ip)) {
        walk_ipv4(key, ip + 12, step);
        return;
    }
    uint8_t high[16], low[16], kept[16];
    bool multicast = is_multicast(ip);
    bool network = !multicast && memcmp(ip + 8, zero, 8) == 0;
    keep_bits(kept, 16, ipv6_kept_bits(ip));
    memcpy(high, ip, 16);
    memcpy(low, ip, 16);
    memset(kept + 8, 0xff, 8);
    step(key, "ipv6", high, kept, 16);
    if (step == key_unpermute)
        memcpy(low, high, 8); /* the tree is that of the original prefix */
    keep_bits(kept, 16, multicast && is_solicited(ip) ? 104 : 64);
    if (!multicast && holds_mac(ip))
        walk_identifier_mac(key, low, step);
    else if (!network)
        do
            step(key, "ipv6", low, kept, 16);
        while (!multicast && (holds_mac(low) || memcmp(low + 8, zero, 8) == 0));
    memcpy(ip, high, 8);
    memcpy(ip + 8, low + 8, 8);
}

bool address_is_kept(const struct address *address)
{
    switch (address->kind) {
    case ADDRESS_IPV4:
        return is_kept_ipv4(address->bytes);
    case ADDRESS_IPV6:
        return is_kept_ipv6(address->bytes);
    case ADDRESS_MAC:
        return is_kept_mac(address->bytes);
    case ADDRESS_KINDS:
        break;
    }
    return true;
}

bool address_is_private_ipv4(const struct address *address)
{
    int bits;
    return address->kind == ADDRESS_IPV4 && classify(address->bytes, &bits) == CLASS_PRIVATE;
}

bool address_is_plausible_ipv6(const uint8_t bytes[16])
{
    return (bytes[0] & 0xe0) == 0x20 || (bytes[0] & 0xfe) == 0xfc || is_multicast(bytes) ||
           (bytes[0] == 0xfe && (bytes[1] & 0xc0) == 0x80) || is_mapped_ipv4(bytes);
}

static struct address walk(const struct key *key, const struct address *address, walker step)
{
    struct address result = *address;
    if (address_is_kept(address))
        return result;
    if (address->kind == ADDRESS_IPV4)
        walk_ipv4(key, result.bytes, step);
    else if (address->kind == ADDRESS_IPV6)
        walk_ipv6(key, result.bytes, step);
    else
        walk_mac(key, result.bytes, step);
    return result;
}

struct address address_map(const struct key *key, const struct address *address)
{
    return walk(key, address, key_permute);
}

struct address address_unmap(const struct key *key, const struct address *address)
{
    return walk(key, address, key_unpermute);
}

size_t address_format(const struct address *address, char *buffer, size_t size)
{
    const uint8_t *b = address->bytes;
    if (address->kind == ADDRESS_IPV6) {
        if (!inet_ntop(AF_INET6, b, buffer, (socklen_t)size))
            buffer[0] = '\0';
        return strlen(buffer);
    }
    int n = address->kind == ADDRESS_IPV4
                ? snprintf(buffer, size, "%u.%u.%u.%u", b[0], b[1], b[2], b[3])
                : snprintf(buffer, size, "%02x:%02x:%02x:%02x:%02x:%02x", b[0], b[1], b[2], b[3],
                           b[4], b[5]);
    return n > 0 && (size_t)n < size ? (size_t)n : 0;
}
