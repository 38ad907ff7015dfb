/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * gzip by ourselves rather than by libarchive's filter, because that filter does not check the CRC:
 * a flipped bit in a rotated log would go unnoticed. Several gzip streams in a row are one file, as
 * gzip(1) has it; zeros or other bytes after the last one are ignored.
 */
#include "analyzer/report/gzip_stream.h"

#include <stdlib.h>

#include "analyzer/report/inflater.h"

#define OUTPUT_SIZE (256 * 1024)

struct gzip_stream {
    struct stream stream; /* first: a gzip_stream is a stream */
    struct stream *input;
    struct meter meter;
    struct inflater *inflater;
    struct inflater_step step;
    int64_t consumed;
    int64_t unpacked; /* of the gzip stream that is being read */
    bool is_between; /* a gzip stream has ended, the next may follow */
    bool has_members, is_ended, input_ended;
    unsigned char output[OUTPUT_SIZE];
};

/* True when there is input; false at its end or, with `failure` set, when it failed. */
static bool refill(struct gzip_stream *gzip)
{
    if (gzip->step.in_left > 0)
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
    gzip->step.in = (const unsigned char *)bytes;
    gzip->step.in_left = (size_t)n;
    return true;
}

/* After one gzip stream: is another one next? */
static bool begin_next(struct gzip_stream *gzip)
{
    if (!refill(gzip) || gzip->step.in[0] != 0x1f)
        return false;
    gzip->is_between = false;
    gzip->unpacked = 0;
    inflater_reset(gzip->inflater);
    return true;
}

static int64_t gzip_read(struct stream *stream, const char **bytes)
{
    struct gzip_stream *gzip = (struct gzip_stream *)stream;
    if (gzip->is_ended || stream->failure.failed)
        return stream->failure.failed ? -1 : 0;

    gzip->step.out = gzip->output;
    gzip->step.room = OUTPUT_SIZE;
    while (gzip->step.room > 0) {
        if (gzip->is_between && !begin_next(gzip)) {
            gzip->is_ended = true;
            break;
        }
        /* Without input, too, some output may be left. */
        bool has_input = refill(gzip);
        size_t room = gzip->step.room;
        enum inflater_status status = inflater_run(gzip->inflater, &gzip->step);
        gzip->unpacked += (int64_t)(room - gzip->step.room);
        if (status == INFLATER_END) {
            gzip->is_between = gzip->has_members = true;
        } else if (status == INFLATER_DAMAGED) {
            if (gzip->has_members && gzip->unpacked == 0)
                gzip->is_ended = true; /* it was no gzip stream after all, but trailing bytes */
            else
                failure_set(&stream->failure, PROBLEM_DAMAGED, "its gzip data is damaged (%s)",
                            inflater_problem(gzip->inflater));
            break;
        } else if (!has_input && gzip->step.room == room) {
            if (!stream->failure.failed)
                failure_set(&stream->failure, PROBLEM_TRUNCATED,
                            gzip->consumed == 0 ? "it is an empty file, not gzip"
                                                : "it is cut off before the end of its gzip data");
            break;
        }
    }

    int64_t produced = gzip->step.out - gzip->output;
    if (produced == 0)
        return stream->failure.failed ? -1 : 0;
    if (meter_add(&gzip->meter, produced, gzip->consumed, false, &stream->failure) != METER_OK)
        return -1;
    *bytes = (const char *)gzip->output;
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
    gzip->step = (struct inflater_step){0};
    gzip->consumed = gzip->unpacked = 0;
    gzip->is_between = gzip->has_members = gzip->is_ended = gzip->input_ended = false;
    meter_start(&gzip->meter, budget, 0);
    int rc = inflater_new(INFLATE_GZIP, &gzip->inflater, err);
    if (rc < 0) {
        free(gzip);
        return rc;
    }
    *ret = gzip;
    return 0;
}

void *gzip_stream_free(struct gzip_stream *gzip)
{
    if (gzip) {
        inflater_free(gzip->inflater);
        free(gzip);
    }
    return NULL;
}

struct stream *gzip_stream_data(struct gzip_stream *gzip)
{
    return &gzip->stream;
}
