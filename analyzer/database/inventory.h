/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * The inventory of hosts, declared in rules/inventory.yaml:
 *
 *   rows:
 *     - title: BIOS
 *       compare: true         hosts of a pool should be alike (the default)
 *       note: ...             why a difference matters (optional)
 *       query: SELECT host, ... AS value FROM ...      or a list `queries`
 *
 * The first value of a host counts; a later query only fills what is still unknown.
 */
#pragma once

#include "analyzer/database/database.h"
#include "analyzer/verdict/overview.h"
#include "common/arena.h"

struct inventory_plan;

int inventory_plan_load(const struct embedded_file *file, struct inventory_plan **ret,
                        struct err *err);
void *inventory_plan_free(struct inventory_plan *plan);

/* The tables that the queries read, each once. Table `facts` must be declared. */
int inventory_references(const struct inventory_plan *plan, struct database *database,
                         struct table_names *ret, struct err *err);

/*
 * Call after facts_compute(). Everything lives in the arena. A query that fails costs only its row:
 * the inventory is no reason to show nothing.
 */
int inventory_compute(const struct inventory_plan *plan, struct database *database,
                      const char *const *hosts, size_t host_count, struct arena *arena,
                      const struct inventory **ret, struct err *err);
