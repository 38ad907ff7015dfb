/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * The look is on the open folder: what is done there later cannot be led elsewhere.
 *
 * A secret on a tmpfs leaves no trace on a disk. Elsewhere overwriting before removing is the best
 * that can be done.
 */
#include "healthcheck/enroll/folder.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sys/stat.h>

#include "common/io.h"
#include "common/replace.h"

#define ROOM ((size_t)256 << 10) /* more than is ever read, and than io_read_file() asks for */

static void make_parent(const char *path, mode_t mode)
{
    char parent[PATH_MAX];
    const char *slash = strrchr(path, '/');
    if (!slash || slash == path || (size_t)(slash - path) >= sizeof parent)
        return;
    snprintf(parent, sizeof parent, "%.*s", (int)(slash - path), path);
    mkdir(parent, mode | S_IXGRP | S_IXOTH); /* others may pass; what fails shows in the folder */
}

int folder_open(const char *path, mode_t mode, int *ret, struct err *err)
{
    struct stat status;
    make_parent(path, mode);
    if (mkdir(path, mode) < 0 && errno != EEXIST)
        return err_set_errno(err, errno, "cannot make the folder '%s'", path);
    CLEANUP_FD int fd = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (fd < 0 || fstat(fd, &status) < 0)
        return err_set_errno(err, errno, "cannot open the folder '%s'", path);
    if ((status.st_uid != geteuid() && status.st_uid != 0) || (status.st_mode & 0777 & ~mode))
        return err_set(err, ERR_DENIED,
                       "the folder '%s' is open to others: chown it to root and chmod %o it", path,
                       (unsigned)mode);
    *ret = fd;
    fd = -1;
    return 0;
}

int folder_wipe(int dirfd, const char *folder, const char *name, struct err *err)
{
    static const char blank[4096];
    struct stat status;
    CLEANUP_FD int fd = openat(dirfd, name, O_WRONLY | O_NOFOLLOW | O_CLOEXEC);
    int64_t left = fd >= 0 && fstat(fd, &status) == 0 ? status.st_size : 0;
    for (; left > 0; left -= (int64_t)sizeof blank)
        if (io_write_all(fd, blank, left < (int64_t)sizeof blank ? (size_t)left : sizeof blank) < 0)
            break; /* it is removed all the same */
    if (fd >= 0)
        fsync(fd);
    return replace_remove(dirfd, folder, name, err);
}

int folder_reserve(struct strbuf *text, struct err *err)
{
    return strbuf_reserve(text, ROOM) ? 0 : err_nomem(err);
}

int folder_read(int dirfd, const char *name, size_t maximum, struct strbuf *text, struct err *err)
{
    int r = folder_reserve(text, err);
    return r == 0 ? io_read_file(dirfd, name, maximum, text, err) : r;
}
