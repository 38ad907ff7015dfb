/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * Mistakes in a table's YAML are refused with their place and what would be right; several files
 * make one set.
 */
#include <fcntl.h>
#include <sys/stat.h>

#include "table_fixture.h"

#include "common/io.h"

#define HEAD "table: t\nfiles: [f]\nmode: lines\n"
#define ROW  "row: '(?<a>x)'\n"

static const struct {
    const char *yaml, *error;
} mistakes[] = {
    {"- a\n", "t0.yaml:1:1: a table file is a map: table, files, mode, columns"},
    {"table: t\nmode: lines\n",
     "t0.yaml:1:1: 'files' is missing: the paths in a report that the table is made from"},
    {"table: t\nfiles: [f]\n",
     "t0.yaml:1:1: 'mode' is missing: lines, keys, blocks, json, xapi-db"},
    {"table: t\nfiles: [f]\nmode: line\n",
     "t0.yaml:3:7: 'line' is no mode; it is one of lines, keys, blocks, json, xapi-db"},
    {"table: t\nfiles: []\nmode: lines\n",
     "t0.yaml:2:8: 'files' is empty: name a path in a report"},
    {"table: t\nfiles: [/f]\nmode: lines\n",
     "t0.yaml:2:9: path pattern '/f' begins with a slash: write 'f'"},
    {"table: t\nfiles: ['{a}-{b}', '{b}-{a}']\nmode: lines\n",
     "t0.yaml:2:8: the patterns '{a}-{b}' and '{b}-{a}' must have the same {captures}"},
    {"files: [f]\nmode: lines\n" ROW "columns: {a: text}\n",
     "t0.yaml:1:1: 'table' is missing: the table's name"},
    {HEAD ROW, "t0.yaml:1:1: 'columns' is missing: a map of column names and types"},
    {HEAD ROW "columns: [a]\n", "t0.yaml:5:10: 'columns' must be a map: column name and type"},
    {HEAD ROW "columns: {a: string}\n",
     "t0.yaml:5:14: expected one of: text, integer, real, bytes, version, flag"},
    {HEAD ROW "columns: {a: {typ: text}}\n",
     "t0.yaml:5:15: unknown key 'typ'; did you mean 'type'?"},
    {HEAD ROW "columns: {a: text, A: text}\n",
     "t0.yaml:5:20: columns 'a' and 'A': the database does not tell upper from lower case"},
    {HEAD ROW "columns: {host: text}\n",
     "t0.yaml:5:11: a column cannot be called 'host': the database has that already"},
    {HEAD ROW "columns: {a b: text}\n",
     "t0.yaml:5:11: 'a b' cannot be the name of a column: use letters, digits and '_'"},
    {"table: Hosts\nfiles: [f]\nmode: lines\n" ROW "columns: {a: text}\n",
     "t0.yaml:1:8: a table cannot be called 'Hosts': the database has that already"},
    {"table: sqlite_t\nfiles: [f]\nmode: lines\n" ROW "columns: {a: text}\n",
     "t0.yaml:1:8: 'sqlite_t' cannot be the name of a table: use letters, digits and '_'"},
    {HEAD "rwo: x\n" ROW "columns: {a: text}\n",
     "t0.yaml:4:1: unknown key 'rwo'; did you mean 'row'?"},
    {HEAD "start: x\n" ROW "columns: {a: text}\n",
     "t0.yaml:4:1: unknown key 'start'; known here: "
     "table, description, capability, files, mode, columns, tests, empty_if_absent, row, begin, end, join, "
     "repeat, inherit"},
    {HEAD "columns: {a: text}\n",
     "t0.yaml:1:1: 'row' is missing: a regex whose named groups are columns"},
    {HEAD "row: '(?<a>x'\ncolumns: {a: text}\n",
     "t0.yaml:4:6: bad regular expression: missing closing parenthesis, at its end"},
    {HEAD "row: '(?<b>x)(?<a>y)'\ncolumns: {a: text}\n",
     "t0.yaml:4:6: group 'b' is not a column of table 't'"},
    {HEAD ROW "columns: {a: text, b: text}\n",
     "t0.yaml:1:1: column 'b' has no source: no group is called 'b'"},
    {HEAD ROW "repeat: often\ncolumns: {a: text}\n", "t0.yaml:5:9: "},
    {HEAD ROW "columns: {a: {match: '(?<val>.)'}}\n",
     "t0.yaml:5:22: group 'val' means nothing in a column's match: use (?<value>...), and "
     "(?<minus>...) for a word that makes the number negative"},
    {"table: t\nfiles: [f]\nmode: keys\npair: '(?<k>.)=(?<value>.)'\ncolumns: {a: text}\n",
     "t0.yaml:4:7: the regex has no group (?<key>...)"},
    {"table: t\nfiles: [f]\nmode: blocks\ncolumns: {a: text}\n",
     "t0.yaml:1:1: 'start' is missing: a regex for the first line of a block"},
    {"table: t\nfiles: [f]\nmode: blocks\nstart: x\ncolumns: {a: text}\n",
     "t0.yaml:1:1: column 'a' has no source: no group is called 'a'"},
    {"table: t\nfiles: [f]\nmode: json\nitems: a..b\ncolumns: {a: text}\n",
     "t0.yaml:4:8: 'a..b' is no path of at most 12 names parted by dots"},
    {"table: t\nfiles: [f]\nmode: json\nitems: a.*\ncolumns: {a: {from: ^.^.^.b}}\n",
     "t0.yaml:1:1: column 'a': '^.^.^.b' reaches out of 'items'"},
    {"table: t\nfiles: [f]\nmode: json\nitems: a.*\ncolumns: {a: {from: $2}}\n",
     "t0.yaml:1:1: column 'a': '$2' reaches out of 'items'"},
    {"table: t\nfiles: [f]\nmode: json\ncolumns: {a: {from: $x}}\n",
     "t0.yaml:1:1: '$x' is no place in a JSON document: write $1, $2, ..."},
    {"family: t\nfiles: [f]\nmode: lines\n",
     "t0.yaml:1:1: mode 'lines' fills one table a file: write 'table', not 'family'"},
    {"table: t\nfiles: [f]\nmode: xapi-db\n",
     "t0.yaml:1:1: mode 'xapi-db' needs a 'family' of tables"},
    {"family: t\nfiles: [f]\nmode: xapi-db\n",
     "t0.yaml:1:1: 'tables' is missing: a map of the family's tables"},
    {"family: t\nfiles: [f]\nmode: xapi-db\ntables: []\n",
     "t0.yaml:4:9: 'tables' must be a map: table name and its columns"},
    {"family: t\nfiles: [f]\nmode: xapi-db\ndescriptions: []\n",
     "t0.yaml:4:15: 'descriptions' must be a map: column name and what it holds"},
    {"family: t\nfiles: [f]\nmode: xapi-db\ndescriptions: {a: []}\n",
     "t0.yaml:4:19: expected a text: what the column 'a' holds"},
};

