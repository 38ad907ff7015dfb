/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * What differs between two databases: packages, firmware, settings. Declared in
 * rules/differences.yaml, a list:
 *
 *   - area: packages
 *     query: SELECT host, name AS object, version AS value FROM packages
 *
 * A host is compared in an area where both databases have rows of it: a report that lacks the data
 * does not say that everything was removed. Several values of one object are joined.
 */
#pragma once

#include "analyzer/database/database.h"
#include "common/arena.h"

/* More than a person reads; an update of everything changes some 600 packages on each host. */
#define DIFFERENCES_MAX 2000

struct difference_plan;

int difference_plan_load(const struct embedded_file *file, struct difference_plan **ret,
                         struct err *err);
void *difference_plan_free(struct difference_plan *plan);

/* The tables that the queries read, each once. */
int difference_references(const struct difference_plan *plan, struct database *database,
                          struct table_names *ret, struct err *err);

/* Texts live until the next one is told; NULL: not there. */
struct database_difference {
    const char *host, *area, *object, *before, *now;
};
typedef int (*difference_sink)(void *context, const struct database_difference *difference,
                               struct err *err);

/*
 * Compares two settled databases and tells what differs, by area, host and object, at most
 * DIFFERENCES_MAX times; *ret_dropped counts the others. ERR_PARSE, ERR_TIMEOUT, ERR_LIMIT, the
 * sink's.
 */
int differences_find(const struct difference_plan *plan, struct database *before,
                     struct database *now, difference_sink sink, void *context,
                     size_t *ret_dropped, struct err *err);
