/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * Raw deflate (RFC 1951) in pieces that join: each piece is made from its bytes alone, ends on a
 * byte, and the pieces one after the other are one stream. So several threads can work on one
 * entry.
 *
 * A const table of engines; which ones are there is decided when the program is built, and zlib
 * always is.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "common/err.h"

enum compression { COMPRESSION_BALANCED, COMPRESSION_FAST, COMPRESSION_BEST };

struct deflate_piece {
    const unsigned char *bytes;
    size_t length;      /* at least 1 */
    bool last;          /* the stream ends with it */
    unsigned char *out; /* with deflate_room(length) bytes of room */
};

struct deflate_engine {
    const char *name;
    /* *ret is freed by close(). NULL: this engine is not in this build. One thread at a time. */
    int (*open)(int level, void **ret, struct err *err);
    int (*piece)(void *state, const struct deflate_piece *piece, size_t *ret_length,
                 struct err *err);
    void (*close)(void *state);
    uint32_t (*crc32)(uint32_t crc, const unsigned char *bytes, size_t length); /* as zlib's */
};

extern const struct deflate_engine deflate_zlib;
extern const struct deflate_engine deflate_isal;
extern const struct deflate_engine deflate_libdeflate;

/* The best engine of this build for the purpose, and its level. */
const struct deflate_engine *deflate_choose(enum compression compression, int *ret_level);

/* Room for the worst a piece can become, and for what engines need while they work on it. */
size_t deflate_room(size_t length);
