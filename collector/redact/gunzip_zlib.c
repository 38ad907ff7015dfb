/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * zlib is everywhere.
 */
#include <stdint.h>
#include <stdlib.h>
#include <zlib.h>

#include "collector/redact/gunzip.h"

#define GZIP_FORMAT (15 + 16) /* zlib: largest window, gzip header */

struct gunzip {
    z_stream stream;
};

int gunzip_new(void **ret, struct err *err)
{
    struct gunzip *gunzip = calloc(1, sizeof *gunzip);
    if (!gunzip || inflateInit2(&gunzip->stream, GZIP_FORMAT) != Z_OK) {
        free(gunzip);
        return err_nomem(err);
    }
    *ret = gunzip;
    return 0;
}

void gunzip_free(void *unpacker)
{
    struct gunzip *gunzip = unpacker;
    if (gunzip)
        inflateEnd(&gunzip->stream);
    free(gunzip);
}

enum codec_status gunzip_run(void *unpacker, struct codec_step *step)
{
    struct gunzip *gunzip = unpacker;
    z_stream *stream = &gunzip->stream;
    stream->next_in = (unsigned char *)(uintptr_t)step->in; /* zlib does not write to it */
    stream->avail_in = (unsigned)step->in_left;
    stream->next_out = (unsigned char *)step->out;
    stream->avail_out = (unsigned)step->room;
    int status = inflate(stream, Z_NO_FLUSH);
    step->in += step->in_left - stream->avail_in;
    step->in_left = stream->avail_in;
    step->made = step->room - stream->avail_out;
    if (status == Z_STREAM_END)
        return inflateReset(stream) == Z_OK ? CODEC_END : CODEC_DAMAGED;
    return status == Z_OK || status == Z_BUF_ERROR ? CODEC_MORE : CODEC_DAMAGED;
}
