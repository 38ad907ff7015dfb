/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * The walk keeps the text of what is resolved so far and of what is still to do. A trusted link's
 * target goes in front of the rest; `..` takes the last component off and the walk of the resolved
 * part begins anew, which by then has no links. openat2() would do this in one call, but dom0
 * kernels (4.19) do not have it.
 */
#include "collector/sources/safe_open.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>

#include "collector/sources/deny.h"
#include "common/io.h"

#define MAX_LINKS 40 /* as the kernel */

struct walk {
    int root_fd;
    const char *root;
    const struct mounts *avoid;
    struct read_watch *watch;
    char resolved[PATH_MAX]; /* absolute below the root, "" at the root, no links in it */
    char rest[PATH_MAX];     /* still to do, without a leading slash */
    int fd;                  /* directory `resolved`, O_PATH */
    struct stat directory;   /* of fd */
    int links;
};

static int open_error(int sysno, const char *path, struct err *err)
{
    if (sysno == ENOENT || sysno == ENOTDIR)
        return err_set(err, ERR_NOTFOUND, "'%s' does not exist", path);
    if (sysno == ELOOP)
        return err_set(err, ERR_DENIED, "'%s' became a symbolic link while it was opened", path);
    return err_set_errno(err, sysno, "cannot open '%s'", path);
}

/* Whether someone else could have put something into the directory. */
static bool is_trusted_directory(const struct stat *directory)
{
    bool ours = directory->st_uid == 0 || directory->st_uid == geteuid();
    return ours && !(directory->st_mode & S_IWOTH);
}

/*
 * A second name for somebody else's file. Who may write to the folder may have made it, to have
 * root read what only root can (where the kernel does not forbid such links).
 */
static bool could_be_planted(const struct stat *directory, const struct stat *file)
{
    if (file->st_nlink < 2)
        return false;
    bool by_group = (directory->st_mode & S_IWGRP) && directory->st_gid != 0;
    return (directory->st_mode & S_IWOTH) || by_group ||
           (!is_trusted_directory(directory) && file->st_uid != directory->st_uid);
}

/*
 * Files of debugfs that nobody may read are for writing, or closed by the kernel's lockdown, which
 * complains about root trying (source: the original leaves them out too).
 */
static bool is_closed_by_kernel(const char *path, const struct stat *file)
{
    return !(file->st_mode & 0444) && strncmp(path, "/sys/kernel/debug/", 18) == 0;
}

static int check_avoided(const struct walk *walk, const char *component, struct err *err)
{
    char path[2 * PATH_MAX + NAME_MAX];
    if (!walk->avoid)
        return 0;
    snprintf(path, sizeof path, "%s%s/%s", strcmp(walk->root, "/") == 0 ? "" : walk->root,
             walk->resolved, component);
    const struct mount *mount = mounts_find(walk->avoid, path);
    if (walk->watch)
        atomic_store(&walk->watch->mount, mount);
    return mount_is_risky(mount)
               ? err_set(err, ERR_UNSUPPORTED, "'%s' lies on a file system that may block", path)
               : 0;
}

static int enter_root(struct walk *walk, struct err *err)
{
    io_close(&walk->fd);
    walk->fd = fcntl(walk->root_fd, F_DUPFD_CLOEXEC, 3);
    if (walk->fd < 0 || fstat(walk->fd, &walk->directory) < 0)
        return err_set_errno(err, errno, "cannot look at the root folder '%s'", walk->root);
    walk->resolved[0] = '\0';
    return 0;
}

/* Puts the text before what is still to do. */
static int prepend(struct walk *walk, const char *text, struct err *err)
{
    char joined[2 * PATH_MAX];
    int length =
        snprintf(joined, sizeof joined, "%s%s%s", text, walk->rest[0] ? "/" : "", walk->rest);
    if (length >= PATH_MAX)
        return err_set(err, ERR_LIMIT, "the path is longer than %d bytes", PATH_MAX);
    memcpy(walk->rest, joined, (size_t)length + 1);
    return 0;
}

static int go_up(struct walk *walk, struct err *err)
{
    char *slash = strrchr(walk->resolved, '/');
    if (slash)
        *slash = '\0';
    int r = prepend(walk, walk->resolved[0] ? walk->resolved + 1 : "", err);
    if (r < 0)
        return r;
    return enter_root(walk, err);
}

static int follow(struct walk *walk, int link_fd, const struct stat *link, const char *name,
                  struct err *err)
{
    bool ours = link->st_uid == 0 || link->st_uid == geteuid();
    if (!ours || !is_trusted_directory(&walk->directory))
        return err_set(err, ERR_DENIED, "'%s/%s' is a symbolic link that others could have made",
                       walk->resolved, name);
    if (++walk->links > MAX_LINKS)
        return err_set(err, ERR_DENIED, "'%s/%s' leads through too many symbolic links",
                       walk->resolved, name);
    char target[PATH_MAX];
    ssize_t length = readlinkat(link_fd, "", target, sizeof target - 1);
    if (length < 0)
        return open_error(errno, name, err);
    target[length] = '\0';
    int r = prepend(walk, target, err);
    return r == 0 && target[0] == '/' ? enter_root(walk, err) : r;
}

