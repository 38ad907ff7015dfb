/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * The report as a database: one SQLite database that holds every table, in memory or in a file (--export).
 *
 * Tables are created empty from the table set, so that a query prepares whether or not a report has the data;
 * which tables a statement reads is known from SQLite's authorizer. Statements of rules and users run read-only
 * (authorizer: SELECT, READ, FUNCTION, RECURSIVE only) and with a time limit.
 *
 * Functions: version_cmp(a,b) -> -1/0/1, regexp(pattern,text) (also as operator REGEXP; PCRE2 with limits),
 * bytes('4G'), duration('10m'). Collation: VERSION.
 *
 * Besides the declared tables: hosts(host, source, product, version, taken, uptime) and facts (see facts.h).
 * Not thread-safe.
 */
#pragma once

#include "analyzer/tables/table.h"

struct database;

/* The names of the tables a statement reads. */
struct table_names {
    const char **names;
    size_t count;
};
void table_names_release(struct table_names *names);

/* `path`: a new file to write (ERR_IO if it exists and is no empty file), or NULL for memory. */
int database_open(const struct table_set *tables, const char *path, struct database **ret,
                  struct err *err);
void *database_free(struct database *database);

/*
 * Adds a row. `host` is the index in the report set; database_settle_hosts() turns indexes into names once they
 * are known.
 */
int database_insert(struct database *database, const struct table *table, unsigned host,
                    const char *path, int64_t line, const struct cell *cells, struct err *err);

/* Records that `host` has a source file for the table, even if it gave no row. */
int database_note_source(struct database *database, const struct table *table, unsigned host,
                         struct err *err);

/* Names of the hosts, in order of their index. */
int database_settle_hosts(struct database *database, const char *const *names, size_t count,
                          struct err *err);

/* Whether a table had a source on a host (-1: on any). Unknown tables have none. */
bool database_has_source(const struct database *database, const char *table, int host);

/* Checks a statement (one SELECT) and tells the tables it reads. ERR_PARSE with SQLite's text. */
int database_references(struct database *database, const char *sql, struct table_names *ret,
                        struct err *err);

/* A row of a result: column names and values, NULL for SQL's NULL; borrowed during the call. */
struct result_row {
    int count;
    const char *const *names;
    const char *const *values;
    const int *types; /* SQLITE_INTEGER, SQLITE_FLOAT, SQLITE_TEXT, SQLITE_BLOB, SQLITE_NULL */
};
typedef int (*result_sink)(void *context, const struct result_row *row, struct err *err);

/* ERR_PARSE for bad SQL, ERR_DENIED for anything but reading, ERR_TIMEOUT after `limit_ms`. */
int database_query(struct database *database, const char *sql, int limit_ms, result_sink sink,
                   void *context, struct err *err);

/*
 * Temporary tables for the log patterns of one rule: created with the given text columns, filled, used by the
 * rule's query under its name, dropped. Column `time` is REAL epoch seconds (or NULL), `line`, `offset` and
 * `count` are integers.
 */
int database_temp_create(struct database *database, const char *name, const char *const *columns,
                         size_t column_count, struct err *err);
int database_temp_insert(struct database *database, const char *name, const struct cell *cells,
                         size_t cell_count, struct err *err);
int database_temp_drop(struct database *database, const char *name, struct err *err);
