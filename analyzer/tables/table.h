/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * Tables: how a file of a report becomes rows. Declared in rules/tables/<name>.yaml, one table a
 * file.
 *
 * A table names the files it is made from (path patterns; the {captures} of a name are columns), a
 * mode, and its columns. The mode is one of a const table of operations (mode.h): `lines`, `keys`,
 * `blocks`, `json`, `xapi-db`. Every row also carries `host`, `path` (as archived) and `line`
 * (1-based; 0 where a mode has none).
 *
 * A table set is immutable after loading. It owns everything it hands out.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "analyzer/regex/regex.h"
#include "analyzer/report/path_pattern.h"
#include "common/doc.h"
#include "common/embed.h"
#include "common/err.h"

enum column_type {
    COLUMN_TEXT,
    COLUMN_INTEGER,
    COLUMN_REAL,
    COLUMN_BYTES,   /* "4G", "1.5 MiB": stored as a number of bytes */
    COLUMN_VERSION, /* text that compares as a version (collation VERSION) */
};

struct column {
    const char *name;
    enum column_type type;
    const char *description; /* its own, may be ""; see table_column_description() */
};

/* Where a column's value comes from, parsed from its YAML; parallel to the columns. */
struct column_source {
    const char *from;          /* regex group, key or path; the column's name by default */
    int capture;               /* >= 0: the value is this {capture} of the file's name */
    const struct regex *match; /* takes a part of the raw value, or NULL */
    bool flag; /* 1 when there is a value, else 0; with `match` NULL when there is none */
};

struct mode; /* analyzer/tables/mode.h */

struct table {
    const char *name;
    const char *description;
    const char *capability; /* that collects the files, or "" */
    bool empty_if_absent;    /* a host that proves to have no such file has no such thing: no rows, not no data */
    const char *file;       /* the YAML file, for messages */
    const struct doc_node *root; /* what it says */
    bool built_in;          /* embedded, not from a file that the user named */
    const struct path_pattern *files;
    size_t file_count;
    const struct column *columns; /* without host, path, line */
    size_t column_count;
    const struct column_source *sources; /* column_count elements */
    const struct mode *mode;
    void *options;                /* the mode's own, parsed */
    const struct doc_node *tests; /* may be NULL */

    /*
     * A family is several tables filled by one pass over a file (xapi-db). Only its leader is
     * extracted; the sink then gets rows of all members. A table alone is its own leader and only
     * member.
     */
    const struct table *leader;
    const struct table *const *members; /* of the leader, itself included; NULL for the others */
    size_t member_count;
};

/* One value of a row: borrowed text, or NULL for SQL's NULL. */
struct cell {
    const char *text;
    size_t length;
};

struct table_set;

/*
 * Loads the embedded tables (may be NULL) and then, for each path, a YAML file or a folder of them;
 * a table of the same name replaces an earlier one. ERR_PARSE with file:line:column.
 */
int table_set_load(const struct embedded_file *embedded, const char *const *paths,
                   struct table_set **ret, struct err *err);
void *table_set_free(struct table_set *set);

/* Makes machine code of the regexes (regex.h), for reading files; while nobody else uses the set. */
void table_set_speed_up(const struct table_set *set);

size_t table_set_count(const struct table_set *set);
const struct table *table_set_at(const struct table_set *set, size_t index);
const struct table *table_set_find(const struct table_set *set, const char *name);

/* Whether the table, or its family, is filled from the file of this logical path. */
bool table_covers(const struct table *table, const char *logical);

/* What a column holds: as it says itself, or its family of columns of this name; "" when neither does. */
const char *table_column_description(const struct table *table, const struct column *column);

/* Runs the tests in the tables' files (`all` false: not of built-in ones) and tells `outcome` of
 * each, with the place of the test or of the row that differs. Returns the number of failed. */
size_t table_set_test(const struct table_set *set, bool all,
                      void (*outcome)(void *context, const struct table *table, const char *test,
                                      const struct doc_node *place,
                                      const char *failure /* NULL: passed */),
                      void *context);
