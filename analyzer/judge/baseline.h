/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * What changed since an older report (--baseline): findings that are new, still there, gone, or
 * lost sight of because the data is not there now; and what differs in packages, firmware and
 * settings.
 *
 * A finding is the same as an older one when the rule is, a host is, and what the finding is about
 * is: the value that the rule tells findings apart by, else all values that are no numbers (how
 * full a disk is changes, which disk it is does not).
 */
#pragma once

#include "analyzer/database/differences.h"
#include "analyzer/rules/rule.h"

struct baseline_side {
    struct verdict *verdict;
    struct database *database;
};

/*
 * Marks the findings of `now` and gives it a baseline. Both verdicts must come from `rules`.
 * `paths` is what the older reports are called, `taken` the time of the newest or TIME_UNKNOWN.
 * They and the texts of `past` are copied.
 */
int baseline_compare(const struct baseline_side *now, const struct baseline_side *past,
                     const struct rule_set *rules, const struct difference_plan *plan,
                     const char *const *paths, size_t path_count, int64_t taken, struct err *err);
