/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * Ranges of a file. A zip member's size and sum are those of the list of files, and every byte of it
 * counts for the budget; a plain file costs nothing but its reading.
 */
#include "analyzer/report/range_stream.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "analyzer/report/inflater.h"

#define BLOCK_SIZE (256 * 1024)

struct range_stream {
    struct stream stream; /* first: a range_stream is a stream */
    struct range range;
    struct budget *budget;
    struct meter meter;
    struct inflater *inflater; /* NULL: the bytes are plain */
    struct inflater_step step;
    int64_t position, consumed, produced;
    uint32_t crc;
    bool is_ended;
    unsigned char input[BLOCK_SIZE], output[BLOCK_SIZE];
};

/* The next block of the file, 0 at its end, or -1. */
static int64_t fetch(struct range_stream *ranged)
{
    const struct range *range = &ranged->range;
    size_t wanted = BLOCK_SIZE;
    if (range->length != RANGE_TO_END && range->length - ranged->position < BLOCK_SIZE)
        wanted = (size_t)(range->length - ranged->position);
    ssize_t n;
    do {
        n = pread(range->fd, ranged->input, wanted, range->offset + ranged->position);
    } while (n < 0 && errno == EINTR);
    if (n < 0)
        return failure_set(&ranged->stream.failure, PROBLEM_DAMAGED, "reading its file failed: %s",
                           strerror(errno));
    if (n == 0 && wanted > 0 && range->length != RANGE_TO_END)
        return failure_set(&ranged->stream.failure, PROBLEM_TRUNCATED,
                           "it is cut off before its end");
    ranged->position += n;
    ranged->consumed += n;
    budget_consume(ranged->budget, n);
    return n;
}

/* Fills the output. Its bytes count even if the stream has failed after them. */
static void unpack(struct range_stream *ranged)
{
    struct inflater_step *step = &ranged->step;
    step->out = ranged->output;
    step->room = BLOCK_SIZE;
    while (step->room > 0 && !ranged->is_ended) {
        if (step->in_left == 0) {
            int64_t n = fetch(ranged);
            if (n < 0)
                return;
            step->in = ranged->input;
            step->in_left = (size_t)n;
        }
        size_t before = step->in_left + step->room;
        enum inflater_status status = inflater_run(ranged->inflater, step);
        ranged->is_ended = status == INFLATER_END;
        if (status == INFLATER_DAMAGED) {
            failure_set(&ranged->stream.failure, PROBLEM_DAMAGED, "its data is damaged (%s)",
                        inflater_problem(ranged->inflater));
            return;
        }
        if (!ranged->is_ended && step->in_left + step->room == before && step->in_left == 0 &&
            ranged->position == ranged->range.length) {
            failure_set(&ranged->stream.failure, PROBLEM_TRUNCATED, "it is cut off before its end");
            return;
        }
    }
}

/* Sum and size, when all is read. */
static void check_end(struct range_stream *ranged)
{
    const struct range *range = &ranged->range;
    if (ranged->stream.failure.failed)
        return;
    if (ranged->produced != range->unpacked)
        failure_set(&ranged->stream.failure, PROBLEM_DAMAGED,
                    "it is damaged (it holds %lld bytes, the archive's list of files says %lld)",
                    (long long)ranged->produced, (long long)range->unpacked);
    else if (ranged->crc != range->crc)
        failure_set(&ranged->stream.failure, PROBLEM_DAMAGED, "it is damaged (its sum is wrong)");
}

static int64_t account(struct range_stream *ranged, const unsigned char *bytes, int64_t length)
{
    struct failure failure = {0};
    ranged->produced += length;
    ranged->crc = inflater_crc32(ranged->crc, bytes, (size_t)length);
    if (meter_add(&ranged->meter, length, ranged->consumed, false, &failure) != METER_OK) {
        if (!ranged->stream.failure.failed)
            ranged->stream.failure = failure;
        return -1;
    }
    if (ranged->produced > ranged->range.unpacked)
        return failure_set(&ranged->stream.failure, PROBLEM_SUSPICIOUS,
                           "it holds more data than the archive's list of files says");
    return length;
}

static int64_t range_read(struct stream *stream, const char **bytes)
{
    struct range_stream *ranged = (struct range_stream *)stream;
    const unsigned char *block = ranged->input;
    int64_t length = 0;
    if (stream->failure.failed)
        return -1;
    if (ranged->inflater) {
        if (!ranged->is_ended)
            unpack(ranged);
        block = ranged->output;
        length = ranged->step.out ? ranged->step.out - ranged->output : 0;
        ranged->step.out = ranged->output;
    } else {
        length = fetch(ranged);
    }
    if (length > 0 && ranged->range.is_member)
        length = account(ranged, block, length);
    if (length == 0 && ranged->range.is_member)
        check_end(ranged);
    *bytes = (const char *)block;
    return length == 0 && stream->failure.failed ? -1 : length;
}

static const struct stream_ops range_ops = {.read = range_read};

int range_stream_new(const struct range *range, struct budget *budget, struct range_stream **ret,
                     struct err *err)
{
    struct range_stream *ranged = malloc(sizeof *ranged);
    if (!ranged)
        return err_nomem(err);
    ranged->stream = (struct stream){.ops = &range_ops};
    ranged->range = *range;
    ranged->budget = budget;
    ranged->inflater = NULL;
    ranged->step = (struct inflater_step){0};
    ranged->position = ranged->consumed = ranged->produced = 0;
    ranged->crc = 0;
    ranged->is_ended = false;
    meter_start(&ranged->meter, budget, 0);
    int rc = range->is_deflated ? inflater_new(INFLATE_RAW, &ranged->inflater, err) : 0;
    if (rc < 0) {
        free(ranged);
        return rc;
    }
    *ret = ranged;
    return 0;
}

void *range_stream_free(struct range_stream *ranged)
{
    if (ranged)
        inflater_free(ranged->inflater);
    free(ranged);
    return NULL;
}

struct stream *range_stream_data(struct range_stream *ranged)
{
    return &ranged->stream;
}