static int descend(struct walk *walk, int *child_fd, const struct stat *child, const char *name,
                   struct err *err)
{
    size_t used = strlen(walk->resolved);
    if (used + strlen(name) + 2 > sizeof walk->resolved)
        return err_set(err, ERR_LIMIT, "the path is longer than %d bytes", PATH_MAX);
    snprintf(walk->resolved + used, sizeof walk->resolved - used, "/%s", name);
    io_close(&walk->fd);
    walk->fd = *child_fd;
    *child_fd = -1;
    walk->directory = *child;
    return 0;
}

/* Takes the next component off the rest. */
static int next_component(struct walk *walk, char *name, struct err *err)
{
    size_t skip = strspn(walk->rest, "/");
    size_t length = strcspn(walk->rest + skip, "/");
    if (length > NAME_MAX)
        return err_set(err, ERR_NOTFOUND, "a name in the path is longer than %d bytes", NAME_MAX);
    memcpy(name, walk->rest + skip, length);
    name[length] = '\0';
    skip += length;
    skip += strspn(walk->rest + skip, "/");
    memmove(walk->rest, walk->rest + skip, strlen(walk->rest + skip) + 1);
    return 0;
}

/* The last component: a regular file, opened for reading and the same as was looked at. */
static int open_file(const struct walk *walk, const char *name, const struct stat *seen,
                     int *ret_fd, struct stat *ret_stat, struct err *err)
{
    char path[2 * PATH_MAX];
    snprintf(path, sizeof path, "%s/%s", walk->resolved, name);
    if (!S_ISREG(seen->st_mode))
        return err_set(err, ERR_DENIED, "'%s' is no regular file", path);
    if (could_be_planted(&walk->directory, seen))
        return err_set(err, ERR_DENIED, "'%s' is a hard link that others could have made", path);
    if (is_closed_by_kernel(path, seen))
        return err_set(err, ERR_DENIED, "'%s' is closed: nobody may read it", path);
    const char *denied = deny_reason(path);
    if (denied)
        return err_set(err, ERR_DENIED, "'%s' is never read: %s", path, denied);
    int fd = openat(walk->fd, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
    if (fd < 0)
        return open_error(errno, path, err);
    if (fstat(fd, ret_stat) < 0 || !S_ISREG(ret_stat->st_mode) ||
        ret_stat->st_ino != seen->st_ino || ret_stat->st_dev != seen->st_dev) {
        close(fd);
        return err_set(err, ERR_DENIED, "'%s' was replaced while it was opened", path);
    }
    *ret_fd = fd;
    return 0;
}

static int step(struct walk *walk, int *ret_fd, struct stat *ret_stat, struct err *err)
{
    char name[NAME_MAX + 1];
    int r = next_component(walk, name, err);
    if (r < 0)
        return r;
    if (name[0] == '\0' || strcmp(name, ".") == 0)
        return 0;
    if (strcmp(name, "..") == 0)
        return go_up(walk, err);
    r = check_avoided(walk, name, err);
    if (r < 0)
        return r;
    CLEANUP_FD int fd = openat(walk->fd, name, O_PATH | O_NOFOLLOW | O_CLOEXEC);
    struct stat seen;
    if (fd < 0 || fstat(fd, &seen) < 0)
        return open_error(errno, name, err);
    if (S_ISLNK(seen.st_mode))
        return follow(walk, fd, &seen, name, err);
    if (walk->rest[0])
        return descend(walk, &fd, &seen, name, err);
    return open_file(walk, name, &seen, ret_fd, ret_stat, err);
}

int safe_open(int root_fd, const char *root, const char *path, const struct mounts *avoid,
              struct read_watch *watch, int *ret_fd, struct stat *ret_stat, struct err *err)
{
    struct walk walk = {.root_fd = root_fd, .root = root, .avoid = avoid, .watch = watch, .fd = -1};
    int fd = -1;
    struct stat opened;
    int r = prepend(&walk, path, err);
    if (r == 0)
        r = enter_root(&walk, err);
    while (r == 0 && fd < 0) {
        if (!walk.rest[0])
            r = err_set(err, ERR_DENIED, "'%s' is a folder", path);
        else
            r = step(&walk, &fd, &opened, err);
    }
    io_close(&walk.fd);
    if (r < 0)
        return r;
    *ret_fd = fd;
    *ret_stat = opened;
    return 0;
}
