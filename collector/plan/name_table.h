/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * The archive names that are taken, and by which source.
 */
#pragma once

#include "common/arena.h"
#include "common/err.h"

struct name_table;

int name_table_new(struct name_table **ret, struct err *err);
void *name_table_free(struct name_table *table);

/*
 * Takes `name` for `source` (borrowed). *ret_name, in the arena, is the name, with `-2`, `-3`...
 * when another source has it, or NULL when the same source has it already.
 */
int name_table_take(struct name_table *table, struct arena *arena, const char *name,
                    const char *source, const char **ret_name, struct err *err);
