/* SPDX-License-Identifier: LGPL-2.1-only */
#include "collector/cli/outdir.h"

#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/statvfs.h>

#define EMERGENCY_OUTDIR "/run/bug-report"

/* Of the folder, or of the first above it that exists. */
static bool is_read_only(const char *folder)
{
    char path[PATH_MAX];
    struct statvfs space;
    if (snprintf(path, sizeof path, "%s", folder) >= (int)sizeof path)
        return false;
    for (char *slash; statvfs(path, &space) < 0; *slash = '\0')
        if (!(slash = strrchr(path, '/')) || slash == path)
            return statvfs("/", &space) == 0 && (space.f_flag & ST_RDONLY);
    return space.f_flag & ST_RDONLY;
}

const char *outdir_usable(const char *wanted)
{
    bool other = strcmp(wanted, DEFAULT_OUTDIR) == 0 && is_read_only(wanted);
    return other ? EMERGENCY_OUTDIR : wanted;
}
