/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * What strangers may ask the database: reading only, within limits, with functions of our own and
 * the temporary tables of rules.
 */
#include "disks_fixture.h"

/* ------ statements ------ */

static void whatever_is_not_reading_is_refused(void **state)
{
    fill(*state);
    static const char *const statements[] = {
        "INSERT INTO notes VALUES ('a', 'b', 1, 'c')",
        "UPDATE notes SET text = 'x'",
        "DELETE FROM notes",
        "CREATE TABLE t (a)",
        "CREATE TEMP TABLE t (a)",
        "CREATE VIEW v AS SELECT 1",
        "CREATE TEMP VIEW v AS SELECT 1",
        "CREATE VIRTUAL TABLE v USING fts5(a)",
        "CREATE INDEX i ON notes (text)",
        "CREATE TRIGGER t AFTER INSERT ON notes BEGIN SELECT 1; END",
        "DROP TABLE notes",
        "ALTER TABLE notes RENAME TO n",
        "ATTACH '/tmp/x' AS x",
        "DETACH main",
        "PRAGMA journal_mode=DELETE",
        "PRAGMA user_version=1",
        "PRAGMA writable_schema=ON",
        "PRAGMA database_list",
        "BEGIN",
        "COMMIT",
        "SAVEPOINT s",
        "VACUUM",
        "VACUUM INTO '/tmp/x'",
        "ANALYZE",
        "REINDEX",
        "SELECT load_extension('x')",
        "WITH x AS (SELECT 1) INSERT INTO notes SELECT 1, 2, 3, 4 FROM x",
        "SELECT 1; DROP TABLE notes",
        "SELECT 1; SELECT 2",
        "/* nothing */ SELECT 1 ; /* but */ ; SELECT 2",
    };
    for (size_t i = 0; i < ARRAY_SIZE(statements); i++) {
        struct err err = ERR_INIT;
        struct table_names names = {0};
        if (query_code(*state, statements[i], 0, &err) != ERR_DENIED)
            fail_msg("'%s' ran: %s", statements[i], err.text);
        struct fixture *fixture = *state;
        assert_int_equal(database_references(fixture->database, statements[i], &names, NULL),
                         ERR_DENIED);
    }
    struct fixture *fixture = *state;
    assert_rows(fixture->database, "SELECT count(*) FROM disks", "2\n");
}

static void a_refusal_names_what_was_refused(void **state)
{
    struct err err = ERR_INIT;
    assert_int_equal(query_code(*state, "DELETE FROM notes", 0, &err), ERR_DENIED);
    assert_string_equal(err.text, "SQL: DELETE is refused; a query may only read");
    err_clear(&err);
    assert_int_equal(query_code(*state, "DROP TABLE notes", 0, &err), ERR_DENIED);
    assert_string_equal(err.text, "SQL: CREATE, ALTER or DROP is refused; a query may only read");
    err_clear(&err);
    assert_int_equal(query_code(*state, "SELECT load_extension('x')", 0, &err), ERR_DENIED);
    assert_string_equal(err.text, "SQL: function load_extension is refused; a query may only read");
}

static void reading_of_any_kind_is_allowed(void **state)
{
    fill(*state);
    struct fixture *fixture = *state;
    struct database *database = fixture->database;
    assert_rows(database, "SELECT name FROM sqlite_schema WHERE name LIKE 'd%'", "disks\n");
    assert_rows(database, "SELECT name FROM pragma_table_info('notes') WHERE cid > 2", "text\n");
    assert_rows(database, "VALUES (1), (2)", "1\n2\n");
    assert_rows(database, "SELECT value FROM json_each('[1,2]')", "1\n2\n");
    assert_rows(database,
                "WITH RECURSIVE n(i) AS (VALUES (1) UNION ALL SELECT i + 1 FROM n WHERE i < 3)"
                " SELECT group_concat(i) FROM n",
                "1,2,3\n");
    assert_rows(database, "SELECT 1 -- a comment ends it\n", "1\n");
    assert_rows(database, "SELECT 1; ; -- and so does this", "1\n");
}

