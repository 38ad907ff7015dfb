/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * zstd says in each frame how far back it looks; 8 MB are enough for what `zstd` makes unless it is
 * told otherwise (--ultra, --long). Frames to be skipped, which may hold anything, have another
 * magic number and are not taken.
 */
#include <stdlib.h>
#include <zstd.h>
#include <zstd_errors.h>

#include "collector/redact/codec.h"

#define WINDOW_LOG    23           /* 8 MB */
#define MAX_FRUITLESS (256 * 1024) /* a block has up to 128 KB */
#define CHUNK         (16 * 1024)

static int unpacker_new(void **ret, struct err *err)
{
    ZSTD_DCtx *context = ZSTD_createDCtx();
    if (!context ||
        ZSTD_isError(ZSTD_DCtx_setParameter(context, ZSTD_d_windowLogMax, WINDOW_LOG))) {
        ZSTD_freeDCtx(context);
        return err_nomem(err);
    }
    *ret = context;
    return 0;
}

static enum codec_status unpack(void *unpacker, struct codec_step *step)
{
    ZSTD_inBuffer in = {step->in, step->in_left, 0};
    ZSTD_outBuffer out = {step->out, step->room, 0};
    size_t status = ZSTD_decompressStream(unpacker, &out, &in);
    step->in += in.pos;
    step->in_left -= in.pos;
    step->made = out.pos;
    if (!ZSTD_isError(status))
        return status == 0 ? CODEC_END : CODEC_MORE;
    ZSTD_ErrorCode code = ZSTD_getErrorCode(status);
    return code == ZSTD_error_frameParameter_windowTooLarge || code == ZSTD_error_memory_allocation
               ? CODEC_TOO_BIG
               : CODEC_DAMAGED;
}

static void unpacker_free(void *unpacker)
{
    ZSTD_freeDCtx(unpacker);
}

static int packer_new(void **ret, struct err *err)
{
    *ret = ZSTD_createCCtx();
    return *ret ? 0 : err_nomem(err);
}

static int pack(void *packer, const char *bytes, size_t length, bool end, struct strbuf *out,
                struct err *err)
{
    char chunk[CHUNK];
    ZSTD_inBuffer in = {bytes, length, 0};
    size_t left;
    do {
        ZSTD_outBuffer made = {chunk, sizeof chunk, 0};
        left = ZSTD_compressStream2(packer, &made, &in, end ? ZSTD_e_end : ZSTD_e_continue);
        if (ZSTD_isError(left))
            return err_set(err, ERR_BUG, "libzstd refuses to go on: %s", ZSTD_getErrorName(left));
        strbuf_add(out, chunk, made.pos);
    } while (end ? left > 0 : in.pos < in.size);
    return 0;
}

static void packer_free(void *packer)
{
    ZSTD_freeCCtx(packer);
}

const struct codec codec_zstd = {
    .name = "zstd",
    .magic = "\x28\xb5\x2f\xfd",
    .magic_length = 4,
    .max_fruitless = MAX_FRUITLESS,
    .unpacker_new = unpacker_new,
    .unpack = unpack,
    .unpacker_free = unpacker_free,
    .packer_new = packer_new,
    .pack = pack,
    .packer_free = packer_free,
};
