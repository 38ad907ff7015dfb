/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * Lists: how they are declared, what is refused, and what queries see of them; and the project's
 * own lists.
 */
#include "database_fixture.h"

#include "analyzer/database/lists.h"
#include "analyzer/tables/embedded.h"

#define GOOD                                                                                       \
    "list: support\n"                                                                              \
    "date: 2026-11-22\n"                                                                           \
    "description: Until when\n"                                                                    \
    "sources: [https://example.com/]\n"                                                            \
    "columns: {product: {description: its name}, version: {type: version}, months: integer}\n"

static const char *const no_tables[] = {
    "table: taken\nfiles: [taken]\nmode: lines\nrow: '^(?<a>.)'\ncolumns: {a: text}\n", NULL};

/* A database with one list, and what it borrows from. */
struct fixture {
    struct database *database;
    struct table_set *tables;
    struct list_set *lists;
};

static int fill(const char *yaml, struct fixture *ret, struct err *err)
{
    struct embedded_file files[] = {{"support.yaml", yaml, yaml + strlen(yaml)}, {0}};
    struct err open_error = ERR_INIT;
    *ret = (struct fixture){.tables = tables_from(no_tables)};
    assert_ok(database_open(ret->tables, NULL, &ret->database, &open_error), &open_error);
    int r = list_set_load(files, NULL, &ret->lists, err);
    return r < 0 ? r : lists_fill(ret->lists, ret->database, err);
}

static void release(struct fixture *fixture)
{
    database_free(fixture->database);
    list_set_free(fixture->lists);
    table_set_free(fixture->tables);
}

static struct fixture filled(const char *yaml)
{
    struct fixture fixture;
    struct err err = ERR_INIT;
    assert_ok(fill(yaml, &fixture, &err), &err);
    return fixture;
}

static void fails_with(const char *yaml, const char *text)
{
    struct fixture fixture;
    struct err err = ERR_INIT;
    char message[512];
    assert_int_equal(fill(yaml, &fixture, &err), ERR_PARSE);
    err_message(&err, message, sizeof message);
    if (!strstr(message, text))
        fail_msg("expected '%s' in '%s'", text, message);
    release(&fixture);
}

static int count_rows(void *context, const struct result_row *row, struct err *err)
{
    (void)err;
    (void)row;
    ++*(int *)context;
    return 0;
}

static int rows_of(struct database *database, const char *sql)
{
    int count = 0;
    struct err err = ERR_INIT;
    assert_ok(database_query(database, sql, 1000, count_rows, &count, &err), &err);
    return count;
}

static void a_list_is_a_table_with_typed_columns(void **state)
{
    (void)state;
    struct fixture fixture =
        filled(GOOD "rows:\n  - [XCP-ng, '8.10', 12]\n  - [XCP-ng, '8.2', '']\n");
    assert_int_equal(rows_of(fixture.database, "SELECT 1 FROM support WHERE version > '8.9'"), 1);
    assert_int_equal(rows_of(fixture.database, "SELECT 1 FROM support WHERE months = 12"), 1);
    assert_int_equal(rows_of(fixture.database, "SELECT 1 FROM support WHERE months IS NULL"), 1);
    assert_string_equal(list_set_at(fixture.lists, 0)->descriptions[0], "its name");
    assert_string_equal(list_set_at(fixture.lists, 0)->descriptions[2], "");
    release(&fixture);
}

static void its_date_is_in_the_table_of_lists(void **state)
{
    (void)state;
    struct fixture fixture = filled(GOOD "rows: [[a, b, 1]]\n");
    assert_int_equal(rows_of(fixture.database, "SELECT 1 FROM lists WHERE name = 'support'"
                                               " AND date = strftime('%s', '2026-11-22') + 0"),
                     1);
    release(&fixture);
}

static void a_rule_over_a_list_has_its_data(void **state)
{
    (void)state;
    struct fixture fixture = filled(GOOD "rows: [[a, b, 1]]\n");
    assert_true(database_has_source(fixture.database, "support", 0));
    assert_true(database_has_source(fixture.database, "lists", -1));
    assert_false(database_has_source(fixture.database, "taken", -1));
    release(&fixture);
}

static void mistakes_are_named_with_their_place(void **state)
{
    (void)state;
    fails_with(GOOD, "support.yaml:1:1: a list needs the key 'rows'");
    fails_with(GOOD "rows: [[a, b]]\n", "support.yaml:6:8: a row of this list has 3 values");
    fails_with(GOOD "rows: [[a, b, [c]]]\n", "support.yaml:6:15: a value is one text or number");
    fails_with(GOOD "rows: a\n", "support.yaml:6:7: 'rows' is a list of rows");
    fails_with(GOOD "row: a\n", "support.yaml:6:1");
    fails_with("list: Support\ndate: 2026-11-22\ndescription: d\nsources: [s]\ncolumns: {a: text}\n"
               "rows: [[1]]\n",
               "support.yaml:1:7: a name here begins with a letter");
    fails_with("list: taken\ndate: 2026-11-22\ndescription: d\nsources: [s]\ncolumns: {a: text}\n"
               "rows: [[1]]\n",
               "support.yaml:1:7: there is a table 'taken' already");
    fails_with("list: support\ndate: 2026-13-22\ndescription: d\nsources: [s]\ncolumns: {a: text}\n"
               "rows: [[1]]\n",
               "support.yaml:2:7: 'date' is a day");
    fails_with("list: support\ndate: 2026-11-22\ndescription: d\nsources: [s]\ncolumns: {a: date}\n"
               "rows: [[1]]\n",
               "support.yaml:5:14");
    fails_with("list: support\ndate: 2026-11-22\ndescription: d\nsources: [s]\n"
               "columns: {a: {typ: text}}\nrows: [[1]]\n",
               "support.yaml:5:15: unknown key 'typ'");
}