static void a_mistake_is_told_with_its_place_and_remedy(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(mistakes); i++) {
        const char *const list[] = {mistakes[i].yaml, NULL};
        struct table_set *set = NULL;
        struct err err = ERR_INIT;
        char text[1024];
        assert_int_equal(load_texts(list, NULL, &set, &err), ERR_PARSE);
        assert_null(set);
        err_message(&err, text, sizeof text);
        if (strncmp(text, mistakes[i].error, strlen(mistakes[i].error)) != 0)
            fail_msg("for\n%sgot\n%s\nexpected\n%s", mistakes[i].yaml, text, mistakes[i].error);
    }
}

static void a_regex_is_bounded(void **state)
{
    (void)state;
    CLEANUP(strbuf_release) struct strbuf yaml = STRBUF_INIT;
    strbuf_addf(&yaml, HEAD "row: '%05000d'\ncolumns: {a: text}\n", 0);
    const char *const list[] = {yaml.data, NULL};
    struct table_set *set = NULL;
    struct err err = ERR_INIT;
    assert_int_equal(load_texts(list, NULL, &set, &err), ERR_PARSE);
    assert_string_equal(err.text, "regular expression of 5000 bytes; 4096 are allowed");
    assert_int_equal(err.line, 4);
}

#define TABLE(name, column)                                                                        \
    "table: " name "\nfiles: [f]\nmode: lines\nrow: '(?<" column ">x)'\ncolumns: {" column         \
    ": text}\n"

