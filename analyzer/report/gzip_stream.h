/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * A stream that decompresses gzip from another stream and checks its sums. For rotated logs.
 */
#pragma once

#include "analyzer/report/budget.h"

struct gzip_stream;

/* `input` is borrowed and must outlive the stream. */
int gzip_stream_new(struct stream *input, struct budget *budget, struct gzip_stream **ret,
                    struct err *err);
void *gzip_stream_free(struct gzip_stream *gzip);
struct stream *gzip_stream_data(struct gzip_stream *gzip);
