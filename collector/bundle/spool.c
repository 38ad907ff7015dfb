/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * Temporary files by descriptor. Names are made of the kernel's random numbers and created
 * exclusively, so a planted link or file is never opened.
 */
#include "collector/bundle/spool.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/random.h>
#include <sys/statvfs.h>

#include "common/io.h"

#define SPOOL_PREFIX ".xen-bugtool-spool-"
#define ATTEMPTS     8 /* 64 random bits do not clash twice; this is for a broken random source */

const char *spool_directory_name(int dirfd, char *buffer, size_t size)
{
    char link[40];
    snprintf(link, sizeof link, "/proc/self/fd/%d", dirfd);
    ssize_t length = readlink(link, buffer, size - 1);
    if (length > 0)
        buffer[length] = '\0';
    else
        snprintf(buffer, size, "the spool directory");
    return buffer;
}

int spool_fail(int dirfd, int sysno, struct err *err)
{
    char name[256];
    spool_directory_name(dirfd, name, sizeof name);
    struct statvfs space;
    if (sysno == ENOSPC && fstatvfs(dirfd, &space) == 0 && space.f_files && !space.f_favail)
        return err_set_errno(
            err, sysno, "'%s' has no free inodes: remove some files there or use --outdir", name);
    if (sysno == ENOSPC || sysno == EDQUOT)
        return err_set_errno(err, sysno, "'%s' is full: free some space or use --outdir", name);
    return err_set_errno(err, sysno, "cannot make a file in '%s'; choose another folder with --outdir",
                         name);
}

int spool_create_named(int dirfd, const char *prefix, char *name, size_t size)
{
    for (int i = 0; i < ATTEMPTS; i++) {
        uint64_t number;
        if (getrandom(&number, sizeof number, GRND_NONBLOCK) != (ssize_t)sizeof number)
            number = (uint64_t)io_now_ms() << 20 ^ (uint64_t)getpid(); /* O_EXCL still protects */
        snprintf(name, size, "%s%016llx", prefix, (unsigned long long)number);
        int fd = openat(dirfd, name, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
        if (fd >= 0)
            return fd;
        if (errno != EEXIST)
            break;
    }
    return -errno;
}

int spool_open(int dirfd, int *ret, struct err *err)
{
    int fd = openat(dirfd, ".", O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
    if (fd < 0 && (errno == EOPNOTSUPP || errno == EISDIR || errno == EINVAL)) {
        char name[64];
        fd = spool_create_named(dirfd, SPOOL_PREFIX, name, sizeof name);
        if (fd >= 0)
            unlinkat(dirfd, name, 0);
        else
            errno = -fd;
    }
    if (fd < 0)
        return spool_fail(dirfd, errno, err);
    *ret = fd;
    return 0;
}
