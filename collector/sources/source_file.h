/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * Reads one file into a sink: at most its limit, and of what is over it the end of a real file (the
 * newest lines of a log) or the beginning of a kernel file, which has no end to seek to.
 */
#pragma once

#include <stdatomic.h>

#include "collector/sources/mounts.h"
#include "collector/sources/outcome.h"
#include "collector/sources/read_watch.h"
#include "common/err.h"

/* Takes bytes on their way to the archive. */
typedef int (*source_sink)(void *context, const void *bytes, size_t length, struct err *err);

struct file_request {
    int root_fd;
    const char *root;             /* absolute path of root_fd */
    const char *path;             /* absolute, below the root */
    int64_t limit;                /* bytes; -1: none */
    const struct mounts *avoid;   /* NULL: in a child, anything may be read */
    struct read_watch *watch;     /* NULL: nobody watches */
    const atomic_bool *cancelled; /* NULL: never */
};

/*
 * Fills *outcome whatever happens, and *ret_modified (epoch seconds) when the file was there.
 * Returns a failure of the sink, ERR_CANCELLED (also when the watch gave it up before the end), or
 * ERR_UNSUPPORTED when the file must be read in a child; else 0.
 */
int source_read_file(const struct file_request *request, source_sink sink, void *context,
                     struct outcome *outcome, int64_t *ret_modified, struct err *err);
