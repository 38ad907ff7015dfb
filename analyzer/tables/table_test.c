/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * The tests that stand in the tables' YAML files:
 *
 *   tests:
 *     - name: what is special about it            (optional)
 *       files: {df-alT.out: "text of the file"}   one or more, extracted in this order
 *       rows: none                                or a list of maps column -> value
 *       timed_out: true, malformed: true          (optional) how the extraction must end
 *
 * Rows are compared in order; `~` is NULL, columns that are not named are not looked at, `line` and
 * `path` are columns here. In a family `rows` is a map table -> such a list.
 *
 * Each test runs twice, with the text in one piece and byte by byte: a mode must not care.
 */
#include <stdarg.h>

#include "analyzer/tables/extract.h"
#include "common/strbuf.h"
#include "common/vec.h"

struct test_row {
    const struct table *table;
    const char *path;
    int64_t line;
    struct cell *cells; /* texts are copies in the arena */
};

struct test_run {
    struct arena *arena;
    const char *path;
    const struct doc_node *place; /* what is looked at, for a failure */
    VEC(struct test_row) rows;
    bool timed_out, malformed;
    char failure[512];
};

static bool fail(struct test_run *run, const char *format, ...) PRINTF_LIKE(2, 3);

static bool fail(struct test_run *run, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(run->failure, sizeof run->failure, format, arguments);
    va_end(arguments);
    return false;
}

static int keep_row(void *context, const struct table *table, int64_t line,
                    const struct cell *cells, struct err *err)
{
    struct test_run *run = context;
    struct test_row *row = vec_push(&run->rows);
    if (!row)
        return err_nomem(err);
    *row = (struct test_row){.table = table, .path = run->path, .line = line};
    row->cells = arena_array(run->arena, table->column_count, sizeof *row->cells);
    if (!row->cells)
        return err_nomem(err);
    for (size_t i = 0; i < table->column_count; i++) {
        if (!cells[i].text)
            continue;
        row->cells[i].text = arena_memdup(run->arena, cells[i].text, cells[i].length);
        row->cells[i].length = cells[i].length;
        if (!row->cells[i].text)
            return err_nomem(err);
    }
    return 0;
}

static bool extract_text(struct test_run *run, const struct table *table, const char *path,
                         const struct doc_node *content, size_t piece)
{
    struct err err = ERR_INIT;
    struct extraction *extraction;
    bool timed_out = false, malformed = false;
    run->path = path;
    int r = extraction_begin(table, path, keep_row, run, &extraction, &err);
    if (r < 0)
        return fail(run, "%s", err.text);
    for (size_t at = 0; r == 0 && at < content->length; at += piece) {
        size_t left = content->length - at;
        r = extraction_feed(extraction, content->text + at, left < piece ? left : piece, &err);
    }
    if (r == 0)
        r = extraction_end(extraction, &timed_out, &malformed, &err);
    extraction_free(extraction);
    run->timed_out = run->timed_out || timed_out;
    run->malformed = run->malformed || malformed;
    return r == 0 ? true : fail(run, "%s", err.text);
}

static bool extract_files(struct test_run *run, const struct table *table,
                          const struct doc_node *files, bool bytewise)
{
    if (!files || files->kind != DOC_MAP)
        return fail(run, "'files' must be a map: path and content");
    for (size_t i = 0; i < files->count; i++) {
        const struct doc_node *content = files->items[i];
        run->place = files->keys[i];
        if (content->kind != DOC_SCALAR)
            return fail(run, "the content of '%s' must be a text", files->keys[i]->text);
        size_t piece = bytewise ? 1 : content->length + 1;
        if (!extract_text(run, table, files->keys[i]->text, content, piece))
            return false;
    }
    return true;
}

/* The value of a row's column as text, NULL for SQL's NULL. False: there is no such column. */
static bool row_value(const struct test_row *row, const char *name, char buffer[32],
                      const char **ret)
{
    if (strcmp(name, "line") == 0) {
        snprintf(buffer, 32, "%lld", (long long)row->line);
        *ret = buffer;
        return true;
    }
    if (strcmp(name, "path") == 0) {
        *ret = row->path;
        return true;
    }
    for (size_t i = 0; i < row->table->column_count; i++) {
        if (strcmp(row->table->columns[i].name, name) != 0)
            continue;
        *ret = row->cells[i].text;
        return true;
    }
    return false;
}

static bool is_null(const struct doc_node *node)
{
    return node->plain &&
           (node->length == 0 || strcmp(node->text, "~") == 0 || strcmp(node->text, "null") == 0);
}

static bool compare_row(struct test_run *run, const struct test_row *row, size_t number,
                        const struct doc_node *expected)
{
    run->place = expected;
    if (expected->kind != DOC_MAP)
        return fail(run, "row %zu: expected must be a map of columns and values", number);
    for (size_t i = 0; i < expected->count; i++) {
        const char *name = expected->keys[i]->text, *value;
        const struct doc_node *wanted = expected->items[i];
        char buffer[32];
        if (!row_value(row, name, buffer, &value))
            return fail(run, "table '%s' has no column '%s'", row->table->name, name);
        if (wanted->kind != DOC_SCALAR)
            return fail(run, "row %zu: the value of '%s' must be a scalar", number, name);
        if (is_null(wanted) ? !value : value && strcmp(value, wanted->text) == 0)
            continue;
        return fail(run, "row %zu: %s is %s%.80s%s, expected %s", number, name, value ? "'" : "",
                    value ? value : "NULL", value ? "'" : "",
                    is_null(wanted) ? "NULL" : wanted->text);
    }
    return true;
}

