/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * The plan for people and scripts: --list and --estimate.
 */
#pragma once

#include "collector/plan/plan.h"
#include "common/strbuf.h"

/*
 * One line an entry: capability, kind, archive name, source. With `aligned` they stand in columns,
 * for people; without, a tab is between them, for scripts.
 */
void plan_print_list(const struct plan *plan, bool aligned, struct strbuf *out);

/*
 * For people: a line an entry with size and longest time, then a table of the capabilities. `jobs`
 * entries are collected at once, for at most `time_limit_ms`. ERR_NOMEM.
 */
int plan_print_estimate(const struct plan *plan, int jobs, int64_t time_limit_ms,
                        struct strbuf *out, struct err *err);
