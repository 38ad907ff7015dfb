/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * The plan for people and scripts: --list and --estimate.
 */
#pragma once

#include "collector/plan/plan.h"
#include "common/strbuf.h"

/* One line an entry: capability, kind, archive name, source, separated by tabs. */
void plan_print_list(const struct plan *plan, struct strbuf *out);

/* The same with bytes (or -) and the longest time in seconds, then a line of totals for each
 * capability. */
void plan_print_estimate(const struct plan *plan, struct strbuf *out);
