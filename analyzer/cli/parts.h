/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * The knowledge an analysis works with: tables, facts, log formats and rules, built in and from
 * --rules.
 */
#pragma once

#include "analyzer/cli/options.h"
#include "analyzer/database/facts.h"
#include "analyzer/database/lists.h"
#include "analyzer/judge/overview.h"
#include "analyzer/match/timestamp.h"
#include "analyzer/rules/rule.h"
#include "analyzer/tables/table.h"

struct parts {
    struct table_set *tables;
    struct fact_set *facts;
    struct list_set *lists;
    struct log_formats *formats;
    struct rule_set *rules;
    struct inventory_plan *inventory;
    struct overview overview; /* of the rules' timeline and `inventory` */
};

/*
 * `extra`: more paths of rules (NULL-ended); `built_in` false leaves the built-in rules out; `jobs`
 * above 1 lets a second thread parse rules.
 */
int parts_load(struct parts *ret, const char *const *extra, bool built_in, int jobs,
               struct err *err);
/* Tells the reports which files are read, and which capability collects them, as tables, rules and
 * rules/logs.yaml say. */
int parts_teach(const struct parts *parts, struct report_set *reports, struct err *err);

void parts_release(struct parts *parts);
