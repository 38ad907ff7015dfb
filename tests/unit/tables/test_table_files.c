/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * The tables the program carries: all of them load, each is tested in its own file, and the tests
 * pass. They are read from the source folder, so that a failure names the file to open.
 */
#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#include "analyzer/tables/embedded.h"
#include "analyzer/tables/extract.h"

static const char *const folder[] = {SOURCE_DIR "/rules/tables", NULL};

struct outcomes {
    size_t passed, failed;
};

static void count_outcome(void *context, const struct table *table, const char *test,
                          const struct doc_node *place, const char *failure)
{
    struct outcomes *outcomes = context;
    if (failure) {
        print_error("%s:%d: %s: %s: %s\n", place->file, place->line, table->name, test, failure);
        outcomes->failed++;
    } else {
        outcomes->passed++;
    }
}

static struct table_set *load(const struct embedded_file *embedded, const char *const *paths)
{
    struct err err = ERR_INIT;
    char text[1024];
    struct table_set *set = NULL;
    if (table_set_load(embedded, paths, &set, &err) < 0)
        fail_msg("%s", err_message(&err, text, sizeof text));
    return set;
}

static void all_tests_of_all_tables_pass(void **state)
{
    (void)state;
    struct table_set *set = load(NULL, folder);
    struct outcomes outcomes = {0};
    assert_int_equal(table_set_test(set, true, count_outcome, &outcomes), 0);
    assert_int_equal(outcomes.failed, 0);
    size_t files = 0;
    for (size_t i = 0; i < table_set_count(set); i++)
        files += table_set_at(set, i)->leader == table_set_at(set, i);
    assert_true(outcomes.passed >= files / 2);
    table_set_free(set);
}

static void every_table_has_a_test_and_a_description(void **state)
{
    (void)state;
    struct table_set *set = load(NULL, folder);
    for (size_t i = 0; i < table_set_count(set); i++) {
        const struct table *table = table_set_at(set, i);
        if (table->leader->tests == NULL || table->leader->tests->count == 0)
            fail_msg("%s: table '%s' has no test", table->file, table->name);
        if (table->description[0] == '\0')
            fail_msg("%s: table '%s' has no description", table->file, table->name);
    }
    table_set_free(set);
}

static void the_program_carries_the_same_tables(void **state)
{
    (void)state;
    struct table_set *files = load(NULL, folder), *carried = load(embedded_tables, NULL);
    assert_int_equal(table_set_count(files), table_set_count(carried));
    for (size_t i = 0; i < table_set_count(files); i++)
        assert_non_null(table_set_find(carried, table_set_at(files, i)->name));
    table_set_free(files);
    table_set_free(carried);
}

static int refuse_row(void *context, const struct table *table, int64_t line,
                      const struct cell *cells, struct err *err)
{
    (void)line;
    (void)cells;
    (void)err;
    *(const char **)context = table->name;
    return 0;
}

static void an_empty_file_has_no_rows_and_is_not_malformed(void **state)
{
    (void)state;
    struct table_set *set = load(embedded_tables, NULL);
    for (size_t i = 0; i < table_set_count(set); i++) {
        const struct table *table = table_set_at(set, i);
        const struct doc_node *tests = table->tests;
        if (table->leader != table || !tests || tests->count == 0)
            continue;
        const struct doc_node *files = doc_get(tests->items[0], "files");
        struct err err = ERR_INIT;
        struct extraction *extraction;
        const char *row_of = NULL;
        bool timed_out = true, malformed = true;
        assert_int_equal(
            extraction_begin(table, files->keys[0]->text, refuse_row, &row_of, &extraction, &err),
            0);
        assert_int_equal(extraction_end(extraction, &timed_out, &malformed, &err), 0);
        extraction_free(extraction);
        if (row_of || timed_out || malformed)
            fail_msg("table '%s': row %s, timed out %d, malformed %d", table->name,
                     row_of ? "yes" : "no", timed_out, malformed);
    }
    table_set_free(set);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(all_tests_of_all_tables_pass),
        cmocka_unit_test(every_table_has_a_test_and_a_description),
        cmocka_unit_test(the_program_carries_the_same_tables),
        cmocka_unit_test(an_empty_file_has_no_rows_and_is_not_malformed),
    };
    return cmocka_run_group_tests_name("the tables' files", tests, NULL, NULL);
}
