/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * Passes over places where no anchor can begin: a coarse look at 32 places at once, on processors
 * that can, and a finer one at the few places that are left.
 *
 * The finer look: the four bytes at a place, folded to lower case, are hashed into a table. The
 * coarse one: of each of the four bytes both halves must be such as one of a group of grams has.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#define GRAM         4
#define HASH_BITS    15
#define FOLD         0x20202020u /* makes letters small, and merges some other bytes */
#define SIEVE_GROUPS 16          /* a bit each, in two bytes */

struct sieve {
    unsigned char begins[1 << HASH_BITS]; /* whether a gram of this hash begins an anchor */
    unsigned char low[SIEVE_GROUPS / 8][GRAM][16], high[SIEVE_GROUPS / 8][GRAM][16];
};

/* The loads take the first byte for the lowest. */
_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "anchors need a little-endian processor");

static inline uint32_t gram_at(const char *p)
{
    uint32_t bytes;
    memcpy(&bytes, p, sizeof bytes);
    return bytes | FOLD;
}

static inline uint32_t gram_hash(uint32_t gram)
{
    return gram * 2654435761u >> (32 - HASH_BITS);
}

/* Whether this build and this processor can look at 32 places at once. */
bool sieve_is_fast(void);

/*
 * The first place in [p, end) that both looks let through, or one that is too near to the end for
 * the coarse one: it looks at 35 bytes.
 */
const char *sieve_skip(const struct sieve *sieve, const char *p, const char *end);