static void two_tables_of_one_place_cannot_have_one_name(void **state)
{
    (void)state;
    const char *const list[] = {TABLE("t", "a"), TABLE("T", "b"), NULL};
    struct table_set *set = NULL;
    struct err err = ERR_INIT;
    char text[512];
    assert_int_equal(load_texts(list, NULL, &set, &err), ERR_PARSE);
    assert_string_equal(err_message(&err, text, sizeof text),
                        "t1.yaml: table 'T' stands in t0.yaml already; give it another name");
}

static void write_file(const char *folder, const char *name, const char *text)
{
    char path[256];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    CLEANUP_FD int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    assert_true(fd >= 0);
    assert_int_equal(io_write_all(fd, text, strlen(text)), 0);
}

static void remove_file(const char *folder, const char *name)
{
    char path[256];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    unlink(path);
}

static void a_table_of_a_folder_replaces_one_of_the_program(void **state)
{
    (void)state;
    char folder[] = "/tmp/test_tables.XXXXXX";
    assert_non_null(mkdtemp(folder));
    write_file(folder, "b.yaml", TABLE("t", "c"));
    write_file(folder, "a.yaml", TABLE("u", "d"));
    write_file(folder, "notes.txt", "no table");

    const char *const list[] = {TABLE("t", "a"), TABLE("v", "b"), NULL};
    const char *const paths[] = {folder, NULL};
    struct table_set *set = NULL;
    struct err err = ERR_INIT;
    assert_int_equal(load_texts(list, paths, &set, &err), 0);
    assert_int_equal(table_set_count(set), 3);
    assert_string_equal(table_set_find(set, "t")->columns[0].name, "c");
    assert_string_equal(table_set_at(set, 0)->name, "t");
    assert_string_equal(table_set_find(set, "u")->columns[0].name, "d");
    assert_string_equal(table_set_find(set, "V")->columns[0].name, "b");
    assert_null(table_set_find(set, "w"));
    table_set_free(set);

    remove_file(folder, "a.yaml");
    remove_file(folder, "b.yaml");
    remove_file(folder, "notes.txt");
    rmdir(folder);
}

static void a_path_that_is_not_there_is_an_error(void **state)
{
    (void)state;
    const char *const paths[] = {"/nonexistent/tables", NULL};
    struct table_set *set = NULL;
    struct err err = ERR_INIT;
    assert_int_equal(table_set_load(NULL, paths, &set, &err), ERR_NOTFOUND);
    assert_string_equal(err.text,
                        "cannot read tables from '/nonexistent/tables': No such file or directory");
}

#define FAMILY(text)                                                                               \
    "family: x\nfiles: [f]\nmode: xapi-db\ntables:\n"                                              \
    "  xapi_a: {class: a, columns: {ref: text}}\n" text

static void a_family_goes_on_without_a_member_that_is_replaced(void **state)
{
    (void)state;
    char folder[] = "/tmp/test_tables.XXXXXX";
    assert_non_null(mkdtemp(folder));
    write_file(folder, "a.yaml", TABLE("xapi_a", "mine"));

    const char *const list[] = {FAMILY("  xapi_b: {class: b, columns: {ref: text}}\n"
                                       "  xapi_c: {class: c, columns: {ref: text}}\n"),
                                NULL};
    const char *const paths[] = {folder, NULL};
    struct table_set *set = NULL;
    struct err err = ERR_INIT;
    assert_int_equal(load_texts(list, paths, &set, &err), 0);
    assert_int_equal(table_set_count(set), 3);
    const struct table *a = table_set_find(set, "xapi_a"), *b = table_set_find(set, "xapi_b"),
                       *c = table_set_find(set, "xapi_c");
    assert_ptr_equal(a->leader, a);
    assert_int_equal(a->member_count, 1);
    assert_ptr_equal(b->leader, b);
    assert_ptr_equal(c->leader, b);
    assert_int_equal(b->member_count, 2);
    assert_ptr_equal(b->members[1], c);
    table_set_free(set);

    remove_file(folder, "a.yaml");
    rmdir(folder);
}

