/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * A small file that is either the old or the new one, whatever happens meanwhile: written under a
 * temporary name beside, synced, renamed, and the folder synced.
 */
#pragma once

#include <sys/types.h>

#include "common/err.h"

/*
 * `folder` is what errors name, `dirfd` the same folder, open; `name` has no slash. The temporary
 * name is ".NAME.new": one writer at a time, and what a killed one left is written over. `mode`
 * counts whatever the umask is.
 */
int replace_file(int dirfd, const char *folder, const char *name, const void *bytes, size_t length,
                 mode_t mode, struct err *err);

/* The same, and the new file belongs to `owner`: any other than the caller takes root. */
int replace_file_of(int dirfd, const char *folder, const char *name, const void *bytes,
                    size_t length, mode_t mode, uid_t owner, struct err *err);

/*
 * The same for any path that a person gives. ERR_UNSUPPORTED: what has that name is no file (a
 * device, a link, a folder), and stays.
 */
int replace_path(const char *path, const void *bytes, size_t length, mode_t mode, struct err *err);

/*
 * Whether replace_path() could write there, as far as that can be told without trying.
 * ERR_UNSUPPORTED: `path` is no file, or its folder is none or may not be written to; ERR_LIMIT.
 */
int replace_check(const char *path, struct err *err);

/* Removes the file for good: synced, too. One that is not there is no error. */
int replace_remove(int dirfd, const char *folder, const char *name, struct err *err);
