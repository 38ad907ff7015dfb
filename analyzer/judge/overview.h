/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * What an analysis does for the timeline and the inventory (verdict/overview.h), when an output
 * shows them. Its logs are patterns of the matcher like those of rules, behind them.
 */
#pragma once

#include "analyzer/database/inventory.h"
#include "analyzer/rules/timeline.h"

struct evaluation;

struct overview {
    const struct timeline_plan *timeline;   /* or NULL */
    const struct inventory_plan *inventory; /* or NULL */
};

size_t overview_log_count(const struct overview *overview);
const struct rule_log *overview_log(const struct overview *overview, size_t index);

/* The tables whose rows it needs. ERR_PARSE for a query that does not fit them. */
int overview_references(const struct overview *overview, struct database *database,
                        struct table_names *ret, struct err *err);

/* When all rules are judged: fills in the verdict's timeline and inventory. */
int overview_make(struct evaluation *evaluation, struct verdict *verdict, struct err *err);
