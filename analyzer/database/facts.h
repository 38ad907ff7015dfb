/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * Facts: the handful of values about a host that rules ask in `applies:` and reports show in their
 * heading.
 *
 * Declared in rules/facts.yaml:
 *
 *   views:                        what several queries are asked from, computed once (optional)
 *     own: SELECT host AS here, ...
 *   facts:
 *     product_version:
 *       type: version             text (the default), version, integer or real
 *       description: ...
 *       queries:                  or `query`; each gives columns `host` and `value`
 *         - SELECT host, value FROM xensource_inventory WHERE key = 'PRODUCT_VERSION'
 *         - ...
 *
 * The first value of a host counts; a later query only fills what is still unknown. They end up as
 * the table `facts`, one row a host, one column a fact; a fact that no source gives is NULL.
 */
#pragma once

#include "analyzer/database/database.h"

struct fact_set;

int fact_set_load(const struct embedded_file *file, struct fact_set **ret, struct err *err);
void *fact_set_free(struct fact_set *facts);

/* What a fact means, for people; "" when nothing says so. */
const char *fact_description(const struct fact_set *facts, const char *name);

/* The tables that the facts' queries read, each once: without their rows facts are unknown. */
int facts_references(const struct fact_set *facts, struct database *database,
                     struct table_names *ret, struct err *err);

/* Creates and fills the table `facts`. Call once, after database_settle_hosts(). */
int facts_compute(const struct fact_set *facts, struct database *database, struct err *err);

/*
 * Creates the empty table `facts` only, so that expressions over it can be checked without a
 * report.
 */
int facts_declare(const struct fact_set *facts, struct database *database, struct err *err);

/* A host's value as text, or "" when it is not known. Borrowed until the next call. */
const char *facts_get(struct database *database, const char *host, const char *fact);

enum truth { TRUTH_FALSE, TRUTH_TRUE, TRUTH_UNKNOWN };

/*
 * Evaluates an SQL expression over the facts of one host. NULL is TRUTH_UNKNOWN, as is a host that
 * is not there.
 * ERR_PARSE for a bad one.
 */
int facts_evaluate(struct database *database, const char *host, const char *expression,
                   enum truth *ret, struct err *err);

/*
 * The same for all hosts at once, which is much quicker: `ret` has `count` places, filled in the
 * order in which the hosts were given to database_settle().
 */
int facts_evaluate_all(struct database *database, const char *expression, enum truth *ret,
                       size_t count, struct err *err);
