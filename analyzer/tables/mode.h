/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * What a mode is: the code that turns the bytes of one file into raw rows.
 *
 * A mode has two halves. When the tables are loaded, load() checks the mode's own YAML keys and
 * parses them into its options. Later, for each file, begin() makes a state, feed() gets the
 * content and finish() ends it. The mode hands raw texts to rows_emit(), one cell a column; what is
 * the same for all modes happens there: values captured from the file name, `match:`, number
 * formats, limits.
 *
 * Options are constant after loading and shared by all files; states are independent of each other,
 * so that different files may be extracted by different threads.
 */
#pragma once

#include "analyzer/regex/regex.h"
#include "analyzer/tables/table.h"

struct row_writer;
struct table_loader;

struct mode {
    const char *name;
    const char *const *keys; /* YAML keys besides the common ones; NULL ends the list */

    /*
     * feed() gets one line a call, without its end, cut at EXTRACT_LINE_MAX, with `line` counted
     * from 1. Otherwise it gets bytes in pieces of any size and `line` is 0.
     */
    bool by_line;

    /*
     * The YAML file declares a family: several tables that one pass over the file fills. begin()
     * gets the family's leader (its first table) and emits rows for any of leader->members.
     */
    bool family;

    /*
     * Parses the mode's keys in `node` (a table's map; in a family the map below the table's name)
     * and may look at table->columns and table->sources. Memory comes from loader_arena(), regexes
     * from loader_regex(). Called once a table. *ret_options becomes table->options.
     */
    int (*load)(struct table_loader *loader, const struct table *table, const struct doc_node *node,
                void **ret_options, struct err *err);

    int (*begin)(const struct table *table, struct row_writer *writer, void **ret_state,
                 struct err *err);
    int (*feed)(void *state, const char *bytes, size_t length, int64_t line, struct err *err);

    /* *malformed (false before the call) tells that the content was not what the mode reads. */
    int (*finish)(void *state, bool *malformed, struct err *err);
    void (*free)(void *state); /* NULL is never passed */
};

/* NULL when there is no such mode. */
const struct mode *mode_find(const char *name);

/* All modes' names for an error text: "lines, keys, blocks, json, xapi-db". */
extern const char mode_names[];

/* Modes; each has a file mode_<name>.c. */
extern const struct mode mode_lines, mode_keys, mode_blocks, mode_json, mode_xapi_db;

/* For load(). */
struct arena *loader_arena(struct table_loader *loader);

/* Compiles the node's regex; it lives as long as the table set. ERR_PARSE with the place. */
int loader_regex(struct table_loader *loader, const struct doc_node *node, const struct regex **ret,
                 struct err *err);

/* The same for one regex or a list of them; *ret has *ret_count elements. `node` may be NULL: none.
 */
int loader_regexes(struct table_loader *loader, const struct doc_node *node,
                   const struct regex *const **ret, size_t *ret_count, struct err *err);

/*
 * Hands over a row of `table` (the table of begin(), or a member of its family):
 * table->column_count raw cells, of which those with table->sources[i].capture >= 0 are ignored and
 * filled from the file's name. Text that is no number in a number column becomes NULL. Cells are
 * copied where needed: they may change when the call returns. Errors are the sink's, ERR_NOMEM.
 * Rows beyond EXTRACT_ROWS_MAX are dropped.
 */
int rows_emit(struct row_writer *writer, const struct table *table, int64_t line,
              const struct cell *cells, struct err *err);

/* False when nobody wants rows of this member of a family: the mode need not build them. */
bool rows_wanted(const struct row_writer *writer, const struct table *table);

/*
 * Whether the regex matches at or after `offset`. A match that was given up counts as none, and the
 * file as malformed.
 */
bool rows_match(struct row_writer *writer, const struct regex *regex, const char *text,
                size_t length, size_t offset);

/* The groups of the latest rows_match(), for regex_named() and regex_group(). */
const struct regex_scratch *rows_scratch(const struct row_writer *writer);
