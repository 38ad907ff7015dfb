/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * A name for one run at a time.
 *
 * Two callers may want a report in the same second, and each must get one: XAPI runs the tool for
 * every request, and a run that is refused is a failure to its caller. So nothing stops runs from
 * working side by side; only the name of an archive belongs to one of them. The lock stands on a
 * hidden file beside the archive and is the kernel's, so it ends with its holder however that dies;
 * the file itself is removed by the holder, or by the next run.
 */
#pragma once

#include "common/err.h"

/* What all hidden files of this tool in an output folder begin with. */
#define HIDDEN_PREFIX ".xen-bugtool-"

struct reservation {
    int dirfd, fd; /* fd -1: none held; dirfd is the caller's */
    char file[300];
};

#define RESERVATION_INIT                                                                           \
    {                                                                                              \
        -1, -1, ""                                                                                 \
    }

/*
 * ERR_EXISTS: another run has the name now. A folder in which nothing can be locked or created
 * gives success without a reservation: whether the archive itself can be written is found out next.
 */
int reservation_take(int dirfd, const char *name, struct reservation *ret, struct err *err);
void reservation_release(struct reservation *reservation);
