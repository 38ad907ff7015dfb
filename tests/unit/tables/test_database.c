/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * What the database promises: rows of hosts, typed values, safe statements of strangers, its own
 * functions.
 */
#include "database_fixture.h"

#include <sqlite3.h>
#include <unistd.h>

#include "analyzer/database/database_private.h"
#include "common/io.h"

static const char *const yaml[] = {
    "table: disks\n"
    "files: [disks.txt]\n"
    "mode: lines\n"
    "row: '^(?<name>\\S+) (?<size>\\S+) (?<used>\\S+) (?<load>\\S+) (?<firmware>\\S+)'\n"
    "columns: {name: text, size: bytes, used: integer, load: real, firmware: version}\n",
    "table: notes\n"
    "files: [notes.txt]\n"
    "mode: lines\n"
    "row: '^(?<text>.*)'\n"
    "columns: {text: text}\n",
    "family: objects\n"
    "files: [first.xml, second.xml]\n"
    "mode: xapi-db\n"
    "tables:\n"
    "  vms: {class: VM, columns: {ref: text}}\n"
    "  srs: {class: SR, columns: {ref: text}}\n",
    NULL,
};

struct fixture {
    struct table_set *tables;
    struct database *database;
};

static int set_up(void **state)
{
    struct fixture *fixture = calloc(1, sizeof *fixture);
    struct err err = ERR_INIT;
    assert_non_null(fixture);
    fixture->tables = tables_from(yaml);
    assert_ok(database_open(fixture->tables, NULL, &fixture->database, &err), &err);
    *state = fixture;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *fixture = *state;
    database_free(fixture->database);
    table_set_free(fixture->tables);
    free(fixture);
    return 0;
}

static void settle(struct fixture *fixture)
{
    static const char *const names[] = {"alpha", "beta", "gamma"};
    struct err err = ERR_INIT;
    assert_ok(database_settle_hosts(fixture->database, names, 3, &err), &err);
}

static void fill(struct fixture *fixture)
{
    ADD_ROW(fixture->database, fixture->tables, "disks", 0, "disks.txt", "sda", "4G", "12", "0.5",
            "1.10");
    ADD_ROW(fixture->database, fixture->tables, "disks", 1, "disks.txt", "sdb", "4096", "7", "1e3",
            "1.9");
    settle(fixture);
}

static int query_code(struct fixture *fixture, const char *sql, int limit_ms, struct err *err)
{
    struct strbuf text = STRBUF_INIT;
    int r = database_query(fixture->database, sql, limit_ms, append_row, &text, err);
    strbuf_release(&text);
    return r;
}

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

#define test(name)      cmocka_unit_test_setup_teardown(name, set_up, tear_down)
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
        file_test(an_exported_file_holds_all_tables),
        file_test(an_export_never_writes_over_a_file),
        file_test(an_empty_file_may_be_exported_into),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
