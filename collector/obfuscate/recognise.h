/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * Does an address begin at this place of a text? Written by hand, since it is asked at every word
 * of gigabytes of logs; the answer is mostly no after two or three bytes.
 *
 *  IPv4  four numbers to 255 without leading zeros, not part of a longer dotted number; also with
 *        dashes behind a word ("dhcp-192-168-0-66"). What looks like a version is none: behind
 *        words such as "version" or "firmware", in names of packages (foo-1.2.3.4-5.el7). Five
 *        numbers are an address and a port when the first four are private.
 *  IPv6  in any form, also with an IPv4 tail, if it is of a range that is in use.
 *  MAC   aa:bb:cc:dd:ee:ff (not part of a longer row, as fingerprints and WWNs are), with dashes,
 *        or aabb.ccdd.eeff, both only with a letter in it.
 */
#pragma once

#include "collector/obfuscate/address.h"

/* How far before and behind a place it is looked; what is farther away changes nothing. */
#define RECOGNISE_BEFORE 48
#define RECOGNISE_BEHIND 80

struct found_address {
    struct address address;
    size_t length;  /* bytes of the text */
    char separator; /* of a MAC: ':', '-' or '.'; of IPv4: '.' or '-' */
    bool upper;     /* hexadecimal digits are capitals */
};

/*
 * `at` is the begin of a word (letters and digits) in text[0..length). False: no address begins
 * there.
 */
bool recognise_address(const char *text, size_t length, size_t at, bool versions_only,
                       struct found_address *ret);

/* The address in the form in which it was found. `buffer` needs 46 bytes; returns the length. */
size_t recognise_format(const struct found_address *form, const struct address *address,
                        char *buffer, size_t size);
