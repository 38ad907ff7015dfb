/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * Where the blocks of a deflate stream end, without inflating it: codes are decoded only for their
 * length (RFC 1951).
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

/* Bytes behind the stream that must be readable; what they hold does not matter. */
#define DEFLATE_WALK_SLACK 32

struct deflate_end {
    size_t last_block; /* bit (from 0) that marks the last block */
    size_t end;        /* first bit behind the stream */
};

/* False: it is no whole stream. */
bool deflate_walk(const unsigned char *bytes, size_t length, struct deflate_end *ret);
