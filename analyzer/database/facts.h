/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * Facts: the handful of values about a host that rules ask in `applies:` and reports show in their
 * heading.
 *
 * Declared in rules/facts.yaml: name, type (text, version, integer, real), description, and one or
 * more queries tried in order until one gives a value for the host. They end up as the table
 * `facts`, one row a host, one column a fact; a fact that no source gives is NULL.
 */
#pragma once

#include "analyzer/database/database.h"

struct fact_set;

int fact_set_load(const struct embedded_file *file, struct fact_set **ret, struct err *err);
void *fact_set_free(struct fact_set *facts);

/* The tables that the facts' queries read, each once: they must be filled for the facts to be
 * right. */
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

/* Evaluates an SQL expression over the facts of one host. NULL is TRUTH_UNKNOWN. ERR_PARSE for a
 * bad one. */
int facts_evaluate(struct database *database, const char *host, const char *expression,
                   enum truth *ret, struct err *err);
