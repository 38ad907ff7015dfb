/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * Ties the named groups of a mode's regexes to the columns of its table, once, when the table is
 * loaded; and keeps what a header line says for the rows below it.
 */
#pragma once

#include "analyzer/tables/mode.h"
#include "common/strbuf.h"

/* A regex and, for each column, the index of the group's name that fills it, or -1. */
struct bound_regex {
    const struct regex *regex;
    const int *names;
};

struct bound_list {
    struct bound_regex *items;
    size_t count;
};

/*
 * Compiles the regex or the list of regexes in `node` (NULL: none) and binds them. A group that no
 * column takes is refused, since it is a misspelt one.
 */
int bind_regexes(struct table_loader *loader, const struct table *table,
                 const struct doc_node *node, struct bound_list *ret, struct err *err);

/* Whether a group of one of the regexes fills the column. */
bool bound_fills(const struct bound_list *list, size_t column);

/*
 * The headers of outer levels ("inherit"): list->items[0] is the outermost. A header that is met
 * replaces what its own and the inner levels said.
 */
struct carried_value {
    struct strbuf text;
    bool set;
    size_t level;
};

struct carry {
    const struct bound_list *headers;
    size_t column_count;
    struct carried_value *values; /* one a column */
};

int carry_init(struct carry *carry, const struct bound_list *headers, size_t column_count,
               struct err *err);
void carry_release(struct carry *carry);

/* If the line is a header, remembers its groups and returns true. ERR_NOMEM is seen in *failed. */
bool carry_header(struct carry *carry, struct row_writer *writer, const char *line, size_t length,
                  bool *failed);

/* Fills the cells that headers said and that are empty so far. */
void carry_fill(const struct carry *carry, struct cell *cells);
