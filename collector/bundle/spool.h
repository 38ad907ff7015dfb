/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * Files without a name: they are gone when they are closed, or when the program dies.
 */
#pragma once

#include "common/err.h"

/*
 * Makes an unnamed file in the directory, mode 0600, for reading and writing. Where the file system
 * has no O_TMPFILE the file has a name for an instant.
 */
int spool_open(int dirfd, int *ret, struct err *err);

/*
 * The text for errno `sysno` of a file in this directory; for a full disk it says what to do.
 * Returns a code.
 */
int spool_fail(int dirfd, int sysno, struct err *err);

/* The name of an open directory, for people. Returns `buffer`. */
const char *spool_directory_name(int dirfd, char *buffer, size_t size);

/*
 * Makes a new file under a name nobody else has, mode 0600: "prefix" and 16 random hexadecimal
 * digits. Returns the descriptor or -errno; `name` needs room for the prefix and 17 bytes.
 */
int spool_create_named(int dirfd, const char *prefix, char *name, size_t size);
