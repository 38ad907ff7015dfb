/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * Which capabilities a run takes: --entries, --all, or those that are checked.
 */
#pragma once

#include "collector/cli/options.h"
#include "collector/plan/plan.h"

typedef VEC(struct plan_selection) selection_list;

/*
 * Fills `ret` in the catalog's order. Unknown names are told to `warn` and dropped. ERR_USAGE for a
 * verbosity that is no number.
 */
int selection_make(const struct catalog *catalog, const struct options *options,
                   void (*warn)(const char *name), selection_list *ret, struct err *err);
