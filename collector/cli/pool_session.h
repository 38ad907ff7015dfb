/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * --pool: a run of its own, since it has no plan; the hosts make theirs.
 */
#pragma once

#include <stdatomic.h>

#include "collector/cli/options.h"

/*
 * `root` is absolute, `epoch` as in destination_open(). Prints what a run prints, and what the
 * hosts did not give on standard error.
 */
int pool_session_run(const struct options *options, const char *root, int64_t epoch,
                     const atomic_bool *cancelled, struct err *err);
