/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * An XAPI that says what a test put down, without a socket: a layer of a stream that reads from
 * memory, at most `step` bytes at a time, and keeps what was written.
 */
#pragma once

#include <string.h>

#include "common/io.h"
#include "common/rpc/rpc.h"

struct canned {
    const char *answer;
    size_t length, step;
    struct strbuf asked; /* everything that was written */
    int connections;
};

struct canned_place {
    struct canned *canned;
    size_t taken;
};

static inline int canned_write(struct stream *stream, const void *bytes, size_t length, size_t *ret,
                               struct err *err)
{
    (void)err;
    struct canned_place *place = stream->state;
    strbuf_add(&place->canned->asked, bytes, length);
    *ret = length;
    return 0;
}

static inline int canned_read(struct stream *stream, void *buffer, size_t size, size_t *ret,
                              struct err *err)
{
    (void)err;
    struct canned_place *place = stream->state;
    const struct canned *canned = place->canned;
    size_t n = canned->length - place->taken;
    n = n < size ? n : size;
    n = n < canned->step ? n : canned->step;
    memcpy(buffer, canned->answer + place->taken, n);
    place->taken += n;
    *ret = n;
    return n == 0;
}

static inline void canned_release(struct stream *stream)
{
    free(stream->state);
}

static const struct stream_layer canned_layer = {canned_write, canned_read, canned_release};

static inline int canned_connect(const void *context, const struct limit *limit,
                                 struct stream **ret, struct err *err)
{
    struct canned_place *place = calloc(1, sizeof *place);
    struct stream *stream = NULL;
    if (!place || stream_new(limit, "the canned XAPI", &stream, err) < 0) {
        free(place);
        return err_nomem(err);
    }
    place->canned = *(struct canned *const *)context;
    place->canned->connections++;
    stream->layer = &canned_layer;
    stream->state = place;
    *ret = stream;
    return 0;
}

/* `canned` must outlive the way; its address is what `context` points to. */
static inline struct rpc_way canned_way(struct canned *const *canned)
{
    return (struct rpc_way){
        .program = "test", .host = "localhost", .connect = canned_connect, .context = canned};
}
