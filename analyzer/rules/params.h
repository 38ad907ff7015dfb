/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * Parameters of a rule: the numbers that a site may see differently.
 *
 *   params:
 *     percent: {default: 90, min: 50, max: 99, description: used space from which it is found}
 *     window: 10m
 *
 * `{percent}` stands for the value in title, explanation, advice, `applies`, `query`, `at_least` and
 * `within`. In SQL a time is its number of seconds. Values are checked to be numbers before they get
 * anywhere near SQL.
 */
#pragma once

#include "analyzer/rules/rule_private.h"

/*
 * Reads `params` of a rule (NULL: it has none) and puts the site's values (a map, or NULL) in their
 * places. ERR_PARSE at the place that is wrong, in the rule or in the site's file.
 */
int params_load(struct rule_set *set, const struct doc_node *node, const struct doc_node *site,
                struct rule *rule, struct err *err);

enum params_form {
    PARAMS_FOR_PEOPLE, /* "10m" */
    PARAMS_FOR_SQL,    /* "600" */
};

/* The text with parameters filled in; the text itself when it names none. NULL: out of memory. */
const char *params_expand(struct rule_set *set, const struct rule *rule, const char *text,
                          enum params_form form);

/* The same for a scalar node, which keeps its place. NULL stays NULL. */
int params_expand_node(struct rule_set *set, const struct rule *rule, const struct doc_node *node,
                       enum params_form form, const struct doc_node **ret, struct err *err);
