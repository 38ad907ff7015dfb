/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * Temporary tables of a rule's log patterns. Without rows, as nearly all are, they are shapes
 * (shape.c). Those with many rows have an index on host and time: for a subquery that is asked once
 * a row SQLite makes none of its own, and reads the lines of all hosts each time.
 */
#include "analyzer/database/database_private.h"

#include <strings.h>

/* Of fewer rows, making the index takes longer than doing without it. */
#define WORTH_AN_INDEX 256

static struct temp_table *find_temp(struct database *database, const char *name)
{
    for (size_t i = 0; i < database->temps.count; i++)
        if (strcasecmp(database->temps.items[i].name, name) == 0)
            return &database->temps.items[i];
    return NULL;
}

static enum column_type column_type(const char *name)
{
    if (strcmp(name, "time") == 0)
        return COLUMN_REAL;
    if (strcmp(name, "line") == 0 || strcmp(name, "offset") == 0 || strcmp(name, "count") == 0)
        return COLUMN_INTEGER;
    return COLUMN_TEXT;
}

/* A name must not hide a table of the report: the rule's author would read the wrong one. */
static int check_name(struct database *database, const char *name, struct err *err)
{
    if (find_temp(database, name) || table_set_find(database->tables, name) ||
        sqlite3_table_column_metadata(database->handle, NULL, name, NULL, NULL, NULL, NULL, NULL,
                                      NULL) == SQLITE_OK)
        return err_set(err, ERR_PARSE, "'%s' is the name of a table; choose another one", name);
    return 0;
}

/* A table hides a function of its name; a shape would take it away for good. */
static bool must_be_real(const struct database *database, const char *name)
{
    for (size_t i = 0; i < database->functions.count; i++)
        if (strcasecmp(database->functions.items[i], name) == 0)
            return true;
    return strncasecmp(name, "pragma_", 7) == 0 || strncasecmp(name, "sqlite_", 7) == 0;
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
        temp->has_host = temp->has_host || strcmp(names[i], "host") == 0;
        temp->has_time = temp->has_time || strcmp(names[i], "time") == 0;
    }
    strbuf_addc(&sql, ')');
    temp->columns = strbuf_take(&sql);
    return temp->columns ? 0 : err_nomem(err);
}

static int make_index(struct database *database, const struct temp_table *temp, struct err *err)
{
    char *sql = sqlite3_mprintf("CREATE INDEX temp.\"%w by host and time\" ON \"%w\"(host, time)",
                                temp->name, temp->name);
    int r = sql ? database_run(database, sql, err) : err_nomem(err);
    sqlite3_free(sql);
    return r;
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
    int r = check_name(database, name, err);
    if (r < 0)
        return r;
    struct temp_table *temp = vec_push(&database->temps);
    if (!temp)
        return err_nomem(err);
    *temp = (struct temp_table){.count = column_count};
    temp->name = strdup(name);
    temp->types = calloc(column_count ? column_count : 1, sizeof *temp->types);
    r = temp->name && temp->types ? write_columns(temp, columns, err) : err_nomem(err);
    if (r == 0 && must_be_real(database, name)) {
        r = make_real(database, temp, err);
    } else if (r == 0) {
        r = database_shape(database, name, temp->columns, err);
        temp->has_shape = r == 0;
    }
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
    if (r == 0 && ++temp->rows == WORTH_AN_INDEX && temp->has_host && temp->has_time)
        r = make_index(database, temp, err);
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
    if (temp->has_shape)
        database_forget_shape(database, name);
    forget_temp(database, temp);
    return r;
}
