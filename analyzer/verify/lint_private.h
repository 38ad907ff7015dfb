/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * What the parts of lint share.
 */
#pragma once

#include "analyzer/database/database.h"
#include "analyzer/verify/pattern_shape.h"
#include "analyzer/verify/verify.h"

struct lint {
    const struct verify_parts *parts;
    struct database *database;
    lint_remark remark;
    void *context;
};

void lint_say(const struct lint *lint, const struct doc_node *place, const char *format, ...)
    PRINTF_LIKE(3, 4);

/* Why no member of a report can be called like this, or NULL. */
const char *lint_impossible_path(const char *path);

/* Says what can make a pattern slow. */
struct pattern_shape lint_speed(const struct lint *lint, const struct doc_node *place,
                                const char *pattern);

/* The file that `place` is in should be called "name.yaml". */
void lint_file_name(const struct lint *lint, const struct doc_node *place, const char *kind,
                    const char *name);

/* rule_lint.c, table_lint.c, list_lint.c */
void lint_rule(const struct lint *lint, const struct rule *rule);
void lint_table(const struct lint *lint, const struct table *table);
void lint_list(const struct lint *lint, const struct list *list);
