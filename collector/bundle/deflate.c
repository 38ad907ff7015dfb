/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * The choice follows measurements (docs/compression.md has the figures): ISA-L takes a twelfth of
 * zlib's time for five percent more bytes, libdeflate makes fewer bytes than zlib in half its time.
 */
#include "collector/bundle/deflate.h"

#include "common/compiler.h"

#define ROOM_SLACK                                                                                 \
    4096 /* headers of blocks, end marks, and eight bytes that a reader may overrun */

struct choice {
    enum compression compression;
    const struct deflate_engine *engine;
    int level;
};

/* For each purpose the first that is there. */
static const struct choice choices[] = {
    {COMPRESSION_FAST, &deflate_isal, 1},           {COMPRESSION_FAST, &deflate_libdeflate, 1},
    {COMPRESSION_FAST, &deflate_zlib, 1},           {COMPRESSION_BALANCED, &deflate_isal, 1},
    {COMPRESSION_BALANCED, &deflate_libdeflate, 3}, {COMPRESSION_BALANCED, &deflate_zlib, 6},
    {COMPRESSION_BEST, &deflate_libdeflate, 5},     {COMPRESSION_BEST, &deflate_zlib, 9},
};

const struct deflate_engine *deflate_choose(enum compression compression, int *ret_level)
{
    const struct choice *choice = choices;
    while (choice->compression != compression || !choice->engine->open)
        choice++; /* zlib is always there */
    *ret_level = choice->level;
    return choice->engine;
}

size_t deflate_room(size_t length)
{
    return length + length / 8 + ROOM_SLACK;
}
