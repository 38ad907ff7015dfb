/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * Opening a file as root without being led elsewhere.
 *
 * The path is walked component by component below a root, no component is followed by the kernel,
 * and a symbolic link is followed only when nobody but root (or ourselves) could have put it there.
 * Only regular files come out; FIFOs, sockets and devices are refused without blocking. (Source of
 * the musts: CVE-2015-5287, CVE-2021-25684 and their relatives in other collectors.)
 */
#pragma once

#include <sys/stat.h>

#include "collector/sources/mounts.h"
#include "collector/sources/read_watch.h"
#include "common/err.h"

/*
 * Opens `path` (absolute) below the directory `root_fd`. `root` is that directory's own absolute
 * path.
 *
 * With `avoid`, the walk stops before it touches a risky mount and returns ERR_UNSUPPORTED: do it
 * in a child. ERR_NOTFOUND: not there. ERR_DENIED: no permission, not a regular file, an untrusted
 * link, on the deny list.
 *
 * `watch` (or NULL) is told which mount is touched; only with `avoid`.
 */
int safe_open(int root_fd, const char *root, const char *path, const struct mounts *avoid,
              struct read_watch *watch, int *ret_fd, struct stat *ret_stat, struct err *err);
