/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * gzip (RFC 1952): one member, whose deflate stream is made of joined pieces.
 */
#include <zlib.h>

#include "collector/bundle/filter.h"

#define BLOCK_BYTES ((size_t)256 * 1024) /* as entries of a zip have */

static size_t block_bytes(enum compression effort)
{
    (void)effort;
    return BLOCK_BYTES;
}

static int begin(struct filter *filter)
{
    /* Deflate, no name, no time (so the same report gives the same bytes), made on Unix. */
    static const unsigned char head[] = {0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 3};
    return output_write(filter->output, head, sizeof head);
}

static int transform(const struct filter *filter, struct block *block, struct err *err)
{
    int r = block_room(block, deflate_room(BLOCK_BYTES), err);
    if (r < 0)
        return r;
    block->crc = compressor_crc32(filter->compressor, 0, block->bytes, block->length);
    const struct deflate_piece piece = {block->bytes, block->length, block->last, block->out};
    return compressor_deflate(filter->compressor, &piece, &block->out_length, err);
}

static int emit(struct filter *filter, const struct block *block, struct err *err)
{
    (void)err;
    filter->crc = (uint32_t)crc32_combine(filter->crc, block->crc, (z_off_t)block->length);
    return output_write(filter->output, block->out, block->out_length);
}

static int end(struct filter *filter)
{
    unsigned char tail[8];
    uint64_t values = (uint64_t)filter->size << 32 | filter->crc;
    for (unsigned i = 0; i < sizeof tail; i++)
        tail[i] = (unsigned char)(values >> 8 * i);
    return output_write(filter->output, tail, sizeof tail);
}

const struct filter_ops filter_gzip = {
    .block_bytes = block_bytes,
    .begin = begin,
    .transform = transform,
    .emit = emit,
    .end = end,
};
