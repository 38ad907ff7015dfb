/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * Bytes on their way out of a report, pulled block by block: a file, an archive's member, a
 * decompressor on top of either. Archives inside archives are streams on streams, so that nothing
 * is unpacked anywhere.
 */
#pragma once

#include <stdint.h>

#include "analyzer/report/report.h"
#include "common/compiler.h"

/*
 * Why a stream or an archive gave up. One failure deep down makes every stream above it fail too;
 * `origin` leads back to it, so that it is told to the user once.
 */
struct failure {
    bool failed;
    bool reported;
    enum problem_kind kind;
    char text[320];
    struct failure *origin; /* borrowed: lives as long as what is below this stream */
};

/* The first failure wins. Always returns -1. */
int failure_set(struct failure *failure, enum problem_kind kind, const char *format, ...)
    PRINTF_LIKE(3, 4);

/* Takes over the failure of the stream below. Always returns -1. */
int failure_inherit(struct failure *failure, struct failure *origin);

/* True for the first caller who asks about this failure or one it comes from. */
bool failure_claim_report(struct failure *failure);

struct stream;

struct stream_ops {
    /* Length of the next block, 0 at the end, -1 with `failure` set. The block is valid until the
     * next call. */
    int64_t (*read)(struct stream *stream, const char **bytes);
    /* Optional, as lseek(2): the new offset or -1. */
    int64_t (*seek)(struct stream *stream, int64_t offset, int whence);
};

struct stream {
    const struct stream_ops *ops;
    struct failure failure;
};

static inline int64_t stream_read(struct stream *stream, const char **bytes)
{
    return stream->ops->read(stream, bytes);
}
