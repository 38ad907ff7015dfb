/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * A file's bytes that any thread can get at: a part of a file descriptor, read with pread(2), plain
 * or deflated. Members of zip files, and files of a directory REPORT.
 */
#pragma once

#include "analyzer/report/budget.h"

#define RANGE_TO_END (-1)

struct range {
    int fd;         /* borrowed */
    int64_t offset; /* of the first byte */
    int64_t length; /* in the file, or RANGE_TO_END */
    bool is_member; /* of a zip file: its sum and size are known */
    bool is_deflated;
    int64_t unpacked;
    uint32_t crc;
};

struct range_stream;

int range_stream_new(const struct range *range, struct budget *budget, struct range_stream **ret,
                     struct err *err);
void *range_stream_free(struct range_stream *ranged);
struct stream *range_stream_data(struct range_stream *ranged);