static void a_column_is_described_by_itself_before_its_family(void **state)
{
    (void)state;
    const char *const list[] = {
        "family: x\nfiles: [f]\nmode: xapi-db\ndescriptions: {a: shared, b: shared}\ntables:\n"
        "  xapi_a: {class: a, columns: {ref: text, a: {description: own}, b: text}}\n",
        NULL};
    static const char *const expected[] = {"", "own", "shared"};
    struct table_set *set = NULL;
    struct err err = ERR_INIT;
    assert_int_equal(load_texts(list, NULL, &set, &err), 0);
    const struct table *table = table_set_at(set, 0);
    for (size_t i = 0; i < table->column_count; i++)
        assert_string_equal(table_column_description(table, &table->columns[i]), expected[i]);
    table_set_free(set);
}

static void keep_failure(void *context, const struct table *table, const char *test,
                         const struct doc_node *place, const char *failure)
{
    (void)table;
    struct strbuf *out = context;
    if (failure)
        strbuf_addf(out, "%s: %d:%d: %s\n", test, place->line, place->column, failure);
    else
        strbuf_addf(out, "%s: passed\n", test);
}

static void tests_in_the_file_can_fail(void **state)
{
    (void)state;
    struct table_set *set = load_text("table: t\n"
                                      "files: [f]\n"
                                      "mode: lines\n"
                                      "row: '^(?<a>\\w+) ?(?<b>\\d*)'\n"
                                      "columns: {a: text, b: integer}\n"
                                      "tests:\n"
                                      "  - {files: {f: 'x 1'}, rows: [{a: x, b: 1}]}\n"
                                      "  - {files: {f: 'x 1'}, rows: [{b: 2}]}\n"
                                      "  - {files: {f: 'x'}, rows: [{b: 2}]}\n"
                                      "  - {files: {f: 'x 1'}, rows: [{b: ~}]}\n"
                                      "  - {files: {f: 'x 1'}, rows: none}\n"
                                      "  - {name: two, files: {f: 'x'}, rows: [{}, {}]}\n"
                                      "  - {files: {f: 'x'}, rows: [{c: 1}]}\n"
                                      "  - {files: {g: 'x'}, rows: none}\n"
                                      "  - {files: {f: 'x'}, rows: [{}], timed_out: true}\n"
                                      "  - {files: {f: 'x'}}\n"
                                      "  - {fils: {f: 'x'}, rows: none}\n");
    CLEANUP(strbuf_release) struct strbuf out = STRBUF_INIT;
    assert_int_equal(table_set_test(set, true, keep_failure, &out), 10);
    assert_string_equal(out.data, "test 1: passed\n"
                                  "test 2: 8:32: row 1: b is '1', expected 2\n"
                                  "test 3: 9:30: row 1: b is NULL, expected 2\n"
                                  "test 4: 10:32: row 1: b is '1', expected NULL\n"
                                  "test 5: 11:31: table 't' got 1 rows, expected 0\n"
                                  "two: 12:40: table 't' got 1 rows, expected 2\n"
                                  "test 7: 13:30: table 't' has no column 'c'\n"
                                  "test 8: 14:14: 'g' is none of the files of table 't' (f)\n"
                                  "test 9: 15:46: timed_out is false, expected true\n"
                                  "test 10: 16:5: 'rows' is missing: a list of rows, or none\n"
                                  "test 11: 17:5: unknown key 'fils'; did you mean 'files'?\n");
    table_set_free(set);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_mistake_is_told_with_its_place_and_remedy),
        cmocka_unit_test(a_regex_is_bounded),
        cmocka_unit_test(two_tables_of_one_place_cannot_have_one_name),
        cmocka_unit_test(a_table_of_a_folder_replaces_one_of_the_program),
        cmocka_unit_test(a_path_that_is_not_there_is_an_error),
        cmocka_unit_test(a_family_goes_on_without_a_member_that_is_replaced),
        cmocka_unit_test(a_column_is_described_by_itself_before_its_family),
        cmocka_unit_test(tests_in_the_file_can_fail),
    };
    return cmocka_run_group_tests_name("table YAML", tests, NULL, NULL);
}
