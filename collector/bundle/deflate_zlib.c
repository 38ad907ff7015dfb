/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * zlib is in every system. A sync flush ends a piece on a byte without ending the stream.
 */
#include <stdlib.h>
#include <zlib.h>

#include "collector/bundle/deflate.h"

#define RAW_WINDOW   (-15) /* no zlib header, largest window: what zip holds */
#define MEMORY_LEVEL 8     /* zlib's default: 256 KiB */

static int zlib_open(int level, void **ret, struct err *err)
{
    z_stream *stream = calloc(1, sizeof *stream);
    if (!stream)
        return err_nomem(err);
    if (deflateInit2(stream, level, Z_DEFLATED, RAW_WINDOW, MEMORY_LEVEL, Z_DEFAULT_STRATEGY) !=
        Z_OK) {
        free(stream);
        return err_nomem(err);
    }
    *ret = stream;
    return 0;
}

static void zlib_close(void *state)
{
    deflateEnd(state);
    free(state);
}

static int zlib_piece(void *state, const struct deflate_piece *piece, size_t *ret_length,
                      struct err *err)
{
    z_stream *stream = state;
    size_t room = deflate_room(piece->length);
    if (deflateReset(stream) != Z_OK)
        return err_set(err, ERR_BUG, "zlib cannot be reset");
    stream->next_in = (unsigned char *)(uintptr_t)piece->bytes; /* zlib does not write to it */
    stream->avail_in = (unsigned)piece->length;
    stream->next_out = piece->out;
    stream->avail_out = (unsigned)room;
    int r = deflate(stream, piece->last ? Z_FINISH : Z_SYNC_FLUSH);
    if (r != (piece->last ? Z_STREAM_END : Z_OK) || stream->avail_in || !stream->avail_out)
        return err_set(err, ERR_BUG, "zlib cannot deflate a piece: %d", r);
    *ret_length = room - stream->avail_out;
    return 0;
}

static uint32_t zlib_crc32(uint32_t crc, const unsigned char *bytes, size_t length)
{
    return (uint32_t)crc32_z(crc, bytes, length);
}

const struct deflate_engine deflate_zlib = {
    .name = "zlib",
    .open = zlib_open,
    .piece = zlib_piece,
    .close = zlib_close,
    .crc32 = zlib_crc32,
};
