/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * Tables without rows.
 *
 * There are more than a hundred tables of a report and as many of rules' log patterns, statements
 * must find them all, and most never get a row. To create a table costs SQLite more than to prepare
 * and run the query that reads it. So a table begins as a *shape*: a virtual table that has the
 * columns and nothing in it, of a kind that needs no CREATE ("eponymous-only"). With its first row
 * a real one is made, which hides the shape; so the planner meets shapes only where there is
 * nothing to plan.
 */
#include "analyzer/database/database_private.h"

struct shape {
    struct database *database;
    char *declaration;
};

static void free_shape(void *pointer)
{
    struct shape *shape = pointer;
    free(shape->declaration);
    free(shape);
}

/* It is connected while a stranger's statement is compiled: that the columns are declared is our
 * doing. */
static int shape_connect(sqlite3 *handle, void *context, int count, const char *const *arguments,
                         sqlite3_vtab **ret, char **ret_error)
{
    (void)count;
    (void)arguments;
    (void)ret_error;
    const struct shape *shape = context;
    struct guard *guard = &shape->database->guard;
    enum access outer = guard->access;
    guard->access = ACCESS_OWN;
    int rc = sqlite3_declare_vtab(handle, shape->declaration);
    guard->access = outer;
    sqlite3_vtab *table = rc == SQLITE_OK ? calloc(1, sizeof *table) : NULL;
    if (rc == SQLITE_OK && !table)
        return SQLITE_NOMEM;
    *ret = table;
    return rc;
}

static int shape_disconnect(sqlite3_vtab *table)
{
    free(table);
    return SQLITE_OK;
}

/* The planner shall take it for a table that it knows nothing about. */
static int shape_plan(sqlite3_vtab *table, sqlite3_index_info *info)
{
    (void)table;
    info->estimatedRows = 1 << 20;
    info->estimatedCost = 3.0 * (1 << 20);
    return SQLITE_OK;
}

static int shape_open(sqlite3_vtab *table, sqlite3_vtab_cursor **ret)
{
    (void)table;
    *ret = calloc(1, sizeof **ret);
    return *ret ? SQLITE_OK : SQLITE_NOMEM;
}

static int shape_close(sqlite3_vtab_cursor *cursor)
{
    free(cursor);
    return SQLITE_OK;
}

static int shape_filter(sqlite3_vtab_cursor *cursor, int plan, const char *plan_text, int count,
                        sqlite3_value **values)
{
    (void)cursor;
    (void)plan;
    (void)plan_text;
    (void)count;
    (void)values;
    return SQLITE_OK;
}

static int shape_is_at_end(sqlite3_vtab_cursor *cursor)
{
    (void)cursor;
    return 1;
}

/* There is no row whose values could be asked for. */
static int shape_next(sqlite3_vtab_cursor *cursor)
{
    (void)cursor;
    return SQLITE_INTERNAL;
}

static int shape_column(sqlite3_vtab_cursor *cursor, sqlite3_context *context, int column)
{
    (void)cursor;
    (void)context;
    (void)column;
    return SQLITE_INTERNAL;
}

static int shape_rowid(sqlite3_vtab_cursor *cursor, sqlite3_int64 *ret)
{
    (void)cursor;
    (void)ret;
    return SQLITE_INTERNAL;
}

/* Not to be written either; but with a method for it, the authorizer is asked and says so. */
static int shape_update(sqlite3_vtab *table, int count, sqlite3_value **values, sqlite3_int64 *ret)
{
    (void)table;
    (void)count;
    (void)values;
    (void)ret;
    return SQLITE_READONLY;
}

static const sqlite3_module shape_module = {
    .xConnect = shape_connect,
    .xDisconnect = shape_disconnect,
    .xBestIndex = shape_plan,
    .xOpen = shape_open,
    .xClose = shape_close,
    .xFilter = shape_filter,
    .xEof = shape_is_at_end,
    .xNext = shape_next,
    .xColumn = shape_column,
    .xRowid = shape_rowid,
    .xUpdate = shape_update,
};

int database_shape(struct database *database, const char *name, const char *columns,
                   struct err *err)
{
    struct shape *shape = calloc(1, sizeof *shape);
    if (!shape)
        return err_nomem(err);
    shape->database = database;
    if (asprintf(&shape->declaration, "CREATE TABLE shape %s", columns) < 0) {
        free(shape);
        return err_nomem(err);
    }
    /* The library frees the shape also when this fails. */
    int rc = sqlite3_create_module_v2(database->handle, name, &shape_module, shape, free_shape);
    return rc == SQLITE_OK ? 0 : database_fail(database, rc, err, "database");
}

void database_forget_shape(struct database *database, const char *name)
{
    sqlite3_create_module_v2(database->handle, name, NULL, NULL, NULL);
}
