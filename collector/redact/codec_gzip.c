/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * gzip: unpacked by the fastest library there is (gunzip.h), for all rotated logs go this way;
 * packed by zlib, for few do.
 */
#include <stdint.h>
#include <stdlib.h>
#include <zlib.h>

#include "collector/redact/codec.h"
#include "collector/redact/gunzip.h"

#define MAX_FRUITLESS (128 * 1024) /* names in headers are shorter */
#define GZIP_FORMAT   (15 + 16)    /* zlib: largest window, gzip header */
#define MEMORY_LEVEL  8
#define LEVEL         6
#define CHUNK         (16 * 1024)

static int packer_new(void **ret, struct err *err)
{
    z_stream *stream = calloc(1, sizeof *stream);
    if (!stream || deflateInit2(stream, LEVEL, Z_DEFLATED, GZIP_FORMAT, MEMORY_LEVEL,
                                Z_DEFAULT_STRATEGY) != Z_OK) {
        free(stream);
        return err_nomem(err);
    }
    *ret = stream;
    return 0;
}

static int pack(void *packer, const char *bytes, size_t length, bool end, struct strbuf *out,
                struct err *err)
{
    z_stream *stream = packer;
    unsigned char chunk[CHUNK];
    stream->next_in = (unsigned char *)(uintptr_t)bytes; /* zlib does not write to it */
    stream->avail_in = (unsigned)length;
    do {
        stream->next_out = chunk;
        stream->avail_out = sizeof chunk;
        if (deflate(stream, end ? Z_FINISH : Z_NO_FLUSH) == Z_STREAM_ERROR)
            return err_set(err, ERR_BUG, "zlib refuses to go on");
        strbuf_add(out, chunk, sizeof chunk - stream->avail_out);
    } while (stream->avail_out == 0);
    return 0;
}

static void packer_free(void *packer)
{
    if (packer)
        deflateEnd(packer);
    free(packer);
}

const struct codec codec_gzip = {
    .name = "gzip",
    .magic = "\x1f\x8b\x08",
    .magic_length = 3,
    .max_fruitless = MAX_FRUITLESS,
    .unpacker_new = gunzip_new,
    .unpack = gunzip_run,
    .unpacker_free = gunzip_free,
    .packer_new = packer_new,
    .pack = pack,
    .packer_free = packer_free,
};