/* A folder of a site's, made for one test. */
static const char *folder_with(const char *yaml)
{
    static char folder[sizeof "lists.XXXXXX"];
    char path[64];
    memcpy(folder, "lists.XXXXXX", sizeof folder);
    assert_non_null(mkdtemp(folder));
    snprintf(path, sizeof path, "%s/site.yaml", folder);
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    fputs(yaml, file);
    fclose(file);
    return folder;
}

/* The rows of list `support` with what a site's file says, or the error. */
static int rows_with(const char *yaml, char error[512])
{
    const char *base = GOOD "rows: [[XCP-ng, '8.2', 12]]\n", *folder = folder_with(yaml);
    struct embedded_file files[] = {{"support.yaml", base, base + strlen(base)}, {0}};
    struct fixture fixture = {.tables = tables_from(no_tables)};
    struct err err = ERR_INIT;
    char path[64];
    int count = -1;
    assert_ok(database_open(fixture.tables, NULL, &fixture.database, &err), &err);
    int r = list_set_load(files, (const char *const[]){folder, NULL}, &fixture.lists, &err);
    if (r == 0)
        r = lists_fill(fixture.lists, fixture.database, &err);
    if (r == 0)
        count = rows_of(fixture.database, "SELECT 1 FROM support");
    err_message(&err, error, 512);
    snprintf(path, sizeof path, "%s/site.yaml", folder);
    assert_int_equal(unlink(path) + rmdir(folder), 0);
    release(&fixture);
    return count;
}

static void a_site_adds_rows_or_puts_a_list_of_its_own_in_place(void **state)
{
    (void)state;
    char error[512];
    assert_int_equal(rows_with("list: support\nrows: [[Ours, '1', 3], [Ours, '2', 3]]\n", error),
                     3);
    assert_int_equal(rows_with(GOOD "rows: [[Ours, '1', 3]]\n", error), 1);
    assert_int_equal(rows_with("list: ours\ndate: 2026-11-22\ndescription: d\nsources: [s]\n"
                               "columns: {a: text}\nrows: [[1]]\n",
                               error),
                     1);
}

static void rows_that_fit_no_list_are_refused_with_their_place(void **state)
{
    (void)state;
    char error[512];
    assert_int_equal(rows_with("list: suport\nrows: [[Ours, '1', 3]]\n", error), -1);
    assert_non_null(strstr(error, "/site.yaml:1:7: there is no list 'suport' to add rows to"));
    assert_int_equal(rows_with("list: support\nrows: [[Ours, '1']]\n", error), -1);
    assert_non_null(strstr(error, "/site.yaml:2:8: a row of this list has 3 values"));
    assert_int_equal(rows_with("list: support\ndate: 2026-11-22\nrows: [[Ours, '1', 3]]\n", error),
                     -1);
    assert_non_null(strstr(error, "/site.yaml:2:1: unknown key 'date'"));
    assert_int_equal(rows_with("rows: [[Ours, '1', 3]]\n", error), -1);
    assert_non_null(strstr(error, "/site.yaml:1:1: a list needs the key 'list'"));
}

static void the_projects_own_lists_are_well_formed(void **state)
{
    (void)state;
    struct fixture fixture = {0};
    struct err err = ERR_INIT;
    assert_ok(table_set_load(embedded_tables, NULL, &fixture.tables, &err), &err);
    assert_ok(database_open(fixture.tables, NULL, &fixture.database, &err), &err);
    assert_ok(list_set_load(embedded_lists, NULL, &fixture.lists, &err), &err);
    assert_ok(lists_fill(fixture.lists, fixture.database, &err), &err);
    assert_true(rows_of(fixture.database, "SELECT 1 FROM lists") >= 1);
    release(&fixture);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_list_is_a_table_with_typed_columns),
        cmocka_unit_test(its_date_is_in_the_table_of_lists),
        cmocka_unit_test(a_rule_over_a_list_has_its_data),
        cmocka_unit_test(mistakes_are_named_with_their_place),
        cmocka_unit_test(a_site_adds_rows_or_puts_a_list_of_its_own_in_place),
        cmocka_unit_test(rows_that_fit_no_list_are_refused_with_their_place),
        cmocka_unit_test(the_projects_own_lists_are_well_formed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
