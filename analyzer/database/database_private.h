/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * What the files of this folder share: the handle, who may run what on it, and errors of the
 * library.
 */
#pragma once

#include <sqlite3.h>

#include "analyzer/database/database.h"
#include "common/strbuf.h"
#include "common/vec.h"

/* Whose statement runs. */
enum access {
    ACCESS_OWN,  /* ours: anything */
    ACCESS_READ, /* a rule's or a user's: reading only */
};

/* The state of the authorizer and of the clock; saved and restored around each statement of a
 * stranger. */
struct guard {
    enum access access;
    int limit_ms;        /* 0: none */
    int64_t deadline_ms; /* of the thread's processor time, 0: none */
    bool timed_out;
    bool selects;     /* the statement is a SELECT, or a PRAGMA that describes */
    bool describes;   /* it looks at the schema */
    char refused[96]; /* what the authorizer refused, for the error text */
    bool recording;
    struct table_names reads;
    bool out_of_memory;
};

/* Which of the files that are alternatives counts for a host. */
struct alternative {
    char *path;
    size_t rank; /* index of its pattern */
    bool mixed;  /* rows of another file are there too */
};

struct table_state {
    const struct table *table;
    sqlite3_stmt *insert; /* prepared on first use */
    bool is_real;         /* it is a table; else a shape (shape.c) */
    bool has_rows;
    VEC(bool) sources;                    /* leader: one a host */
    VEC(struct alternative) alternatives; /* leader of a family: one a host */
};

/* A temporary table (temp_tables.c). */
struct temp_table {
    char *name;
    char *columns; /* "(host TEXT, ...)" */
    enum column_type *types;
    size_t count;
    bool has_shape; /* SQLite knows its columns (shape.c) */
    bool is_real;   /* it is a table */
    bool has_host, has_time;
    size_t rows;
    sqlite3_stmt *insert;
};

struct database {
    sqlite3 *handle;
    const struct table_set *tables;
    struct table_state *states; /* sorted by the address of their table */
    size_t state_count;
    bool all_real; /* no table is a shape */
    VEC(struct temp_table) temps;
    VEC(char *) functions; /* names of those that are used like tables; PRAGMAs are some, too */
    VEC(const char *) lists; /* names of the tables that lists_fill() made */
    struct guard guard;
    bool loading; /* rows still have indexes for hosts, in one transaction */
    char **hosts;
    size_t host_count;
    int64_t bytes, bytes_max, dropped;
    struct strbuf answer; /* of facts_get() */
};

/* Turns the library's last error into ours; `what` is what was being done. Returns its code. */
int database_fail(struct database *database, int rc, struct err *err, const char *what);

/* Runs statements of our own. */
int database_run(struct database *database, const char *sql, struct err *err);

/* Prepares one statement of our own. */
int database_prepare(struct database *database, const char *sql, sqlite3_stmt **ret,
                     struct err *err);

/* Prepares the INSERT of a row of so many columns. */
int database_prepare_insert(struct database *database, const char *name, size_t columns,
                            sqlite3_stmt **ret, struct err *err);

/* Runs a bound INSERT into table `name`, and makes it ready for the next row. */
int database_insert_row(struct database *database, sqlite3_stmt *insert, const char *name,
                        struct err *err);

/* Binds a cell as a value of the column's type, 1-based position. Returns the library's code. */
int database_bind(sqlite3_stmt *statement, int position, enum column_type type,
                  const struct cell *cell);

/* SQL's name of a column type, with its collation. */
const char *database_column_type(enum column_type type);

/* Appends a name in double quotes. */
void database_add_name(struct strbuf *sql, const char *name);

/* Frees what is kept about a temporary table. */
void database_temp_release(struct temp_table *temp);

/*
 * Makes it known that there is a table without rows (shape.c): `columns` is "(host TEXT, ...)". No
 * table or function may have the name; a real table that gets it hides the shape.
 */
int database_shape(struct database *database, const char *name, const char *columns,
                   struct err *err);
void database_forget_shape(struct database *database, const char *name);

/* Makes a real table of one that may be a shape, for rows or a look at the schema. */
int database_make_real(struct database *database, struct table_state *state, struct err *err);

/* The state of a table, or NULL. */
struct table_state *database_state(const struct database *database, const struct table *table);

/* Tables that are made here and not from a report's files. */
bool database_is_built_in(const struct database *database, const char *name);

/*
 * Prepares one statement of a stranger; the guard's access must be ACCESS_READ. ERR_PARSE,
 * ERR_DENIED.
 */
int database_prepare_foreign(struct database *database, const char *sql, sqlite3_stmt **ret,
                             struct err *err);

/* Installs the authorizer and the clock. */
int database_install_guard(struct database *database, struct err *err);

/* Starts a stranger's turn; returns what database_guard_end() restores. */
struct guard database_guard_begin(struct database *database, int limit_ms);
void database_guard_end(struct database *database, const struct guard *outer);

/* Registers the functions and the collation. Returns the library's code. */
int database_add_functions(sqlite3 *handle);

static inline void statement_finalize(sqlite3_stmt **statement)
{
    sqlite3_finalize(*statement);
}
#define CLEANUP_STATEMENT CLEANUP(statement_finalize)
