/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * What the database holds: rows of hosts, typed values, and what becomes of them in a file.
 */
#include "disks_fixture.h"

#include <sqlite3.h>
#include <unistd.h>

#include "analyzer/database/database_private.h"

/* ------ rows ------ */

static void rows_carry_the_name_of_their_host_once_hosts_are_settled(void **state)
{
    fill(*state);
    struct fixture *fixture = *state;
    assert_rows(fixture->database, "SELECT host, path, line, name FROM disks ORDER BY name",
                "alpha|disks.txt|1|sda\nbeta|disks.txt|1|sdb\n");
}

static void values_have_the_type_of_their_column(void **state)
{
    fill(*state);
    struct fixture *fixture = *state;
    assert_rows(fixture->database, "SELECT size, used + 1, load * 2, typeof(firmware) FROM disks",
                "4294967296|13|1.0|text\n4096|8|2000.0|text\n");
}

static void a_text_that_is_no_number_is_null_in_a_number_column(void **state)
{
    struct fixture *fixture = *state;
    ADD_ROW(fixture->database, fixture->tables, "disks", 0, "disks.txt", "sda", "-", "93%", "nan",
            "~");
    ADD_ROW(fixture->database, fixture->tables, "disks", 0, "disks.txt", "sdb", "", "0x10", "inf",
            "");
    ADD_ROW(fixture->database, fixture->tables, "disks", 0, "disks.txt", "sdc", "-1", " -7 ", "1,5",
            "x");
    settle(fixture);
    assert_rows(fixture->database, "SELECT size, used, load, firmware FROM disks",
                "~|~|~|~\n~|~|~|\n-1|-7|~|x\n");
    assert_rows(fixture->database, "SELECT count(*) FROM disks WHERE used > 90", "0\n");
}

static void version_columns_compare_and_sort_as_versions(void **state)
{
    fill(*state);
    struct fixture *fixture = *state;
    assert_rows(fixture->database, "SELECT firmware FROM disks ORDER BY firmware", "1.9\n1.10\n");
    assert_rows(fixture->database, "SELECT name FROM disks WHERE firmware >= '1.10'", "sda\n");
    assert_rows(fixture->database, "SELECT max(firmware) FROM disks", "1.10\n");
}

static void many_rows_of_many_hosts_are_settled_together(void **state)
{
    struct fixture *fixture = *state;
    for (unsigned i = 0; i < 3000; i++)
        ADD_ROW(fixture->database, fixture->tables, "notes", i % 3, "notes.txt", "x");
    settle(fixture);
    assert_rows(fixture->database, "SELECT host, count(*) FROM notes GROUP BY host",
                "alpha|1000\nbeta|1000\ngamma|1000\n");
}

static void a_row_of_a_host_nobody_knows_is_our_mistake(void **state)
{
    struct fixture *fixture = *state;
    static const char *const names[] = {"alpha"};
    struct err err = ERR_INIT;
    ADD_ROW(fixture->database, fixture->tables, "notes", 1, "notes.txt", "x");
    assert_int_equal(database_settle_hosts(fixture->database, names, 1, &err), ERR_BUG);
}

static void rows_beyond_the_limit_are_dropped_and_counted(void **state)
{
    struct fixture *fixture = *state;
    fixture->database->bytes_max = 200;
    for (int i = 0; i < 10; i++)
        ADD_ROW(fixture->database, fixture->tables, "notes", 0, "notes.txt",
                "twenty bytes of text");
    settle(fixture);
    assert_rows(fixture->database, "SELECT count(*) FROM notes", "3\n");
    assert_int_equal(database_dropped(fixture->database), 7);
}

static void table_hosts_tells_where_a_host_comes_from(void **state)
{
    struct fixture *fixture = *state;
    static const struct database_host hosts[] = {
        {.name = "alpha",
         .source = "a.zip",
         .uptime = "up 5 days",
         .taken = 1000,
         .taken_is_known = true},
        {.name = "beta"},
    };
    struct err err = ERR_INIT;
    assert_ok(database_settle(fixture->database, hosts, 2, &err), &err);
    assert_rows(fixture->database, "SELECT host, source, taken, uptime FROM hosts",
                "alpha|a.zip|1000|up 5 days\nbeta|~|~|~\n");
}

static void of_alternative_files_only_the_first_with_rows_counts(void **state)
{
    struct fixture *fixture = *state;
    struct database *database = fixture->database;
    /* The better file comes first, last, not at all. */
    ADD_ROW(database, fixture->tables, "vms", 0, "first.xml", "a1");
    ADD_ROW(database, fixture->tables, "vms", 0, "second.xml", "a2");
    ADD_ROW(database, fixture->tables, "srs", 0, "second.xml", "s2");
    ADD_ROW(database, fixture->tables, "vms", 1, "second.xml", "b2");
    ADD_ROW(database, fixture->tables, "vms", 1, "first.xml", "b1");
    ADD_ROW(database, fixture->tables, "vms", 2, "second.xml", "c2");
    settle(fixture);
    assert_rows(database, "SELECT host, ref FROM vms ORDER BY host",
                "alpha|a1\nbeta|b1\ngamma|c2\n");
    assert_rows(database, "SELECT host, ref FROM srs", "");
}

