/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * Between the set and the reader of one YAML file; nothing outside this folder needs it.
 */
#pragma once

#include "analyzer/tables/mode.h"
#include "common/vec.h"

#define TABLE_COLUMNS_MAX 256 /* XAPI's widest class has about 100 fields */

/* What outlives the loading: everything the tables point to. */
struct table_loader {
    struct arena *arena;
    VEC(struct regex *) regexes;
};

/*
 * Reads the document of one YAML file, which declares one table or a family of them. `*ret` has
 * *ret_count pointers to tables in the loader's arena. ERR_PARSE with the place.
 */
int load_tables(struct table_loader *loader, const struct doc_node *root, struct table ***ret,
                size_t *ret_count, struct err *err);