static void bad_statements_are_errors_with_the_librarys_text(void **state)
{
    static const struct {
        const char *sql, *text;
    } cases[] = {
        {"SELECT nonsense FROM notes", "SQL: no such column: nonsense"},
        {"SELECT 1\nFROM\nnowhere", "no such table: nowhere"},
        {"SELECT \"text\" , \"quoted\" FROM notes", "no such column: quoted"},
        {"SELECT 1\nFROM notes\nWHERE )", "SQL, line 3: near \")\": syntax error"},
        {"", "SQL: there is no statement"},
        {" -- nothing", "SQL: there is no statement"},
        {"SELECT ?1", "parameters (?1) have no value here"},
        {"SELECT regexp('(', 'x')", "bad regular expression"},
    };
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct err err = ERR_INIT;
        if (query_code(*state, cases[i].sql, 0, &err) != ERR_PARSE)
            fail_msg("'%s' gave %d: %s", cases[i].sql, err.code, err.text);
        if (!strstr(err.text, cases[i].text))
            fail_msg("'%s' says '%s'", cases[i].sql, err.text);
    }
}

static void a_statement_without_end_is_ended_by_its_time_limit(void **state)
{
    fill(*state);
    struct err err = ERR_INIT;
    int r = query_code(*state,
                       "WITH RECURSIVE n(i) AS (VALUES (1) UNION ALL SELECT i + 1 FROM n)"
                       " SELECT count(*) FROM n",
                       50, &err);
    assert_int_equal(r, ERR_TIMEOUT);
    struct fixture *fixture = *state;
    assert_rows(fixture->database, "SELECT count(*) FROM disks", "2\n");
}

static void a_value_that_is_too_large_is_an_error(void **state)
{
    struct err err = ERR_INIT;
    assert_int_equal(query_code(*state, "SELECT zeroblob(100000000)", 0, &err), ERR_LIMIT);
}

static void references_are_the_tables_a_statement_reads(void **state)
{
    static const struct {
        const char *sql, *names[4];
    } cases[] = {
        {"SELECT count(*) FROM notes", {"notes"}},
        {"SELECT 1", {NULL}},
        {"SELECT d.name FROM disks d, NOTES n, disks e", {"disks", "notes"}},
        {"SELECT 1 WHERE EXISTS (SELECT 1 FROM vms)", {"vms"}},
        {"WITH x AS (SELECT text AS t FROM notes) SELECT value FROM x, json_each(x.t)", {"notes"}},
        {"SELECT * FROM hosts", {"hosts"}},
        {"SELECT name FROM disks UNION SELECT text FROM notes", {"disks", "notes"}},
    };
    struct fixture *fixture = *state;
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct err err = ERR_INIT;
        struct table_names names = {0};
        size_t expected = 0;
        assert_ok(database_references(fixture->database, cases[i].sql, &names, &err), &err);
        for (; cases[i].names[expected]; expected++) {
            bool found = false;
            for (size_t n = 0; n < names.count; n++)
                found = found || strcasecmp(names.names[n], cases[i].names[expected]) == 0;
            if (!found)
                fail_msg("'%s' does not tell '%s'", cases[i].sql, cases[i].names[expected]);
        }
        assert_int_equal(names.count, expected);
        table_names_release(&names);
    }
}

static int ask_inside(void *context, const struct result_row *row, struct err *err)
{
    struct fixture *fixture = context;
    assert_string_equal(row->names[0], "name");
    static const char *const columns[] = {"text"};
    if (database_temp_create(fixture->database, row->values[0], columns, 1, err) < 0)
        return err->code;
    return query_code(fixture, "SELECT * FROM notes", 1000, err);
}

static int refuse(void *context, const struct result_row *row, struct err *err)
{
    (void)context;
    (void)row;
    return err_set(err, ERR_CANCELLED, "enough");
}

static void a_sink_may_use_the_database_and_may_end_the_query(void **state)
{
    fill(*state);
    struct fixture *fixture = *state;
    struct err err = ERR_INIT;
    assert_ok(database_query(fixture->database, "SELECT name FROM disks", 5000, ask_inside, fixture,
                             &err),
              &err);
    assert_int_equal(
        database_query(fixture->database, "SELECT name FROM disks", 0, refuse, NULL, &err),
        ERR_CANCELLED);
    assert_rows(fixture->database, "SELECT count(*) FROM sda, sdb", "0\n");
    /* And the guard is up again afterwards. */
    assert_int_equal(query_code(fixture, "DELETE FROM notes", 0, NULL), ERR_DENIED);
}

/* ------ functions ------ */