static bool compare_rows(struct test_run *run, const struct table *table,
                         const struct doc_node *expected)
{
    size_t count = 0, wanted = 0;
    run->place = expected;
    if (expected->kind == DOC_LIST)
        wanted = expected->count;
    else if (expected->kind != DOC_SCALAR || strcmp(expected->text, "none") != 0)
        return fail(run, "rows of '%s' must be a list, or none", table->name);
    for (size_t i = 0; i < run->rows.count; i++) {
        const struct test_row *row = &run->rows.items[i];
        if (row->table != table)
            continue;
        count++;
        if (count <= wanted && !compare_row(run, row, count, expected->items[count - 1]))
            return false;
    }
    run->place = expected;
    return count == wanted ||
           fail(run, "table '%s' got %zu rows, expected %zu", table->name, count, wanted);
}

static const struct table *member_named(const struct table *leader, const char *name)
{
    for (size_t i = 0; i < leader->member_count; i++)
        if (strcmp(leader->members[i]->name, name) == 0)
            return leader->members[i];
    return NULL;
}

static bool compare(struct test_run *run, const struct table *table, const struct doc_node *rows)
{
    if (!rows)
        return fail(run, "'rows' is missing: a list of rows, or none");
    if (rows->kind != DOC_MAP)
        return compare_rows(run, table, rows);
    for (size_t i = 0; i < rows->count; i++) {
        const struct table *member = member_named(table, rows->keys[i]->text);
        if (!member)
            return fail(run, "'%s' is no table of this family", rows->keys[i]->text);
        if (!compare_rows(run, member, rows->items[i]))
            return false;
    }
    return true;
}

static bool flag_is(struct test_run *run, const struct doc_node *test, const char *key, bool value)
{
    bool wanted = false;
    struct err err = ERR_INIT;
    const struct doc_node *node = doc_get(test, key);
    run->place = node ? node : test;
    if (node && doc_bool(node, &wanted, &err) < 0)
        return fail(run, "%s", err.text);
    return wanted == value || fail(run, "%s is %s, expected %s", key, value ? "true" : "false",
                                   wanted ? "true" : "false");
}

static bool run_once(struct test_run *run, const struct table *table, const struct doc_node *test,
                     bool bytewise)
{
    static const char *const keys[] = {"name", "files", "rows", "timed_out", "malformed", NULL};
    struct err err = ERR_INIT;
    if (doc_check_keys(test, keys, &err) < 0)
        return fail(run, "%s", err.text);
    if (!extract_files(run, table, doc_get(test, "files"), bytewise))
        return false;
    run->place = test;
    return compare(run, table, doc_get(test, "rows")) &&
           flag_is(run, test, "timed_out", run->timed_out) &&
           flag_is(run, test, "malformed", run->malformed);
}

#define TEST_MEMORY_MAX (64UL * 1024 * 1024) /* rows of one test; a handful in practice */

static bool run_test(const struct table *table, const struct doc_node *test, char *failure,
                     size_t size, const struct doc_node **ret_place)
{
    bool passed = true;
    for (int bytewise = 0; passed && bytewise <= 1; bytewise++) {
        CLEANUP(arena_cleanup) struct arena *arena = arena_new(TEST_MEMORY_MAX);
        struct test_run run = {.arena = arena, .place = test};
        passed = arena ? run_once(&run, table, test, bytewise) : fail(&run, "out of memory");
        *ret_place = passed ? test : run.place;
        if (!passed)
            snprintf(failure, size, "%s%s", run.failure, bytewise ? " (fed byte by byte)" : "");
        vec_free(&run.rows);
    }
    return passed;
}

size_t table_set_test(const struct table_set *set, bool all,
                      void (*outcome)(void *context, const struct table *table, const char *test,
                                      const struct doc_node *place, const char *failure),
                      void *context)
{
    size_t failed = 0;
    for (size_t i = 0; i < table_set_count(set); i++) {
        const struct table *table = table_set_at(set, i);
        const struct doc_node *tests = table->leader == table ? table->tests : NULL;
        if (!all && table->built_in)
            continue;
        size_t count = tests && tests->kind == DOC_LIST ? tests->count : 0;
        for (size_t k = 0; k < count; k++) {
            char name[128], failure[600];
            const struct doc_node *place, *label = doc_get(tests->items[k], "name");
            snprintf(name, sizeof name, "%s",
                     label && label->kind == DOC_SCALAR ? label->text : "");
            if (!name[0])
                snprintf(name, sizeof name, "test %zu", k + 1);
            bool passed = run_test(table, tests->items[k], failure, sizeof failure, &place);
            failed += !passed;
            outcome(context, table, name, place, passed ? NULL : failure);
        }
    }
    return failed;
}
