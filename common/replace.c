/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * The temporary file is opened without following links and must be new: in a folder that others
 * may write to, nobody leads us to another file.
 */
#include "common/replace.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <sys/stat.h>

#include "common/io.h"

static int write_synced(int dirfd, const char *name, const void *bytes, size_t length, mode_t mode)
{
    if (unlinkat(dirfd, name, 0) < 0 && errno != ENOENT)
        return errno;
    CLEANUP_FD int fd =
        openat(dirfd, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, mode);
    if (fd < 0)
        return errno;
    if (fchmod(fd, mode) < 0) /* exactly, whatever the umask takes away */
        return errno;
    int r = -io_write_all(fd, bytes, length);
    return r == 0 && fsync(fd) < 0 ? errno : r;
}

int replace_file(int dirfd, const char *folder, const char *name, const void *bytes, size_t length,
                 mode_t mode, struct err *err)
{
    char temporary[NAME_MAX + 1];
    int fits = snprintf(temporary, sizeof temporary, ".%s.new", name);
    if (fits < 0 || (size_t)fits >= sizeof temporary)
        return err_set(err, ERR_LIMIT, "the name '%.40s...' is too long", name);
    int r = write_synced(dirfd, temporary, bytes, length, mode);
    if (r == 0 && renameat(dirfd, temporary, dirfd, name) < 0)
        r = errno;
    if (r == 0 && fsync(dirfd) < 0)
        r = errno;
    if (r == 0)
        return 0;
    unlinkat(dirfd, temporary, 0);
    return err_set_errno(err, r, "cannot write '%s/%s'", folder, name);
}

int replace_path(const char *path, const void *bytes, size_t length, mode_t mode, struct err *err)
{
    const char *slash = strrchr(path, '/');
    const char *name = slash ? slash + 1 : path;
    char folder[PATH_MAX] = ".";
    if (slash && (size_t)(slash - path) >= sizeof folder)
        return err_set(err, ERR_LIMIT, "the path '%.40s...' is too long", path);
    if (slash)
        snprintf(folder, sizeof folder, "%.*s", slash == path ? 1 : (int)(slash - path), path);
    CLEANUP_FD int dirfd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (dirfd < 0)
        return err_set_errno(err, errno, "cannot open the folder '%s'", folder);
    return replace_file(dirfd, folder, name, bytes, length, mode, err);
}

int replace_remove(int dirfd, const char *folder, const char *name, struct err *err)
{
    if (unlinkat(dirfd, name, 0) < 0 && errno != ENOENT)
        return err_set_errno(err, errno, "cannot remove '%s/%s'", folder, name);
    return fsync(dirfd) == 0 ? 0 : err_set_errno(err, errno, "cannot sync '%s'", folder);
}
