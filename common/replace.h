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

/* The same, and the file belongs to `owner`; what that is not (yet) needs root. */
int replace_file_of(int dirfd, const char *folder, const char *name, const void *bytes,
                    size_t length, mode_t mode, uid_t owner, struct err *err);

/*
 * The same for any path that a person gives. ERR_UNSUPPORTED: what has that name is no file (a
 * device, a link, a folder), and stays.
 */
int replace_path(const char *path, const void *bytes, size_t length, mode_t mode, struct err *err);

/* Could replace_path() do it, as far as that can be told before? ERR_UNSUPPORTED, ERR_LIMIT. */
int replace_check(const char *path, struct err *err);

/* Removes the file for good: synced, too. One that is not there is no error. */
int replace_remove(int dirfd, const char *folder, const char *name, struct err *err);
