/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * xz says in its headers how much memory it needs; 16 MB are enough for what `xz` makes unless it
 * is told otherwise (9 MB).
 */
#include <lzma.h>
#include <stdint.h>
#include <stdlib.h>

#include "collector/redact/codec.h"

#define MEMORY_LIMIT  (16 * 1024 * 1024)
#define MAX_FRUITLESS (128 * 1024) /* a chunk of LZMA2 has up to 64 KB */
#define PRESET        0            /* 3 MB while packing */
#define CHUNK         (16 * 1024)

static enum codec_status begin(lzma_stream *stream)
{
    return lzma_stream_decoder(stream, MEMORY_LIMIT, 0) == LZMA_OK ? CODEC_END : CODEC_TOO_BIG;
}

static int unpacker_new(void **ret, struct err *err)
{
    lzma_stream *stream = malloc(sizeof *stream);
    if (!stream)
        return err_nomem(err);
    *stream = (lzma_stream)LZMA_STREAM_INIT;
    if (begin(stream) != CODEC_END) {
        free(stream);
        return err_nomem(err);
    }
    *ret = stream;
    return 0;
}

static enum codec_status unpack(void *unpacker, struct codec_step *step)
{
    lzma_stream *stream = unpacker;
    stream->next_in = (const uint8_t *)step->in;
    stream->avail_in = step->in_left;
    stream->next_out = (uint8_t *)step->out;
    stream->avail_out = step->room;
    lzma_ret status = lzma_code(stream, LZMA_RUN);
    step->in += step->in_left - stream->avail_in;
    step->in_left = stream->avail_in;
    step->made = step->room - stream->avail_out;
    if (status == LZMA_STREAM_END)
        return begin(stream);
    if (status == LZMA_MEMLIMIT_ERROR || status == LZMA_MEM_ERROR)
        return CODEC_TOO_BIG;
    return status == LZMA_OK || status == LZMA_BUF_ERROR ? CODEC_MORE : CODEC_DAMAGED;
}

static int packer_new(void **ret, struct err *err)
{
    lzma_stream *stream = malloc(sizeof *stream);
    if (!stream)
        return err_nomem(err);
    *stream = (lzma_stream)LZMA_STREAM_INIT;
    if (lzma_easy_encoder(stream, PRESET, LZMA_CHECK_CRC64) != LZMA_OK) {
        free(stream);
        return err_nomem(err);
    }
    *ret = stream;
    return 0;
}

static int pack(void *packer, const char *bytes, size_t length, bool end, struct strbuf *out,
                struct err *err)
{
    lzma_stream *stream = packer;
    uint8_t chunk[CHUNK];
    lzma_ret status = LZMA_OK;
    stream->next_in = (const uint8_t *)bytes;
    stream->avail_in = length;
    while (end ? status != LZMA_STREAM_END : stream->avail_in > 0) {
        stream->next_out = chunk;
        stream->avail_out = sizeof chunk;
        status = lzma_code(stream, end ? LZMA_FINISH : LZMA_RUN);
        if (status != LZMA_OK && status != LZMA_STREAM_END)
            return err_set(err, ERR_BUG, "liblzma refuses to go on (%d)", (int)status);
        strbuf_add(out, chunk, sizeof chunk - stream->avail_out);
    }
    return 0;
}

static void stream_free(void *stream)
{
    if (stream)
        lzma_end(stream);
    free(stream);
}

const struct codec codec_xz = {
    .name = "xz",
    .magic = "\xfd"
             "7zXZ",
    .magic_length = 5,
    .max_fruitless = MAX_FRUITLESS,
    .unpacker_new = unpacker_new,
    .unpack = unpack,
    .unpacker_free = stream_free,
    .packer_new = packer_new,
    .pack = pack,
    .packer_free = stream_free,
};