static void a_table_has_a_source_only_where_one_was_noted_or_gave_rows(void **state)
{
    struct fixture *fixture = *state;
    struct database *database = fixture->database;
    struct err err = ERR_INIT;
    assert_ok(database_note_source(database, table_set_find(fixture->tables, "vms"), 2, &err),
              &err);
    ADD_ROW(database, fixture->tables, "notes", 1, "notes.txt", "x");
    assert_false(database_has_source(database, "notes", 0));
    assert_true(database_has_source(database, "notes", 1));
    assert_false(database_has_source(database, "notes", 2));
    assert_true(database_has_source(database, "notes", -1));
    assert_false(database_has_source(database, "disks", -1));
    assert_false(database_has_source(database, "nothing", -1));
    /* The family as a whole has the leader's sources. */
    assert_true(database_has_source(database, "srs", 2));
    assert_false(database_has_source(database, "srs", 0));
    /* What comes from no file is always there. */
    assert_true(database_has_source(database, "hosts", -1));
    assert_true(database_has_source(database, "facts", 0));
}

/* ------ files ------ */

struct folder {
    char path[64], file[96];
};

static int make_folder(void **state)
{
    struct folder *folder = calloc(1, sizeof *folder);
    assert_non_null(folder);
    snprintf(folder->path, sizeof folder->path, "/tmp/test_database.XXXXXX");
    assert_non_null(mkdtemp(folder->path));
    snprintf(folder->file, sizeof folder->file, "%s/out.sqlite", folder->path);
    *state = folder;
    return 0;
}

static int remove_folder(void **state)
{
    struct folder *folder = *state;
    unlink(folder->file);
    int r = rmdir(folder->path);
    free(folder);
    return r;
}

static int keep_text(void *context, int count, char **values, char **names)
{
    (void)count;
    (void)names;
    strbuf_adds(context, values[0]);
    return 0;
}

static void an_exported_file_holds_all_tables(void **state)
{
    struct folder *folder = *state;
    struct fixture fixture = {.tables = tables_from(yaml)};
    struct err err = ERR_INIT;
    assert_ok(database_open(fixture.tables, folder->file, &fixture.database, &err), &err);
    fill(&fixture);
    database_free(fixture.database);
    table_set_free(fixture.tables);

    /* With a connection that knows nothing of us. */
    sqlite3 *handle = NULL;
    struct strbuf text = STRBUF_INIT;
    assert_int_equal(sqlite3_open_v2(folder->file, &handle, SQLITE_OPEN_READONLY, NULL), SQLITE_OK);
    assert_int_equal(sqlite3_exec(handle,
                                  "SELECT group_concat(name) FROM"
                                  " (SELECT name FROM sqlite_schema ORDER BY name)",
                                  keep_text, &text, NULL),
                     SQLITE_OK);
    assert_int_equal(
        sqlite3_exec(handle, "SELECT ':' || host || size FROM disks", keep_text, &text, NULL),
        SQLITE_OK);
    assert_string_equal(text.data, "disks,hosts,notes,srs,vms:alpha4294967296:beta4096");
    strbuf_release(&text);
    sqlite3_close(handle);
}

static void an_export_never_writes_over_a_file(void **state)
{
    struct folder *folder = *state;
    struct fixture fixture = {.tables = tables_from(yaml)};
    struct err err = ERR_INIT;
    FILE *file = fopen(folder->file, "w");
    assert_non_null(file);
    fputs("precious", file);
    fclose(file);
    assert_int_equal(database_open(fixture.tables, folder->file, &fixture.database, &err), ERR_IO);
    assert_non_null(strstr(err.text, "it exists"));
    err_clear(&err);
    assert_int_equal(database_open(fixture.tables, folder->path, &fixture.database, &err), ERR_IO);
    err_clear(&err);
    assert_int_equal(database_open(fixture.tables, "/nowhere/x.sqlite", &fixture.database, &err),
                     ERR_NOTFOUND);
    table_set_free(fixture.tables);
}

static void an_empty_file_may_be_exported_into(void **state)
{
    struct folder *folder = *state;
    struct fixture fixture = {.tables = tables_from(yaml)};
    struct err err = ERR_INIT;
    FILE *file = fopen(folder->file, "w");
    assert_non_null(file);
    fclose(file);
    assert_ok(database_open(fixture.tables, folder->file, &fixture.database, &err), &err);
    fill(&fixture);
    assert_rows(fixture.database, "SELECT count(*) FROM disks", "2\n");
    database_free(fixture.database);
    table_set_free(fixture.tables);
}

#define file_test(name) cmocka_unit_test_setup_teardown(name, make_folder, remove_folder)

int main(void)
{
    const struct CMUnitTest tests[] = {
        test(rows_carry_the_name_of_their_host_once_hosts_are_settled),
        test(values_have_the_type_of_their_column),
        test(a_text_that_is_no_number_is_null_in_a_number_column),
        test(version_columns_compare_and_sort_as_versions),
        test(many_rows_of_many_hosts_are_settled_together),
        test(a_row_of_a_host_nobody_knows_is_our_mistake),
        test(rows_beyond_the_limit_are_dropped_and_counted),
        test(table_hosts_tells_where_a_host_comes_from),
        test(of_alternative_files_only_the_first_with_rows_counts),
        test(a_table_has_a_source_only_where_one_was_noted_or_gave_rows),
        file_test(an_exported_file_holds_all_tables),
        file_test(an_export_never_writes_over_a_file),
        file_test(an_empty_file_may_be_exported_into),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
