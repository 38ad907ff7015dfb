/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * What a person wants to know at the end: where the archive is, and what is not in it and why.
 */
#pragma once

#include <stdio.h>

#include "collector/plan/plan.h"
#include "common/err.h"

struct summary {
    const struct plan *plan; /* after the run */
    const char *path;        /* of the archive; NULL when it went to a descriptor */
    int64_t duration_ms;
};

void summary_print(const struct summary *summary, FILE *out);

/* The closing table of --debug: what each of the capabilities may take and took. */
void summary_print_sizes(const struct plan *plan, const struct plan_selection *selections,
                         size_t count, FILE *out);

/*
 * All that a silent run says: the archive's path and a newline. Failing matters: the caller would
 * not learn where the archive is, which stays.
 */
int summary_print_path(const char *path, struct err *err);
