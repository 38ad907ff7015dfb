/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * The order is everything: data to the disk, then the name, then the directory to the disk. A
 * failed fsync is final, since the kernel forgets about pages it could not write: the file is
 * dropped, never synced again.
 */
#include "collector/bundle/publish.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#include "collector/bundle/reservation.h"
#include "collector/bundle/spool.h"
#include "common/io.h"

#define PART_PREFIX   HIDDEN_PREFIX "part-"
#define PART_ATTEMPTS 16 /* each costs another run that tidies up just then */
#ifndef RENAME_NOREPLACE
#define RENAME_NOREPLACE 1
#endif

struct publication {
    char *directory, *name;
    int dirfd, fd;
    char part[64]; /* the temporary name, or empty */
    struct reservation reservation;
};

static int open_directory(struct publication *p, struct err *err)
{
    p->dirfd = open(p->directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (p->dirfd < 0)
        return err_set_errno(err, errno, "cannot use the output directory '%s'", p->directory);
    struct stat status;
    if (fstat(p->dirfd, &status) < 0)
        return err_set_errno(err, errno, "cannot examine '%s'", p->directory);
    if (status.st_uid != 0 && status.st_uid != geteuid())
        return err_set(err, ERR_DENIED,
                       "'%s' belongs to another user, who could replace the archive; use --outdir",
                       p->directory);
    if ((status.st_mode & (S_IWGRP | S_IWOTH)) && !(status.st_mode & S_ISVTX))
        return err_set(err, ERR_DENIED,
                       "others may write to '%s' and could replace the archive; chmod go-w it, or "
                       "use --outdir",
                       p->directory);
    return 0;
}

/* Removes what killed runs left: hidden files that nobody holds a lock on. */
static void remove_leftovers(int dirfd)
{
    int fd = openat(dirfd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    CLEANUP_DIR DIR *list = fd < 0 ? NULL : fdopendir(fd);
    if (!list && fd >= 0)
        close(fd);
    for (struct dirent *entry; list && (entry = readdir(list));) {
        if (strncmp(entry->d_name, HIDDEN_PREFIX, strlen(HIDDEN_PREFIX)) != 0)
            continue;
        CLEANUP_FD int part =
            openat(dirfd, entry->d_name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
        struct stat status;
        if (part >= 0 && fstat(part, &status) == 0 && S_ISREG(status.st_mode) &&
            status.st_uid == geteuid() && flock(part, LOCK_EX | LOCK_NB) == 0)
            unlinkat(dirfd, entry->d_name, 0);
    }
}

/*
 * The lock tells other runs that this part is alive; one of them may have tidied it up before it
 * was there. A file system without locks does without.
 */
static int open_part(struct publication *p, struct err *err)
{
    for (int i = 0; i < PART_ATTEMPTS; i++) {
        struct stat status;
        int fd = spool_create_named(p->dirfd, PART_PREFIX, p->part, sizeof p->part);
        if (fd < 0) {
            p->part[0] = '\0';
            return spool_fail(p->dirfd, -fd, err);
        }
        flock(fd, LOCK_EX | LOCK_NB);
        if (fstat(fd, &status) == 0 && status.st_nlink > 0) {
            p->fd = fd;
            return 0;
        }
        close(fd);
    }
    p->part[0] = '\0';
    return err_set(err, ERR_IO, "temporary files in '%s' vanish", p->directory);
}

static int open_file(struct publication *p, bool unnamed, struct err *err)
{
    struct stat status;
    remove_leftovers(p->dirfd);
    int r = reservation_take(p->dirfd, p->name, &p->reservation, err);
    if (r < 0)
        return r;
    if (fstatat(p->dirfd, p->name, &status, AT_SYMLINK_NOFOLLOW) == 0)
        return err_set(err, ERR_EXISTS, "'%s/%s' exists already: remove it, or use --outdir",
                       p->directory, p->name);
    if (unnamed)
        p->fd = openat(p->dirfd, ".", O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
    if (p->fd < 0 && unnamed && errno != EOPNOTSUPP && errno != EISDIR && errno != EINVAL)
        return spool_fail(p->dirfd, errno, err);
    r = p->fd < 0 ? open_part(p, err) : 0;
    if (r == 0 && fchmod(p->fd, 0600) < 0)
        r = err_set_errno(err, errno, "cannot make the archive in '%s' private", p->directory);
    return r;
}

int publication_open(const char *directory, const char *name, bool unnamed,
                     struct publication **ret, struct err *err)
{
    if (!*name || strchr(name, '/') || name[0] == '.')
        return err_set(err, ERR_USAGE, "'%s' cannot be the name of an archive", name);
    struct publication *p = calloc(1, sizeof *p);
    if (!p)
        return err_nomem(err);
    p->dirfd = p->fd = -1;
    p->reservation = (struct reservation)RESERVATION_INIT;
    p->directory = strdup(directory);
    p->name = strdup(name);
    int r = p->directory && p->name ? open_directory(p, err) : err_nomem(err);
    if (r == 0)
        r = open_file(p, unnamed, err);
    if (r < 0) {
        publication_discard(p);
        return r;
    }
    *ret = p;
    return 0;
}

int publication_fd(const struct publication *publication)
{
    return publication->fd;
}

const char *publication_directory(const struct publication *publication)
{
    return publication->directory;
}

void *publication_discard(struct publication *p)
{
    if (!p)
        return NULL;
    if (p->part[0])
        unlinkat(p->dirfd, p->part, 0);
    reservation_release(&p->reservation);
    io_close(&p->fd);
    io_close(&p->dirfd);
    free(p->directory);
    free(p->name);
    free(p);
    return NULL;
}

/* 0 or errno. */
static int name_unnamed(const struct publication *p)
{
    /* By descriptor it takes a capability, by way of /proc it takes /proc. */
    if (linkat(p->fd, "", p->dirfd, p->name, AT_EMPTY_PATH) == 0)
        return 0;
    if (errno == EEXIST)
        return errno;
    char path[40];
    snprintf(path, sizeof path, "/proc/self/fd/%d", p->fd);
    return linkat(AT_FDCWD, path, p->dirfd, p->name, AT_SYMLINK_FOLLOW) == 0 ? 0 : errno;
}

/* 0 or errno. Never replaces anything. */
static int name_part(struct publication *p)
{
    if (syscall(SYS_renameat2, p->dirfd, p->part, p->dirfd, p->name, RENAME_NOREPLACE) == 0) {
        p->part[0] = '\0';
        return 0;
    }
    if (errno != ENOSYS && errno != EINVAL)
        return errno;
    /* Not on this file system: a second name, and publication_discard() removes the first. */
    return linkat(p->dirfd, p->part, p->dirfd, p->name, 0) == 0 ? 0 : errno;
}

/* Callers look for the archive by its path: it must lead to the folder that holds it. */
static int check_folder(const struct publication *p, struct err *err)
{
    struct stat held, named;
    if (fstat(p->dirfd, &held) == 0 && stat(p->directory, &named) == 0 &&
        held.st_dev == named.st_dev && held.st_ino == named.st_ino)
        return 0;
    return err_set(err, ERR_IO,
                   "'%s' was removed or replaced while the archive was written: leave it in place, "
                   "or use --outdir",
                   p->directory);
}

static int commit(struct publication *p, struct err *err)
{
    int r = check_folder(p, err);
    if (r < 0)
        return r;
    if (fdatasync(p->fd) < 0)
        return err_set_errno(err, errno, "cannot bring the archive in '%s' to the disk",
                             p->directory);
    int sysno = p->part[0] ? name_part(p) : name_unnamed(p);
    if (sysno != 0)
        return err_set_errno(err, sysno, "cannot name the archive '%s/%s'", p->directory, p->name);
    int fd = p->fd;
    p->fd = -1;
    /* EINVAL: a file system whose directories cannot be synced; there is nothing better on it. */
    if (close(fd) == 0 && (fsync(p->dirfd) == 0 || errno == EINVAL))
        return 0;
    sysno = errno;
    unlinkat(p->dirfd, p->name, 0);
    return err_set_errno(err, sysno, "cannot make the name '%s/%s' durable", p->directory, p->name);
}

int publication_commit(struct publication *publication, struct err *err)
{
    int r = commit(publication, err);
    publication_discard(publication);
    return r;
}
