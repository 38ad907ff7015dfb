/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * Reading a file descriptor in large blocks.
 *
 * Plain read() and no mapping: a report may lie on a failing disk or be cut while we read it, and a
 * fault in mapped memory would kill the program.
 */
#include "analyzer/report/file_stream.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Large enough that system calls do not show in a profile. */
#define BLOCK_SIZE (256 * 1024)

static int64_t file_read(struct stream *stream, const char **bytes)
{
    struct file_stream *file = (struct file_stream *)stream;
    ssize_t n;
    do {
        n = read(file->fd, file->buffer, BLOCK_SIZE);
    } while (n < 0 && errno == EINTR);
    if (n < 0)
        return failure_set(&stream->failure, PROBLEM_DAMAGED, "reading its file failed: %s",
                           strerror(errno));
    budget_consume(file->budget, n);
    *bytes = file->buffer;
    return n;
}

static int64_t file_seek(struct stream *stream, int64_t offset, int whence)
{
    struct file_stream *file = (struct file_stream *)stream;
    return lseek(file->fd, offset, whence);
}

static const struct stream_ops seekable_file_ops = {.read = file_read, .seek = file_seek};
static const struct stream_ops pipe_ops = {.read = file_read};

int file_stream_init(struct file_stream *file, int fd, int64_t size, struct budget *budget,
                     struct err *err)
{
    char *buffer = malloc(BLOCK_SIZE);
    if (!buffer)
        return err_nomem(err);
    *file = (struct file_stream){
        .stream = {.ops = size >= 0 ? &seekable_file_ops : &pipe_ops},
        .budget = budget,
        .buffer = buffer,
        .fd = fd,
    };
    return 0;
}

void file_stream_release(struct file_stream *file)
{
    free(file->buffer);
    file->buffer = NULL;
}
