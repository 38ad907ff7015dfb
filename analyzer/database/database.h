/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * The report as a database: one SQLite database that holds every table, in memory or in a file
 * (--export).
 *
 * Tables are created empty from the table set, so that a query prepares whether or not a report has
 * the data; which tables a statement reads is known from SQLite's authorizer. Statements of rules
 * and users run read-only (authorizer: SELECT, READ, FUNCTION, RECURSIVE, and the PRAGMAs that
 * describe tables) and with a time limit. The list of tables, sqlite_schema, can be read like any
 * table.
 *
 * Functions: version_cmp(a,b) -> -1/0/1, regexp(pattern,text) (also as operator: text REGEXP
 * pattern; see analyzer/regex), bytes('4G'), duration('10m') in seconds; NULL for what is none.
 * Collation: VERSION.
 *
 * Columns: COLUMN_BYTES become integers, COLUMN_VERSION text that compares as versions. A text that
 * is no number in a number column is NULL: kept as text it would be greater than any number.
 *
 * Besides the declared tables: hosts(host, source, taken, uptime, booted), taken and booted in
 * epoch seconds of the host's wall clock like the times of log lines, or NULL; and facts (see
 * facts.h).
 *
 * The files of a family of tables (xapi-db) are alternatives: of one host only the rows from the
 * first of the family's file patterns that gave any row are kept, in whatever order the files came.
 *
 * Not thread-safe.
 */
#pragma once

#include "analyzer/tables/table.h"

/* Bytes of values that are kept; a report that has more is hostile or its tables are wrong. */
#define DATABASE_MEMORY_MAX (512LL * 1024 * 1024)
#define DATABASE_FILE_MAX   (8LL * 1024 * 1024 * 1024)

struct database;

/* The names of the tables a statement reads. */
struct table_names {
    const char **names;
    size_t count;
};
void table_names_release(struct table_names *names);

/* Appends a copy of `name` unless it is there. False: out of memory. */
bool table_names_add(struct table_names *names, const char *name);

/* `path`: a new file to write (ERR_IO if it exists and is no empty file), or NULL for memory. May
 * fail as open(2). */
int database_open(const struct table_set *tables, const char *path, struct database **ret,
                  struct err *err);
void *database_free(struct database *database);

/*
 * Adds a row. `host` is the index in the report set; database_settle_hosts() turns indexes into
 * names once they are known. Beyond DATABASE_*_MAX rows are dropped and counted.
 */
int database_insert(struct database *database, const struct table *table, unsigned host,
                    const char *path, int64_t line, const struct cell *cells, struct err *err);

/* Rows that were dropped because the database is full. */
int64_t database_dropped(const struct database *database);

/*
 * Records that `host` has a source file for the table, even if it gave no row; for a family's
 * leader it counts for all members.
 */
int database_note_source(struct database *database, const struct table *table, unsigned host,
                         struct err *err);

/* A row of table `hosts`. */
struct database_host {
    const char *name;
    const char *source; /* the REPORT it came in, or NULL */
    const char *uptime; /* or NULL */
    int64_t taken;
    bool taken_is_known;
    int64_t utc_offset; /* seconds that its wall clock is ahead of UTC; 0: not known either */
    int64_t booted;     /* like `taken`; 0: not known */
};

/*
 * After the last row: gives the hosts, in order of their index, writes their names into every table
 * and ends the transaction in which the rows were added. Once. ERR_BUG when a row has an index
 * without a host.
 */
int database_settle(struct database *database, const struct database_host *hosts, size_t count,
                    struct err *err);

/* The same when only the names are known. */
int database_settle_hosts(struct database *database, const char *const *names, size_t count,
                          struct err *err);

/*
 * Whether a table had a source on a host (-1: on any). Unknown tables have none; what does not come
 * from a report's files always has one: hosts, facts, sqlite_schema, temporary tables.
 */
bool database_has_source(const struct database *database, const char *table, int host);

/*
 * Checks a statement (one SELECT) and tells the tables it reads, each once, in no order that means
 * anything; table-valued functions (json_each) are none. ERR_PARSE with SQLite's text, ERR_DENIED
 * for anything but reading.
 */
int database_references(struct database *database, const char *sql, struct table_names *ret,
                        struct err *err);

/* The names of the columns of a statement's rows, in their order. As database_references(). */
int database_columns(struct database *database, const char *sql, struct table_names *ret,
                     struct err *err);

/* A row of a result: column names and values, NULL for SQL's NULL; borrowed during the call. */
struct result_row {
    int count;
    const char *const *names;
    const char *const *values;
    const int *types; /* SQLITE_INTEGER, SQLITE_FLOAT, SQLITE_TEXT, SQLITE_BLOB, SQLITE_NULL */
};
typedef int (*result_sink)(void *context, const struct result_row *row, struct err *err);

/*
 * Runs one statement; the sink may call back into the database. ERR_PARSE for bad SQL, ERR_DENIED
 * for anything but reading, ERR_TIMEOUT after `limit_ms` of processor time (0: no limit), ERR_LIMIT
 * for a value that is too large; the sink's.
 */
int database_query(struct database *database, const char *sql, int limit_ms, result_sink sink,
                   void *context, struct err *err);

/*
 * Temporary tables for the log patterns of one rule: created with the given text columns, filled,
 * used by the rule's query under its name, dropped. Column `time` is REAL epoch seconds (or NULL),
 * `line`, `offset` and `count` are integers. ERR_PARSE when a table of this name exists.
 */
int database_temp_create(struct database *database, const char *name, const char *const *columns,
                         size_t column_count, struct err *err);
int database_temp_insert(struct database *database, const char *name, const struct cell *cells,
                         size_t cell_count, struct err *err);
int database_temp_drop(struct database *database, const char *name, struct err *err);
