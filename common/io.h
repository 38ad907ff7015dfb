/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * Small helpers around file descriptors: whole reads with a limit, whole writes, cleanups.
 */
#pragma once

#include <dirent.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <unistd.h>

#include "common/err.h"
#include "common/strbuf.h"

/* Cleanups: close what is open, ignore what is not (-1, NULL). */
void io_close(int *fd);
void io_fclose(FILE **file);
void io_closedir(DIR **directory);
void io_free(void *pointer_to_pointer); /* frees *(void **)argument */

#define CLEANUP_FD   CLEANUP(io_close)
#define CLEANUP_FILE CLEANUP(io_fclose)
#define CLEANUP_DIR  CLEANUP(io_closedir)
#define CLEANUP_FREE CLEANUP(io_free)

/* Writes all bytes, over short writes and EINTR. 0, or -errno. */
int io_write_all(int fd, const void *bytes, size_t length) MUST_USE;

/* Appends everything fd still has, ERR_LIMIT beyond `maximum` bytes. `name` is for the error text.
 */
int io_read_all(int fd, size_t maximum, struct strbuf *buffer, const char *name, struct err *err);

/* The same for a path (relative to dirfd or AT_FDCWD). Only regular files are read; never blocks on
 * a FIFO. */
int io_read_file(int dirfd, const char *path, size_t maximum, struct strbuf *buffer,
                 struct err *err);

/*
 * For the start of a program: a standard descriptor that its caller closed would go to the next file
 * opened, which then takes what is meant for a terminal. Such a one is held by a file that fails
 * whoever reads (0) or writes (1, 2).
 */
void io_hold_standard(void);

/* Monotonic clock in milliseconds: for durations and deadlines, untouched by clock changes. */
int64_t io_now_ms(void);
