/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * close_range() is Linux 5.9, and dom0 may have 4.19: there /proc/self/fd is walked, and without
 * /proc the first thousand numbers are tried.
 */
#include "collector/process/descriptors.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdbool.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#include "common/io.h"
#include "common/units.h"

#define BLIND_LIMIT 1024 /* the usual RLIMIT_NOFILE; nobody has opened more this early in a run */

static bool is_directory(int fd)
{
    struct stat status;
    return fstat(fd, &status) == 0 && S_ISDIR(status.st_mode);
}

static void close_each(int first, bool keep_directories, int keep)
{
    CLEANUP_DIR DIR *list = opendir("/proc/self/fd");
    if (!list) {
        for (int fd = first; fd < BLIND_LIMIT; fd++)
            if (fd != keep && !(keep_directories && is_directory(fd)))
                close(fd);
        return;
    }
    for (struct dirent *entry; (entry = readdir(list));) {
        int64_t fd;
        if (!units_integer(entry->d_name, &fd) || fd < first || fd == keep || fd == dirfd(list))
            continue;
        if (!(keep_directories && is_directory((int)fd)))
            close((int)fd);
    }
}

void descriptors_close_from(int first)
{
#ifdef SYS_close_range
    if (syscall(SYS_close_range, (unsigned)first, ~0U, 0) == 0)
        return;
#endif
    close_each(first, false, -1);
}

void descriptors_keep_directories(int first, int keep)
{
    close_each(first, true, keep);
}

void descriptors_null_stdio(void)
{
    int fd = open("/dev/null", O_RDWR | O_CLOEXEC);
    fd = fd >= 0 ? fd : memfd_create("null", MFD_CLOEXEC);
    for (int target = 0; target <= 2; target++)
        if (fd >= 0 && fd != target)
            dup2(fd, target);
    if (fd > 2)
        close(fd);
}
