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

static int write_synced(int dirfd, const char *name, const void *bytes, size_t length, mode_t mode,
                        uid_t owner)
{
    if (unlinkat(dirfd, name, 0) < 0 && errno != ENOENT)
        return errno;
    CLEANUP_FD int fd =
        openat(dirfd, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, mode);
    if (fd < 0)
        return errno;
    if (owner != geteuid() && fchown(fd, owner, (gid_t)-1) < 0)
        return errno;
    if (fchmod(fd, mode) < 0) /* exactly, whatever the umask takes away */
        return errno;
    int r = -io_write_all(fd, bytes, length);
    return r == 0 && fsync(fd) < 0 ? errno : r;
}

int replace_file_of(int dirfd, const char *folder, const char *name, const void *bytes,
                    size_t length, mode_t mode, uid_t owner, struct err *err)
{
    char temporary[NAME_MAX + 1];
    int fits = snprintf(temporary, sizeof temporary, ".%s.new", name);
    if (fits < 0 || (size_t)fits >= sizeof temporary)
        return err_set(err, ERR_LIMIT, "the name '%.40s...' is too long", name);
    int r = write_synced(dirfd, temporary, bytes, length, mode, owner);
    if (r == 0 && renameat(dirfd, temporary, dirfd, name) < 0)
        r = errno;
    if (r == 0 && fsync(dirfd) < 0)
        r = errno;
    if (r == 0)
        return 0;
    unlinkat(dirfd, temporary, 0);
    return err_set_errno(err, r, "cannot write '%s/%s'", folder, name);
}

int replace_file(int dirfd, const char *folder, const char *name, const void *bytes, size_t length,
                 mode_t mode, struct err *err)
{
    return replace_file_of(dirfd, folder, name, bytes, length, mode, geteuid(), err);
}

static int split(const char *path, char folder[PATH_MAX], const char **ret_name, struct err *err)
{
    const char *slash = strrchr(path, '/');
    if (slash && slash - path >= PATH_MAX)
        return err_set(err, ERR_LIMIT, "the path '%.40s...' is too long", path);
    size_t length = slash > path ? (size_t)(slash - path) : 1;
    snprintf(folder, PATH_MAX, "%.*s", (int)length, slash ? path : ".");
    *ret_name = slash ? slash + 1 : path;
    return 0;
}

/* Root can rename over anything: /dev/null would be a file from then on, for the whole host. */
static int check_old(int dirfd, const char *name, const char *path, struct err *err)
{
    struct stat status;
    if (fstatat(dirfd, name, &status, AT_SYMLINK_NOFOLLOW) < 0 || S_ISREG(status.st_mode))
        return 0;
    return err_set(err, ERR_UNSUPPORTED, "'%s' is %s, which is not replaced: name a file", path,
                   S_ISLNK(status.st_mode)   ? "a link"
                   : S_ISDIR(status.st_mode) ? "a folder"
                                             : "a device or a pipe");
}

/* Like split(), and opens the folder; *ret_fd is -1, and errno says why, if that cannot be. */
static int open_folder(const char *path, char folder[PATH_MAX], const char **ret_name, int *ret_fd,
                       struct err *err)
{
    int r = split(path, folder, ret_name, err);
    if (r == 0)
        *ret_fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    return r;
}

int replace_check(const char *path, struct err *err)
{
    char folder[PATH_MAX];
    const char *name;
    CLEANUP_FD int dirfd = -1;
    int r = open_folder(path, folder, &name, &dirfd, err);
    if (r < 0)
        return r;
    if (dirfd < 0 || faccessat(dirfd, ".", W_OK, AT_EACCESS) < 0)
        return err_set(err, ERR_UNSUPPORTED, "'%s' is no folder that may be written to", folder);
    return *name ? check_old(dirfd, name, path, err)
                 : err_set(err, ERR_UNSUPPORTED, "'%s' is a folder: name a file in it", path);
}

int replace_path(const char *path, const void *bytes, size_t length, mode_t mode, struct err *err)
{
    char folder[PATH_MAX];
    const char *name;
    CLEANUP_FD int dirfd = -1;
    int r = open_folder(path, folder, &name, &dirfd, err);
    if (r < 0)
        return r;
    if (dirfd < 0)
        return err_set_errno(err, errno, "cannot open the folder '%s'", folder);
    r = check_old(dirfd, name, path, err);
    return r < 0 ? r : replace_file(dirfd, folder, name, bytes, length, mode, err);
}

int replace_remove(int dirfd, const char *folder, const char *name, struct err *err)
{
    if (unlinkat(dirfd, name, 0) < 0 && errno != ENOENT)
        return err_set_errno(err, errno, "cannot remove '%s/%s'", folder, name);
    return fsync(dirfd) == 0 ? 0 : err_set_errno(err, errno, "cannot sync '%s'", folder);
}
