/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * The archives that are kept: so many, in so much room, as long as the disk has enough left.
 */
#pragma once

#include "healthcheck/history/store.h"

struct reports_limits {
    int count;
    int64_t bytes;
    int64_t free_bytes;
};

struct reports_usage {
    int count;
    int64_t bytes;
    int dropped; /* by this call */
};

/*
 * Removes the oldest reports (their names have the time) until the limits hold, all of them if need
 * be. `newest` (or NULL) counts as the newest whatever the clock said. `free_now` < 0: asks the
 * file system.
 */
int reports_prune(const struct store *store, const struct reports_limits *limits, int64_t free_now,
                  const char *newest, struct reports_usage *ret, struct err *err);

/* What there is. */
int reports_usage(const struct store *store, struct reports_usage *ret, struct err *err);

bool reports_has(const struct store *store, const char *name);
