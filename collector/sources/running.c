/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * Asks the executable's name, not the command line, which a process can set as it likes.
 */
#include "collector/sources/running.h"

#include <ctype.h>
#include <fcntl.h>
#include <limits.h>

#include "common/io.h"

bool is_running(const char *program)
{
    CLEANUP_DIR DIR *proc = opendir("/proc");
    struct dirent *entry;
    while (proc && (entry = readdir(proc))) {
        char link[NAME_MAX + 8], target[PATH_MAX];
        if (!isdigit((unsigned char)entry->d_name[0]))
            continue;
        snprintf(link, sizeof link, "%s/exe", entry->d_name);
        ssize_t length = readlinkat(dirfd(proc), link, target, sizeof target - 1);
        if (length <= 0)
            continue;
        target[length] = '\0';
        const char *name = strrchr(target, '/');
        if (name && strcmp(name + 1, program) == 0)
            return true;
    }
    return false;
}