static void functions_do_what_rules_need(void **state)
{
    static const struct {
        const char *expression, *value;
    } cases[] = {
        {"version_cmp('8.2.1', '8.10')", "-1"},
        {"version_cmp('8.10', '8.10')", "0"},
        {"version_cmp('4.13.4-10', '4.13.4-9.24.1')", "1"},
        {"version_cmp(NULL, '1')", "~"},
        {"version_cmp(8, '8')", "0"},
        {"'8.2' < '8.10' COLLATE VERSION", "1"},
        {"bytes('4G')", "4294967296"},
        {"bytes('1.5 KiB')", "1536"},
        {"bytes(4096)", "4096"},
        {"bytes('much')", "~"},
        {"bytes(NULL)", "~"},
        {"duration('10m')", "600"},
        {"duration('2h')", "7200"},
        {"duration('soon')", "~"},
        {"regexp('^a.c$', 'abc')", "1"},
        {"regexp('^a.c$', 'abcd')", "0"},
        {"'abc' REGEXP '^a'", "1"},
        {"'abc' NOT REGEXP '^a'", "0"},
        {"regexp('(?i)OOM', 'an oom kill')", "1"},
        {"regexp(NULL, 'x')", "~"},
        {"regexp('x', NULL)", "~"},
        {"regexp('4', 42)", "1"},
        {"json_extract('{\"a\":[1,2]}', '$.a[1]')", "2"},
    };
    struct fixture *fixture = *state;
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        char sql[256], expected[64];
        snprintf(sql, sizeof sql, "SELECT %s", cases[i].expression);
        snprintf(expected, sizeof expected, "%s\n", cases[i].value);
        print_message("%s\n", sql);
        assert_rows(fixture->database, sql, expected);
    }
}

static void regexp_takes_its_pattern_from_a_column_too(void **state)
{
    fill(*state);
    struct fixture *fixture = *state;
    assert_rows(fixture->database, "SELECT name FROM disks WHERE 'xsdbx' REGEXP name", "sdb\n");
}

static void a_pattern_that_explodes_is_an_error_and_not_a_no(void **state)
{
    struct err err = ERR_INIT;
    int r = query_code(*state,
                       "SELECT regexp('^(a+)+$', '"
                       "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaab')",
                       0, &err);
    assert_int_equal(r, ERR_PARSE);
    assert_non_null(strstr(err.text, "too many steps"));
}

/* ------ temporary tables ------ */

static void temporary_tables_hold_hits_with_numbers_as_numbers(void **state)
{
    fill(*state);
    struct fixture *fixture = *state;
    struct database *database = fixture->database;
    static const char *const columns[] = {"host", "line", "time", "count", "device"};
    static const struct cell cells[] = {
        {"alpha", 5}, {"12", 2}, {"1000.25", 7}, {"3", 1}, {"sda", 3}};
    static const struct cell unknown[] = {{"beta", 4}, {"9", 1}, {NULL, 0}, {"1", 1}, {NULL, 0}};
    struct err err = ERR_INIT;
    assert_ok(database_temp_create(database, "lost", columns, 5, &err), &err);
    assert_ok(database_temp_insert(database, "lost", cells, 5, &err), &err);
    assert_ok(database_temp_insert(database, "lost", unknown, 5, &err), &err);
    assert_rows(database, "SELECT line + 1, time + 1, count * 2, device FROM lost",
                "13|1001.25|6|sda\n10|~|2|~\n");
    assert_rows(database,
                "SELECT d.name FROM disks d JOIN lost l ON l.host = d.host AND l.device = d.name",
                "sda\n");
    assert_true(database_has_source(database, "lost", -1));

    struct table_names names = {0};
    assert_ok(database_references(database, "SELECT * FROM lost, disks", &names, &err), &err);
    assert_int_equal(names.count, 2);
    table_names_release(&names);

    assert_ok(database_temp_drop(database, "lost", &err), &err);
    assert_int_equal(query_code(fixture, "SELECT * FROM lost", 0, NULL), ERR_PARSE);
    /* The name is free again, with other columns. */
    assert_ok(database_temp_create(database, "lost", columns, 2, &err), &err);
    assert_rows(database, "SELECT count(*) FROM lost", "0\n");
}

