/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * Does an address begin at this place of a text? Written by hand, since it is asked at every word
 * of gigabytes of logs; the answer is mostly no after two or three bytes.
 *
 *  IPv4  four numbers to 255 without leading zeros, not part of a longer dotted number; also with
 *        dashes behind a word ("dhcp-192-168-0-66"). What looks like a version is none: behind
 *        words such as "version" or "firmware", in names of packages (foo-1.2.3.4-5.el7). Five
 *        numbers are an address and a port when the first four are private.
 *        In front of .in-addr.arpa four numbers, or three of a network, stand in reverse order.
 *  IPv6  in any form, also with an IPv4 tail, if it is of a range that is in use; single digits in
 *        reverse order in front of .ip6.arpa.
 *  MAC   aa:bb:cc:dd:ee:ff (not part of a longer row, as fingerprints and WWNs are), without
 * leading zeros (0:16:3e:1:2:3), with dashes or aabb.ccdd.eeff, both only with a letter in it;
 *        without anything between behind a word that says so (mac=00163eaabbcc), in names of
 *        cards (enx00163eaabbcc), and as a boot loader hands it on (BOOTIF=01-00-16-3e-...).
 */
#pragma once

#include "collector/obfuscate/address.h"

/* How far before and behind a place it is looked; what is farther away changes nothing. */
#define RECOGNISE_BEFORE 48
#define RECOGNISE_BEHIND 80
#define RECOGNISE_TEXT   66 /* bytes of the longest form, with its NUL: in front of ip6.arpa */

struct found_address {
    struct address address;
    size_t length;      /* bytes of the text */
    char separator;     /* of a MAC: ':', '-', '.' or NUL for none; of IPv4: '.' or '-' */
    bool upper;         /* hexadecimal digits are capitals */
    bool short_groups;  /* of a MAC: without leading zeros */
    bool named;         /* "enx" stands in front of a MAC */
    bool behind_colons; /* the "::" of an IPv6 address stands in front of the word */
    unsigned reversed;  /* in the order of DNS: numbers of IPv4, digits of IPv6; 0: is not */
};

/*
 * `at` is the begin of a word (letters and digits) in text[0..length). False: no address begins
 * there.
 */
bool recognise_address(const char *text, size_t length, size_t at, bool versions_only,
                       struct found_address *ret);

/* The address in the form in which it was found. `buffer` needs RECOGNISE_TEXT bytes; returns the
 * length. */
size_t recognise_format(const struct found_address *form, const struct address *address,
                        char *buffer, size_t size);
