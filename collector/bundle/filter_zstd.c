/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * zstd: each block is a frame of its own; frames one after the other are a zstd file (RFC 8878, 3).
 * libzstd's own threads would hold more than the whole program may.
 */
#include <zstd.h>

#include "collector/bundle/filter.h"

#define BLOCK_BYTES ((size_t)512 * 1024) /* more costs more memory than it gains */

static size_t block_bytes(enum compression effort)
{
    (void)effort;
    return BLOCK_BYTES;
}

static int level(enum compression effort)
{
    return effort == COMPRESSION_FAST ? 1 : effort == COMPRESSION_BEST ? 6 : 3;
}

static int begin(struct filter *filter)
{
    (void)filter;
    return 0;
}

static int transform(const struct filter *filter, struct block *block, struct err *err)
{
    size_t room = ZSTD_compressBound(BLOCK_BYTES);
    int r = block_room(block, room, err);
    if (r < 0)
        return r;
    ZSTD_CCtx *context = ZSTD_createCCtx();
    if (!context)
        return err_nomem(err);
    ZSTD_CCtx_setParameter(context, ZSTD_c_compressionLevel,
                           level(compressor_effort(filter->compressor)));
    ZSTD_CCtx_setParameter(context, ZSTD_c_checksumFlag, 1);
    size_t n = ZSTD_compress2(context, block->out, room, block->bytes, block->length);
    ZSTD_freeCCtx(context);
    if (ZSTD_isError(n))
        return err_set(err, ERR_NOMEM, "zstd: %s", ZSTD_getErrorName(n));
    block->out_length = n;
    return 0;
}

static int emit(struct filter *filter, const struct block *block, struct err *err)
{
    (void)err;
    return output_write(filter->output, block->out, block->out_length);
}

const struct filter_ops filter_zstd = {
    .block_bytes = block_bytes,
    .begin = begin,
    .transform = transform,
    .emit = emit,
    .end = begin, /* nothing at either end */
};
