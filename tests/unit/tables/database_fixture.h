/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * For tests of the database: tables from YAML texts, rows in, results out as text.
 */
#pragma once

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#include "analyzer/database/database.h"
#include "common/strbuf.h"

/* Fails the test with the error's text unless `r` is 0. */
#define assert_ok(r, err) assert_ok_at((r), (err), __FILE__, __LINE__)

static inline void assert_ok_at(int r, const struct err *err, const char *file, int line)
{
    char text[1024];
    if (r < 0) {
        print_error("%s\n", err_message(err, text, sizeof text));
        _fail(file, line);
    }
}

static inline struct table_set *tables_from(const char *const *texts)
{
    struct embedded_file files[8] = {0};
    for (size_t i = 0; texts[i]; i++) {
        assert_true(i + 1 < ARRAY_SIZE(files));
        files[i] = (struct embedded_file){"test.yaml", texts[i], texts[i] + strlen(texts[i])};
    }
    struct err err = ERR_INIT;
    struct table_set *tables = NULL;
    assert_ok(table_set_load(files, NULL, &tables, &err), &err);
    return tables;
}

/* Adds a row; `values` are in the order of the columns, NULL ends them and "~" is SQL's NULL. */
static inline void add_row(struct database *database, const struct table_set *tables,
                           const char *name, unsigned host, const char *path,
                           const char *const *values)
{
    const struct table *table = table_set_find(tables, name);
    struct cell cells[16] = {0};
    struct err err = ERR_INIT;
    assert_non_null(table);
    for (size_t i = 0; values[i]; i++)
        if (strcmp(values[i], "~") != 0)
            cells[i] = (struct cell){values[i], strlen(values[i])};
    assert_ok(database_insert(database, table, host, path, 1, cells, &err), &err);
}

#define ADD_ROW(database, tables, name, host, path, ...)                                           \
    add_row(database, tables, name, host, path, (const char *const[]){__VA_ARGS__, NULL})

static inline int append_row(void *context, const struct result_row *row, struct err *err)
{
    (void)err;
    struct strbuf *text = context;
    for (int i = 0; i < row->count; i++)
        strbuf_addf(text, "%s%s", i ? "|" : "", row->values[i] ? row->values[i] : "~");
    strbuf_addc(text, '\n');
    return 0;
}

/* The statement's rows as "a|b\n". */
static inline void assert_rows_at(struct database *database, const char *sql, const char *expected,
                                  const char *file, int line)
{
    struct strbuf text = STRBUF_INIT;
    struct err err = ERR_INIT;
    assert_ok_at(database_query(database, sql, 0, append_row, &text, &err), &err, file, line);
    _assert_string_equal(text.data, expected, file, line);
    strbuf_release(&text);
}
#define assert_rows(database, sql, expected)                                                       \
    assert_rows_at(database, sql, expected, __FILE__, __LINE__)
