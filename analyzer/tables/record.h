/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * A row that is collected from several lines: what modes `keys` (one row a file) and `blocks` (one
 * row a block) have in common.
 *
 *   pair   regex with groups `key` and `value`: the value of the columns whose `from` is the key
 *   list   regex with group `value`: a continuation line, added to the latest pair behind a ", "
 *   match  regex or list of regexes whose groups are columns; each is tried on each line
 *
 * The first value of a column counts.
 */
#pragma once

#include "analyzer/tables/bind.h"

struct record_options {
    const struct regex *pair, *list; /* may be NULL */
    int pair_key, pair_value, list_value;
    struct bound_list match;
};

struct record {
    const struct table *table;
    const struct record_options *options;
    struct row_writer *writer;
    struct strbuf *values; /* one a column */
    bool *set;
    size_t *latest; /* columns of the latest pair */
    size_t latest_count;
    struct cell *cells;
    bool any;     /* a column has a value */
    int64_t line; /* of the first one, or what the mode says */
};

/* `pair_default` (may be NULL) is used when the YAML has no `pair`. */
int record_load(struct table_loader *loader, const struct table *table, const struct doc_node *node,
                const char *pair_default, struct record_options *ret, struct err *err);

/* Fails when a column (file captures aside) has no source in the options and the other lists. */
int record_check(const struct table *table, const struct doc_node *node,
                 const struct record_options *options, const struct bound_list *start,
                 const struct bound_list *headers, struct err *err);

int record_init(struct record *record, const struct table *table,
                const struct record_options *options, struct row_writer *writer, struct err *err);
void record_release(struct record *record);

/* Takes what the line says. */
int record_line(struct record *record, const char *line, size_t length, int64_t number,
                struct err *err);

/* Takes the groups of a regex that has just matched. */
int record_take(struct record *record, const struct bound_regex *regex, int64_t number,
                struct err *err);

/* Takes what headers said, for columns that have no value yet. */
int record_inherit(struct record *record, const struct carry *carry, struct err *err);

/* Hands over the row and begins a new one. */
int record_emit(struct record *record, struct err *err);
