/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * --clean-tapdisk-logs: the original deleted the logs of tapdisk after every run, whether or not
 * they were in the archive. We do it only when asked, and only with what the finished archive has
 * whole: files of items marked `clean` in the catalog that have not changed since they were read.
 */
#pragma once

#include "collector/plan/plan.h"

struct cleaned {
    unsigned removed, kept;
};

/* `plan` is that of a run whose archive is complete and has its name. */
void clean_collected(const struct catalog *catalog, const struct plan *plan, int root_fd,
                     struct cleaned *ret);
