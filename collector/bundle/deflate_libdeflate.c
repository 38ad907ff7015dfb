/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * libdeflate makes fewer bytes than zlib in less time, but only whole streams: the last block is
 * marked as the last, and it ends on any bit. To join such streams the mark is taken away, and an
 * empty stored block, which begins on a byte by definition, is put behind: what others call a sync
 * flush. Where both bits are is found by walking through the stream (deflate_walk.h), which costs a
 * tenth of the compressing.
 */
#include <libdeflate.h>

#include "collector/bundle/deflate.h"
#include "collector/bundle/deflate_walk.h"

static int libdeflate_open(int level, void **ret, struct err *err)
{
    *ret = libdeflate_alloc_compressor(level);
    return *ret ? 0 : err_nomem(err);
}

static void libdeflate_close(void *state)
{
    libdeflate_free_compressor(state);
}

/* Makes a finished stream one that goes on. Returns its length. */
static size_t reopen(unsigned char *out, const struct deflate_end *end)
{
    out[end->last_block / 8] &= (unsigned char)~(1U << end->last_block % 8);
    size_t at = end->end / 8;
    if (end->end % 8)
        out[at++] &= (unsigned char)((1U << end->end % 8) - 1);
    if (end->end % 8 == 0 || end->end % 8 > 5)
        out[at++] = 0; /* the three bits of a block's header need a byte more */
    static const unsigned char empty[] = {0, 0, 0xff, 0xff};
    for (size_t i = 0; i < sizeof empty; i++)
        out[at++] = empty[i];
    return at;
}

static int libdeflate_piece(void *state, const struct deflate_piece *piece, size_t *ret_length,
                            struct err *err)
{
    struct deflate_end end;
    size_t room = deflate_room(piece->length);
    size_t length =
        libdeflate_deflate_compress(state, piece->bytes, piece->length, piece->out, room);
    if (length == 0 || length > room - DEFLATE_WALK_SLACK)
        return err_set(err, ERR_BUG, "libdeflate cannot deflate a piece");
    if (!piece->last && !deflate_walk(piece->out, length, &end))
        return err_set(err, ERR_BUG, "libdeflate's output cannot be understood");
    *ret_length = piece->last ? length : reopen(piece->out, &end);
    return 0;
}

static uint32_t crc32_of(uint32_t crc, const unsigned char *bytes, size_t length)
{
    return libdeflate_crc32(crc, bytes, length);
}

const struct deflate_engine deflate_libdeflate = {
    .name = "libdeflate",
    .open = libdeflate_open,
    .piece = libdeflate_piece,
    .close = libdeflate_close,
    .crc32 = crc32_of,
};