static void a_temporary_table_without_rows_is_a_table(void **state)
{
    fill(*state);
    struct fixture *fixture = *state;
    struct database *database = fixture->database;
    static const char *const columns[] = {"host", "line", "device"};
    struct err err = ERR_INIT;
    assert_ok(database_temp_create(database, "lost", columns, 3, &err), &err);
    assert_rows(database, "SELECT count(*), max(line), min(rowid) FROM LOST", "0|~|~\n");
    assert_rows(database,
                "SELECT d.name, l.line FROM disks d LEFT JOIN lost l ON l.device = d.name"
                " WHERE d.name = 'sda'",
                "sda|~\n");
    assert_rows(database, "SELECT count(*) FROM hosts WHERE NOT EXISTS (SELECT * FROM lost)",
                "3\n");

    struct table_names names = {0};
    assert_ok(database_references(database, "SELECT l.line FROM lost l", &names, &err), &err);
    assert_int_equal(names.count, 1);
    assert_string_equal(names.names[0], "lost");
    table_names_release(&names);
    assert_int_equal(query_code(fixture, "SELECT colour FROM lost", 0, &err), ERR_PARSE);
    assert_non_null(strstr(err.text, "no such column"));
    err = (struct err)ERR_INIT;
    assert_int_equal(query_code(fixture, "DELETE FROM lost", 0, &err), ERR_DENIED);

    /* The same name, whatever the case, is taken; after it is dropped it is not. */
    assert_int_equal(database_temp_create(database, "Lost", columns, 3, &err), ERR_PARSE);
    err = (struct err)ERR_INIT;
    assert_ok(database_temp_drop(database, "lost", &err), &err);
    assert_int_equal(query_code(fixture, "SELECT * FROM lost", 0, &err), ERR_PARSE);
    assert_non_null(strstr(err.text, "no such table"));
}

static void a_temporary_table_hides_a_function_while_it_is_there(void **state)
{
    fill(*state);
    struct fixture *fixture = *state;
    struct database *database = fixture->database;
    static const char *const columns[] = {"text"};
    struct err err = ERR_INIT;
    assert_ok(database_temp_create(database, "json_each", columns, 1, &err), &err);
    assert_rows(database, "SELECT count(text) FROM json_each", "0\n");
    assert_ok(database_temp_drop(database, "json_each", &err), &err);
    assert_rows(database, "SELECT value FROM json_each('[7]')", "7\n");
}

static void columns_and_tables_must_have_names_that_are_free(void **state)
{
    struct fixture *fixture = *state;
    static const char *const columns[] = {"text", "Text"};
    struct err err = ERR_INIT;
    assert_int_equal(database_temp_create(fixture->database, "a", columns, 2, &err), ERR_PARSE);
    assert_non_null(strstr(err.text, "duplicate column name: Text"));
    err = (struct err)ERR_INIT;
    assert_int_equal(database_temp_create(fixture->database, "sqlite_a", columns, 1, &err),
                     ERR_PARSE);
    assert_non_null(strstr(err.text, "reserved"));
}

static void a_temporary_table_cannot_hide_another_table(void **state)
{
    struct fixture *fixture = *state;
    static const char *const columns[] = {"text"};
    struct err err = ERR_INIT;
    assert_int_equal(database_temp_create(fixture->database, "Notes", columns, 1, &err), ERR_PARSE);
    assert_non_null(strstr(err.text, "choose another"));
}

static void names_with_quotes_harm_nothing(void **state)
{
    struct fixture *fixture = *state;
    static const char *const columns[] = {"a\"b", "c'; DROP TABLE notes; --"};
    static const struct cell cells[] = {{"1", 1}, {"2", 1}};
    struct err err = ERR_INIT;
    assert_ok(database_temp_create(fixture->database, "x\" (a); --", columns, 2, &err), &err);
    assert_ok(database_temp_insert(fixture->database, "x\" (a); --", cells, 2, &err), &err);
    assert_rows(fixture->database, "SELECT * FROM \"x\"\" (a); --\"", "1|2\n");
    assert_ok(database_temp_drop(fixture->database, "x\" (a); --", &err), &err);
    assert_rows(fixture->database, "SELECT count(*) FROM notes", "0\n");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        test(whatever_is_not_reading_is_refused),
        test(a_refusal_names_what_was_refused),
        test(reading_of_any_kind_is_allowed),
        test(bad_statements_are_errors_with_the_librarys_text),
        test(a_statement_without_end_is_ended_by_its_time_limit),
        test(a_value_that_is_too_large_is_an_error),
        test(references_are_the_tables_a_statement_reads),
        test(a_sink_may_use_the_database_and_may_end_the_query),
        test(functions_do_what_rules_need),
        test(regexp_takes_its_pattern_from_a_column_too),
        test(a_pattern_that_explodes_is_an_error_and_not_a_no),
        test(temporary_tables_hold_hits_with_numbers_as_numbers),
        test(a_temporary_table_without_rows_is_a_table),
        test(a_temporary_table_hides_a_function_while_it_is_there),
        test(columns_and_tables_must_have_names_that_are_free),
        test(a_temporary_table_cannot_hide_another_table),
        test(names_with_quotes_harm_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
