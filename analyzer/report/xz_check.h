/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * How much memory an xz file wants. libarchive gives liblzma whatever it asks for, up to 4 GiB.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Where in an xz file we are; all zeros at its beginning. */
struct xz_check {
    int step;
    unsigned char gathered[1024]; /* a header in the making; none is longer */
    size_t have, want;
    uint64_t skip;         /* bytes of no interest */
    uint64_t length;       /* of the block's data, or of the index, so far */
    uint64_t numbers_left; /* of the index */
    unsigned sum_size;     /* of the check sum behind each block */
};

/*
 * `bytes` follow on those of the calls before. True when they begin a block whose dictionary is
 * larger than 128 MiB (xz -9 makes 64): its decoder must not see them. What is no xz is not greedy.
 */
bool xz_check_is_greedy(struct xz_check *check, const char *bytes, size_t length);
