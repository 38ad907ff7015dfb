/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * A stream over a file descriptor: the REPORT itself, or a file of a directory REPORT.
 */
#pragma once

#include "analyzer/report/budget.h"

struct file_stream {
    struct stream stream; /* first: a file_stream is a stream */
    struct budget *budget;
    char *buffer;
    int fd; /* borrowed */
};

/* `size` is the file's size, or -1 for pipes and the like, which then cannot seek. */
int file_stream_init(struct file_stream *file, int fd, int64_t size, struct budget *budget,
                     struct err *err);
void file_stream_release(struct file_stream *file);
