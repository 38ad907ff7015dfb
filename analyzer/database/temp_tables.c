/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * Temporary tables of a rule's log patterns.
 *
 * A rule set has hundreds of them, each is needed twice, and most never get a row: few rules find
 * anything. Creating and dropping a table costs SQLite more than preparing and running the query
 * over it. So a table without rows is only a shape: a virtual table that has the columns and
 * nothing in it (a module that needs no CREATE, "eponymous-only"). It becomes a real one, which
 * hides the shape, with its first row; the planner can do more with real ones.
 */
#include "analyzer/database/database_private.h"

#include <strings.h>

static struct temp_table *find_temp(struct database *database, const char *name)
{
    for (size_t i = 0; i < database->temps.count; i++)
        if (strcasecmp(database->temps.items[i].name, name) == 0)
            return &database->temps.items[i];
    return NULL;
}

/* ------ The virtual table without rows */

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

static int declare_shape(struct database *database, struct temp_table *temp, struct err *err)
{
    struct shape *shape = calloc(1, sizeof *shape);
    if (!shape)
        return err_nomem(err);
    shape->database = database;
    if (asprintf(&shape->declaration, "CREATE TABLE shape %s", temp->columns) < 0) {
        free(shape);
        return err_nomem(err);
    }
    /* The library frees the shape also when this fails. */
    int rc =
        sqlite3_create_module_v2(database->handle, temp->name, &shape_module, shape, free_shape);
    if (rc != SQLITE_OK)
        return database_fail(database, rc, err, "database");
    temp->has_shape = true;
    return 0;
}

static void forget_shape(struct database *database, const struct temp_table *temp)
{
    if (temp->has_shape)
        sqlite3_create_module_v2(database->handle, temp->name, NULL, NULL, NULL);
}

/* ------ Tables */

static enum column_type column_type(const char *name)
{
    if (strcmp(name, "time") == 0)
        return COLUMN_REAL;
    if (strcmp(name, "line") == 0 || strcmp(name, "offset") == 0 || strcmp(name, "count") == 0)
        return COLUMN_INTEGER;
    return COLUMN_TEXT;
}

/* Whether nothing has the name: no table, and no function that is used like one. */
static bool is_free(struct database *database, const char *name)
{
    CLEANUP_STATEMENT sqlite3_stmt *statement = NULL;
    char *sql = sqlite3_mprintf("SELECT 1 FROM \"%w\"", name);
    int rc = sql ? sqlite3_prepare_v2(database->handle, sql, -1, &statement, NULL) : SQLITE_NOMEM;
    sqlite3_free(sql);
    return rc == SQLITE_ERROR && sqlite3_strnicmp(name, "sqlite_", 7) != 0;
}

/* A name must not hide a table of the report: the rule's author would read the wrong one. */
static int check_name(struct database *database, const char *name, struct err *err)
{
    if (find_temp(database, name) ||
        sqlite3_table_column_metadata(database->handle, NULL, name, NULL, NULL, NULL, NULL, NULL,
                                      NULL) == SQLITE_OK)
        return err_set(err, ERR_PARSE, "'%s' is the name of a table; choose another one", name);
    return 0;
}

static int write_columns(struct temp_table *temp, const char *const *names, struct err *err)
{
    CLEANUP(strbuf_release) struct strbuf sql = STRBUF_INIT;
    for (size_t i = 0; i < temp->count; i++) {
        for (size_t k = 0; k < i; k++)
            if (strcasecmp(names[k], names[i]) == 0)
                return err_set(err, ERR_PARSE, "table '%s': duplicate column name: %s", temp->name,
                               names[i]);
        temp->types[i] = column_type(names[i]);
        strbuf_adds(&sql, i ? ", " : "(");
        database_add_name(&sql, names[i]);
        strbuf_addf(&sql, " %s", database_column_type(temp->types[i]));
    }
    strbuf_addc(&sql, ')');
    temp->columns = strbuf_take(&sql);
    return temp->columns ? 0 : err_nomem(err);
}

static int make_real(struct database *database, struct temp_table *temp, struct err *err)
{
    CLEANUP(strbuf_release) struct strbuf sql = STRBUF_INIT;
    strbuf_adds(&sql, "CREATE TEMP TABLE ");
    database_add_name(&sql, temp->name);
    strbuf_addf(&sql, " %s", temp->columns);
    int r = strbuf_ok(&sql) ? database_run(database, sql.data, err) : err_nomem(err);
    if (r == 0)
        temp->is_real = true;
    return err_prefix(err, r, "table '%s'", temp->name);
}

void database_temp_release(struct temp_table *temp)
{
    sqlite3_finalize(temp->insert);
    free(temp->name);
    free(temp->columns);
    free(temp->types);
}

static void forget_temp(struct database *database, struct temp_table *temp)
{
    database_temp_release(temp);
    *temp = database->temps.items[--database->temps.count];
}

int database_temp_create(struct database *database, const char *name, const char *const *columns,
                         size_t column_count, struct err *err)
{
    bool name_is_free = is_free(database, name);
    int r = name_is_free ? 0 : check_name(database, name, err);
    if (r < 0)
        return r;
    struct temp_table *temp = vec_push(&database->temps);
    if (!temp)
        return err_nomem(err);
    *temp = (struct temp_table){.count = column_count};
    temp->name = strdup(name);
    temp->types = calloc(column_count ? column_count : 1, sizeof *temp->types);
    r = temp->name && temp->types ? write_columns(temp, columns, err) : err_nomem(err);
    /* A shape of the same name would take a function away for good; a table hides it. */
    if (r == 0)
        r = name_is_free ? declare_shape(database, temp, err) : make_real(database, temp, err);
    if (r < 0)
        forget_temp(database, temp);
    return r;
}

int database_temp_insert(struct database *database, const char *name, const struct cell *cells,
                         size_t cell_count, struct err *err)
{
    struct temp_table *temp = find_temp(database, name);
    if (!temp || temp->count != cell_count)
        return err_set(err, ERR_BUG, "a row of %zu values for the temporary table '%s'", cell_count,
                       name);
    int r = temp->is_real ? 0 : make_real(database, temp, err);
    if (r == 0 && !temp->insert)
        r = database_prepare_insert(database, name, cell_count, &temp->insert, err);
    if (r < 0)
        return r;
    int rc = SQLITE_OK;
    for (size_t i = 0; rc == SQLITE_OK && i < cell_count; i++)
        rc = database_bind(temp->insert, (int)i + 1, temp->types[i], &cells[i]);
    if (rc != SQLITE_OK)
        return database_fail(database, rc, err, name);
    return database_insert_row(database, temp->insert, name, err);
}

int database_temp_drop(struct database *database, const char *name, struct err *err)
{
    struct temp_table *temp = find_temp(database, name);
    if (!temp)
        return err_set(err, ERR_BUG, "there is no temporary table '%s'", name);
    int r = 0;
    sqlite3_finalize(temp->insert);
    temp->insert = NULL;
    if (temp->is_real) {
        char *sql = sqlite3_mprintf("DROP TABLE temp.\"%w\"", name);
        r = sql ? database_run(database, sql, err) : err_nomem(err);
        sqlite3_free(sql);
    }
    forget_shape(database, temp);
    forget_temp(database, temp);
    return r;
}
