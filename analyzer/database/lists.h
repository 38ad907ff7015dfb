/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * Lists: what rules compare reports with and what ages, such as the end of support of releases or
 * firmware that is known to be bad.
 *
 * Declared in the files of rules/lists, one a list:
 *
 *   list: release_support         the name of its table
 *   date: 2026-11-22              when somebody last compared it with its sources
 *   description: ...
 *   sources: [https://...]
 *   columns:                      a type, or what a column holds, too
 *     product: text
 *     ends: {type: text, description: ...}
 *   rows:
 *     - [XCP-ng, '8.2', 2025-09-16]
 *
 * A site's own file declares a list in the same way, in place of a built-in one that has its name; or
 * it has `list` and `rows` only (and what `description` and `sources` say) and adds rows to a list.
 *
 * An empty text is NULL. Besides a table a list there is the table lists(name, date, description),
 * the date in epoch seconds, so that a rule can say that a list is old.
 */
#pragma once

#include "analyzer/database/database.h"
#include "common/doc.h"
#include "common/embed.h"
#include "common/vec.h"

/* The lists that are compiled into the program; ended by a row without a name. */
extern const struct embedded_file embedded_lists[];

#define LIST_COLUMNS_MAX 16

/* Rows of one file: a list of lists of scalars, each with the list's columns. */
struct list_rows {
    const struct doc_node *rows;
    bool built_in;
};

struct list {
    const char *name, *date, *description;
    const char *columns[LIST_COLUMNS_MAX];
    const char *descriptions[LIST_COLUMNS_MAX]; /* of the columns; may be "" */
    enum column_type types[LIST_COLUMNS_MAX];
    size_t column_count;
    const struct doc_node *root; /* of the file that declares it */
    VEC(struct list_rows) parts;
};

struct list_set;

/*
 * `files` is ended by a row without a name; `folders` (may be NULL; NULL-ended) hold more, *.yaml in
 * the order of their names. ERR_PARSE with file:line:column.
 */
int list_set_load(const struct embedded_file *files, const char *const *folders,
                  struct list_set **ret, struct err *err);
void *list_set_free(struct list_set *lists);

size_t list_set_count(const struct list_set *lists);
const struct list *list_set_at(const struct list_set *lists, size_t index);

/*
 * Makes and fills the tables, unless they are there. After database_open(). ERR_PARSE when a list has the
 * name of a table. The set must live as long as the database.
 */
int lists_fill(const struct list_set *lists, struct database *database, struct err *err);
