/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * Rows of the tables of a report going in.
 *
 * Each table keeps its prepared INSERT. Values are converted here, not by the column's affinity,
 * which would keep a text it cannot convert.
 */
#include "analyzer/database/database_private.h"

#include <errno.h>
#include <math.h>

#include "common/units.h"

/* What one row costs besides its values, roughly. */
#define ROW_OVERHEAD 32

/* Longest text that can be a number; the copy must end in a NUL. */
#define NUMBER_MAX 64

static int bind_number(sqlite3_stmt *statement, int position, enum column_type type,
                       const char *text)
{
    int64_t integer;
    if (type != COLUMN_REAL && units_integer(text, &integer))
        return sqlite3_bind_int64(statement, position, integer);
    if (type == COLUMN_BYTES && units_bytes(text, &integer))
        return sqlite3_bind_int64(statement, position, integer);
    /* strtod() also takes words and hexadecimal: no output writes a number so. */
    if (text[strspn(text, "0123456789+-.eE")])
        return sqlite3_bind_null(statement, position);
    char *end;
    double real = strtod(text, &end);
    if (end == text || *end || !isfinite(real))
        return sqlite3_bind_null(statement, position);
    return sqlite3_bind_double(statement, position, real);
}

int database_bind(sqlite3_stmt *statement, int position, enum column_type type,
                  const struct cell *cell)
{
    if (!cell->text)
        return sqlite3_bind_null(statement, position);
    if (type == COLUMN_TEXT || type == COLUMN_VERSION)
        return sqlite3_bind_text64(statement, position, cell->text, cell->length, SQLITE_STATIC,
                                   SQLITE_UTF8);
    const char *start = cell->text, *end = start + cell->length;
    while (start < end && *start == ' ')
        start++;
    while (end > start && end[-1] == ' ')
        end--;
    char text[NUMBER_MAX];
    size_t length = (size_t)(end - start);
    if (length >= sizeof text)
        return sqlite3_bind_null(statement, position);
    memcpy(text, start, length);
    text[length] = '\0';
    return bind_number(statement, position, type, text);
}

int database_prepare_insert(struct database *database, const char *name, size_t columns,
                            sqlite3_stmt **ret, struct err *err)
{
    struct strbuf sql = STRBUF_INIT;
    strbuf_adds(&sql, "INSERT INTO ");
    database_add_name(&sql, name);
    for (size_t i = 0; i < columns; i++)
        strbuf_adds(&sql, i ? ", ?" : " VALUES (?");
    strbuf_addc(&sql, ')');
    int r = strbuf_ok(&sql) ? database_prepare(database, sql.data, ret, err) : err_nomem(err);
    strbuf_release(&sql);
    return r;
}

int database_insert_row(struct database *database, sqlite3_stmt *insert, const char *name,
                        struct err *err)
{
    int rc = sqlite3_step(insert);
    sqlite3_reset(insert);
    if (rc == SQLITE_DONE)
        return 0;
    return database_fail(database, rc, err, name);
}

int database_note_source(struct database *database, const struct table *table, unsigned host,
                         struct err *err)
{
    struct table_state *leader = database_state(database, table->leader);
    if (!leader)
        return err_set(err, ERR_BUG, "table '%s' is not one of the database's", table->name);
    while (leader->sources.count <= host) {
        bool *source = vec_push(&leader->sources);
        if (!source)
            return err_nomem(err);
    }
    leader->sources.items[host] = true;
    return 0;
}

/* Notes which of the family's alternative files this row comes from. */
static int note_alternative(struct table_state *leader, unsigned host, const char *path,
                            struct err *err)
{
    while (leader->alternatives.count <= host) {
        struct alternative *added = vec_push(&leader->alternatives);
        if (!added)
            return err_nomem(err);
    }
    struct alternative *best = &leader->alternatives.items[host];
    if (best->path && strcmp(best->path, path) == 0)
        return 0;
    const struct table *table = leader->table;
    size_t rank = 0;
    while (rank < table->file_count && !path_pattern_match(&table->files[rank], path, NULL))
        rank++;
    best->mixed = best->path != NULL;
    if (best->path && rank >= best->rank)
        return 0;
    char *copy = strdup(path);
    if (!copy)
        return err_nomem(err);
    free(best->path);
    best->path = copy;
    best->rank = rank;
    return 0;
}

static int bind_host(struct database *database, sqlite3_stmt *insert, unsigned host)
{
    if (!database->loading)
        return host < database->host_count
                   ? sqlite3_bind_text(insert, 1, database->hosts[host], -1, SQLITE_STATIC)
                   : SQLITE_MISUSE;
    char index[16];
    snprintf(index, sizeof index, "%u", host);
    return sqlite3_bind_text(insert, 1, index, -1, SQLITE_TRANSIENT);
}

int database_insert(struct database *database, const struct table *table, unsigned host,
                    const char *path, int64_t line, const struct cell *cells, struct err *err)
{
    struct table_state *state = database_state(database, table);
    int r = database_note_source(database, table, host, err);
    if (r < 0)
        return r;
    int64_t bytes = ROW_OVERHEAD;
    for (size_t i = 0; i < table->column_count; i++)
        bytes += (int64_t)cells[i].length;
    if (bytes > database->bytes_max - database->bytes) {
        database->dropped++;
        return 0;
    }
    if (table->leader->member_count > 1)
        r = note_alternative(database_state(database, table->leader), host, path, err);
    if (r == 0)
        r = database_make_real(database, state, err);
    if (r == 0 && !state->insert)
        r = database_prepare_insert(database, table->name, table->column_count + 3, &state->insert,
                                    err);
    if (r < 0)
        return r;
    int rc = bind_host(database, state->insert, host);
    if (rc == SQLITE_OK)
        rc = sqlite3_bind_text(state->insert, 2, path, -1, SQLITE_STATIC);
    if (rc == SQLITE_OK)
        rc = sqlite3_bind_int64(state->insert, 3, line);
    for (size_t i = 0; rc == SQLITE_OK && i < table->column_count; i++)
        rc = database_bind(state->insert, (int)i + 4, table->columns[i].type, &cells[i]);
    if (rc != SQLITE_OK)
        return database_fail(database, rc, err, table->name);
    r = database_insert_row(database, state->insert, table->name, err);
    if (r == 0) {
        database->bytes += bytes;
        state->has_rows = true;
    }
    return r;
}

int64_t database_dropped(const struct database *database)
{
    return database->dropped;
}
