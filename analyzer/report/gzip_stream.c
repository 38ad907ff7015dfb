/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * gzip by zlib rather than by libarchive's filter, because that filter does not check the CRC: a
 * flipped bit in a rotated log would go unnoticed. Several gzip streams in a row are one file, as
 * gzip(1) has it; zeros or other bytes after the last one are ignored.
 */
#include "analyzer/report/gzip_stream.h"

#include <stdlib.h>
#include <zlib.h>

#define OUTPUT_SIZE           (256 * 1024)
#define WINDOW_BITS_GZIP_ONLY (16 + MAX_WBITS)

struct gzip_stream {
    struct stream stream; /* first: a gzip_stream is a stream */
    struct stream *input;
    struct meter meter;
    z_stream z;
    int64_t consumed;
    bool is_between; /* a gzip stream has ended, the next may follow */
    bool has_members, is_ended, input_ended;
    char output[OUTPUT_SIZE];
};

/* True when there is input; false at its end or, with `failure` set, when it failed. */
static bool refill(struct gzip_stream *gzip)
{
    if (gzip->z.avail_in > 0)
        return true;
    if (gzip->input_ended)
        return false;
    const char *bytes;
    int64_t n = stream_read(gzip->input, &bytes);
    if (n < 0)
        failure_inherit(&gzip->stream.failure, &gzip->input->failure);
    if (n <= 0) {
        gzip->input_ended = true;
        return false;
    }
    gzip->consumed += n;
    gzip->z.next_in = (Bytef *)bytes; /* zlib does not write to it */
    gzip->z.avail_in = (uInt)n;
    return true;
}

/* After one gzip stream: is another one next? */
static bool begin_next(struct gzip_stream *gzip)
{
    if (!refill(gzip) || gzip->z.next_in[0] != 0x1f)
        return false;
    gzip->is_between = false;
    return inflateReset(&gzip->z) == Z_OK;
}

static int64_t gzip_read(struct stream *stream, const char **bytes)
{
    struct gzip_stream *gzip = (struct gzip_stream *)stream;
    if (gzip->is_ended || stream->failure.failed)
        return stream->failure.failed ? -1 : 0;

    gzip->z.next_out = (Bytef *)gzip->output;
    gzip->z.avail_out = OUTPUT_SIZE;
    while (gzip->z.avail_out > 0) {
        if (gzip->is_between && !begin_next(gzip)) {
            gzip->is_ended = true;
            break;
        }
        if (!refill(gzip)) {
            if (!stream->failure.failed)
                failure_set(&stream->failure, PROBLEM_TRUNCATED,
                            gzip->consumed == 0 ? "it is an empty file, not gzip"
                                                : "it is cut off before the end of its gzip data");
            break;
        }
        int rc = inflate(&gzip->z, Z_NO_FLUSH);
        if (rc == Z_STREAM_END) {
            gzip->is_between = gzip->has_members = true;
        } else if (rc != Z_OK && rc != Z_BUF_ERROR) {
            if (gzip->has_members && gzip->z.total_out == 0)
                gzip->is_ended = true; /* it was no gzip stream after all, but trailing bytes */
            else
                failure_set(&stream->failure, PROBLEM_DAMAGED, "its gzip data is damaged (%s)",
                            gzip->z.msg ? gzip->z.msg : "unknown error");
            break;
        }
    }

    int64_t produced = OUTPUT_SIZE - gzip->z.avail_out;
    if (produced == 0)
        return stream->failure.failed ? -1 : 0;
    if (meter_add(&gzip->meter, produced, gzip->consumed, false, &stream->failure) != METER_OK)
        return -1;
    *bytes = gzip->output;
    return produced; /* a failure is told by the next call: what came before it counts */
}

static const struct stream_ops gzip_ops = {.read = gzip_read};

int gzip_stream_new(struct stream *input, struct budget *budget, struct gzip_stream **ret,
                    struct err *err)
{
    struct gzip_stream *gzip = malloc(sizeof *gzip);
    if (!gzip)
        return err_nomem(err);
    gzip->stream = (struct stream){.ops = &gzip_ops};
    gzip->input = input;
    gzip->z = (z_stream){0};
    gzip->consumed = 0;
    gzip->is_between = gzip->has_members = gzip->is_ended = gzip->input_ended = false;
    meter_start(&gzip->meter, budget, 0);
    if (inflateInit2(&gzip->z, WINDOW_BITS_GZIP_ONLY) != Z_OK) {
        free(gzip);
        return err_nomem(err);
    }
    *ret = gzip;
    return 0;
}

void *gzip_stream_free(struct gzip_stream *gzip)
{
    if (gzip) {
        inflateEnd(&gzip->z);
        free(gzip);
    }
    return NULL;
}

struct stream *gzip_stream_data(struct gzip_stream *gzip)
{
    return &gzip->stream;
}
