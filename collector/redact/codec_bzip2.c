/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * bzip2 gives nothing before it has a whole block, so a file that was cut in one ends with much
 * that was taken in vain. The format needs 4 MB at most.
 */
#include <bzlib.h>
#include <stdint.h>
#include <stdlib.h>

#include "collector/redact/codec.h"

#define MAX_FRUITLESS (1024 * 1024) /* a block of 900 kB that cannot be compressed, and a bit */
#define LEVEL         5             /* 4 MB while packing, not the 8 of the best one */
#define CHUNK         (16 * 1024)

static int unpacker_new(void **ret, struct err *err)
{
    bz_stream *stream = calloc(1, sizeof *stream);
    if (!stream || BZ2_bzDecompressInit(stream, 0, 0) != BZ_OK) {
        free(stream);
        return err_nomem(err);
    }
    *ret = stream;
    return 0;
}

static enum codec_status begin_again(bz_stream *stream)
{
    BZ2_bzDecompressEnd(stream);
    *stream = (bz_stream){.next_in = NULL};
    return BZ2_bzDecompressInit(stream, 0, 0) == BZ_OK ? CODEC_END : CODEC_TOO_BIG;
}

static enum codec_status unpack(void *unpacker, struct codec_step *step)
{
    bz_stream *stream = unpacker;
    stream->next_in = (char *)(uintptr_t)step->in; /* it is not written to */
    stream->avail_in = (unsigned)step->in_left;
    stream->next_out = step->out;
    stream->avail_out = (unsigned)step->room;
    int status = BZ2_bzDecompress(stream);
    step->in += step->in_left - stream->avail_in;
    step->in_left = stream->avail_in;
    step->made = step->room - stream->avail_out;
    if (status == BZ_STREAM_END)
        return begin_again(stream);
    return status == BZ_OK ? CODEC_MORE : status == BZ_MEM_ERROR ? CODEC_TOO_BIG : CODEC_DAMAGED;
}

static void unpacker_free(void *unpacker)
{
    if (unpacker)
        BZ2_bzDecompressEnd(unpacker);
    free(unpacker);
}

static int packer_new(void **ret, struct err *err)
{
    bz_stream *stream = calloc(1, sizeof *stream);
    if (!stream || BZ2_bzCompressInit(stream, LEVEL, 0, 0) != BZ_OK) {
        free(stream);
        return err_nomem(err);
    }
    *ret = stream;
    return 0;
}

static int pack(void *packer, const char *bytes, size_t length, bool end, struct strbuf *out,
                struct err *err)
{
    bz_stream *stream = packer;
    char chunk[CHUNK];
    int status = BZ_RUN_OK;
    stream->next_in = (char *)(uintptr_t)bytes;
    stream->avail_in = (unsigned)length;
    while (end ? status != BZ_STREAM_END : stream->avail_in > 0) {
        stream->next_out = chunk;
        stream->avail_out = sizeof chunk;
        status = BZ2_bzCompress(stream, end ? BZ_FINISH : BZ_RUN);
        if (status < 0)
            return err_set(err, ERR_BUG, "libbz2 refuses to go on (%d)", status);
        strbuf_add(out, chunk, sizeof chunk - stream->avail_out);
    }
    return 0;
}

static void packer_free(void *packer)
{
    if (packer)
        BZ2_bzCompressEnd(packer);
    free(packer);
}

const struct codec codec_bzip2 = {
    .name = "bzip2",
    .magic = "BZh",
    .magic_length = 3,
    .max_fruitless = MAX_FRUITLESS,
    .unpacker_new = unpacker_new,
    .unpack = unpack,
    .unpacker_free = unpacker_free,
    .packer_new = packer_new,
    .pack = pack,
    .packer_free = packer_free,
};
