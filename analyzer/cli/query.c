/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * The report as a database: rows of a query as aligned columns, or as JSON objects with --format
 * json. The columns stand there without rows, too, so that a script may always drop the first line.
 */
#include <jansson.h>
#include <sqlite3.h>

#include "analyzer/cli/commands.h"
#include "analyzer/cli/page.h"
#include "common/escape.h"
#include "common/io.h"

/* A person waits this long; a query that needs more is a mistake. */
#define QUERY_LIMIT_MS 60000

/*
 * Bytes of all values, each with what keeping it costs: nobody reads more, and it must fit into the
 * sandbox several times (rows, text, JSON).
 */
#define QUERY_BYTES_MAX (48 << 20)
#define CELL_COST       48

/* Cells wider than this are not padded to: one long line must not push the others out of sight. */
#define COLUMN_WIDTH_MAX 60

struct meter {
    result_sink sink;
    void *context;
    size_t bytes;
};

static int count_row(void *context, const struct result_row *row, struct err *err)
{
    struct meter *meter = context;
    for (int i = 0; i < row->count; i++)
        meter->bytes += CELL_COST + (row->values[i] ? strlen(row->values[i]) : 0);
    if (meter->bytes > QUERY_BYTES_MAX)
        return err_set(err, ERR_LIMIT,
                       "the query's result has more than fits: narrow it (LIMIT, WHERE), or keep "
                       "the tables with --export and ask sqlite3");
    return meter->sink(meter->context, row, err);
}

int query_rows(const char *sql, struct database *database, result_sink sink, void *context,
               struct err *err)
{
    struct meter meter = {sink, context, 0};
    return database_query(database, sql, QUERY_LIMIT_MS, count_row, &meter, err);
}

struct grid {
    VEC(char *) cells; /* the names of the columns first; escaped for a terminal */
    size_t columns;
};

static void grid_release(struct grid *grid)
{
    for (size_t i = 0; i < grid->cells.count; i++)
        free(grid->cells.items[i]);
    vec_free(&grid->cells);
}

static int add_cell(struct grid *grid, const char *text, struct err *err)
{
    struct strbuf escaped = STRBUF_INIT;
    escape_terminal(&escaped, text, strlen(text), false);
    char **slot = vec_push(&grid->cells);
    char *cell = strbuf_take(&escaped);
    if (slot)
        *slot = cell;
    return slot && cell ? 0 : err_nomem(err);
}

static int add_text_row(void *context, const struct result_row *row, struct err *err)
{
    struct grid *grid = context;
    int r = 0;
    if (grid->columns == 0) {
        grid->columns = (size_t)row->count;
        for (int i = 0; r == 0 && i < row->count; i++)
            r = add_cell(grid, row->names[i], err);
    }
    for (int i = 0; r == 0 && i < row->count; i++)
        r = add_cell(grid, row->values[i] ? row->values[i] : "", err);
    return r;
}

static size_t column_width(const struct grid *grid, size_t column)
{
    size_t width = 0;
    for (size_t i = column; i < grid->cells.count; i += grid->columns) {
        size_t length = strlen(grid->cells.items[i]);
        if (length > width)
            width = length;
    }
    return width < COLUMN_WIDTH_MAX ? width : COLUMN_WIDTH_MAX;
}

static int format_grid(const struct grid *grid, struct strbuf *out, struct err *err)
{
    CLEANUP_FREE int *widths = calloc(grid->columns, sizeof *widths);
    if (!widths)
        return err_nomem(err);
    for (size_t column = 0; column < grid->columns; column++)
        widths[column] = (int)column_width(grid, column);
    for (size_t i = 0; i < grid->cells.count; i++) {
        size_t column = i % grid->columns;
        if (column + 1 == grid->columns)
            strbuf_addf(out, "%s\n", grid->cells.items[i]);
        else
            strbuf_addf(out, "%-*s  ", widths[column], grid->cells.items[i]);
    }
    return 0;
}

static json_t *json_value(const char *text, int type)
{
    if (!text)
        return json_null();
    if (type == SQLITE_INTEGER)
        return json_integer(strtoll(text, NULL, 10));
    if (type == SQLITE_FLOAT)
        return json_real(strtod(text, NULL));
    CLEANUP(strbuf_release) struct strbuf valid = STRBUF_INIT;
    escape_utf8(&valid, text, strlen(text));
    return json_stringn(valid.data, valid.length);
}

static int add_json_row(void *context, const struct result_row *row, struct err *err)
{
    json_t *object = json_object();
    for (int i = 0; object && i < row->count; i++)
        if (json_object_set_new_nocheck(object, row->names[i],
                                        json_value(row->values[i], row->types[i])) < 0)
            return err_nomem(err);
    return json_array_append_new(context, object) < 0 ? err_nomem(err) : 0;
}

static int query_json(const char *sql, struct database *database, struct strbuf *out,
                      struct err *err)
{
    json_t *rows = json_array();
    int r = rows ? query_rows(sql, database, add_json_row, rows, err)
                 : err_nomem(err);
    char *text = r == 0 ? json_dumps(rows, JSON_INDENT(1)) : NULL;
    if (text) {
        strbuf_adds(out, text);
        strbuf_addc(out, '\n');
    } else if (r == 0) {
        r = err_nomem(err);
    }
    free(text);
    json_decref(rows);
    return r;
}

/* The columns are there without rows, too; a person is told that nothing is wrong with the rest. */
static int format_nothing(const char *sql, struct database *database, bool for_person,
                          struct strbuf *out, struct err *err)
{
    CLEANUP(table_names_release) struct table_names names = {0};
    int r = database_columns(database, sql, &names, err);
    for (size_t i = 0; r == 0 && i < names.count; i++) {
        strbuf_adds(out, i ? "  " : "");
        escape_terminal(out, names.names[i], strlen(names.names[i]), false);
    }
    if (r == 0)
        strbuf_adds(out, for_person ? "\n(no rows)\n" : "\n");
    return r;
}

static int query_text(const char *sql, struct database *database, bool for_person,
                      struct strbuf *out, struct err *err)
{
    CLEANUP(grid_release) struct grid grid = {0};
    int r = query_rows(sql, database, add_text_row, &grid, err);
    if (r < 0)
        return r;
    return grid.columns ? format_grid(&grid, out, err)
                        : format_nothing(sql, database, for_person, out, err);
}

int format_query(const struct options *options, struct database *database, struct strbuf *out,
                 struct err *err)
{
    const char *format = options->outputs.items[0].format;
    int r;
    if (strcmp(format, "json") == 0)
        r = query_json(options->query, database, out, err);
    else if (strcmp(format, "text") == 0)
        r = query_text(options->query, database,
                       !options->outputs.items[0].path && page_width() > 0, out, err);
    else if (strcmp(format, "csv") == 0)
        r = query_csv(options->query, database, out, err);
    else
        r = err_set(err, ERR_USAGE, "--query prints text, json or csv, not %s", format);
    return r == 0 && !strbuf_ok(out) ? err_nomem(err) : r;
}
