/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * For people who write rules: do they do what their tests say (verify_tests), and are they well
 * made (verify_lint)? Both need no report.
 */
#pragma once

#include "analyzer/database/facts.h"
#include "analyzer/database/lists.h"
#include "analyzer/match/timestamp.h"
#include "analyzer/rules/rule.h"
#include "analyzer/tables/table.h"

struct verify_parts {
    const struct rule_set *rules;
    const struct rule_set *known; /* rules that `rules` may name besides its own, or NULL */
    const struct table_set *tables;
    const struct fact_set *facts;
    const struct list_set *lists;
    const struct log_formats *formats;
    bool all; /* lint: what is built in, too */
};

/* Called for every test: `rule`, its number in the rule (from 1), its name or "", and what went
 * wrong or NULL. */
typedef void (*test_outcome)(void *context, const struct rule *rule, size_t number,
                             const char *name, const struct doc_node *place, const char *failure);

/* Runs the tests of all rules. Errors are those that keep tests from running at all. */
int verify_tests(const struct verify_parts *parts, test_outcome outcome, void *context,
                 struct err *err);

/* Whether a test is one: known keys, something to look at, something to expect. ERR_PARSE. */
int verify_test_shape(const struct doc_node *test, struct err *err);

/* Called for every remark, with the place. */
typedef void (*lint_remark)(void *context, const struct doc_node *place, const char *text);

/* Looks at every rule of the set and at every table and list (`all` false: not at built-in ones). A query or condition that
 * is wrong is a remark too. */
int verify_lint(const struct verify_parts *parts, lint_remark remark, void *context,
                struct err *err);
