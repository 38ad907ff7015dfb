/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * What the keys of each mode do, as cases: a table, a file, the rows. Each case is fed in two
 * pieces cut at every byte, and byte by byte: the rows must not depend on how a file arrives.
 */
#include "table_fixture.h"

struct mode_case {
    const char *name, *yaml, *input, *rows;
};

#define LINES  "table: t\nfiles: [f]\nmode: lines\n"
#define KEYS   "table: t\nfiles: [f]\nmode: keys\n"
#define BLOCKS "table: t\nfiles: [f]\nmode: blocks\n"
#define JSON   "table: t\nfiles: [f]\nmode: json\n"

static const struct mode_case cases[] = {
    {"a line that matches is a row",
     LINES "row: '^(?<a>\\w+)=(?<b>\\w*)'\ncolumns: {a: text, b: text}\n", "x=1\nnothing\ny=\nz=3",
     "1: x|1\n3: y|\n4: z|3\n"},
    {"lines may end in CR and LF", LINES "row: '^(?<a>.*)$'\ncolumns: {a: text}\n", "x\r\ny\r\n",
     "1: x\n2: y\n"},
    {"the first of several regexes that matches counts",
     LINES "row: ['^(?<a>\\d+)$', '^(?<b>\\w+)$']\ncolumns: {a: text, b: text}\n", "12\nxy\n",
     "1: 12|NULL\n2: NULL|xy\n"},
    {"a column may come from a group of another name",
     LINES "row: '^(?<g>\\w+)'\ncolumns: {a: {from: g}, b: {from: g, match: '^.'}}\n", "xyz\n",
     "1: xyz|x\n"},
    {"rows start behind begin and end at end",
     LINES "begin: '^==='\nend: '^---'\nrow: '^(?<a>\\w+)'\ncolumns: {a: text}\n",
     "x\n===\ny\n---\nz\n===\nw\n", "3: y\n7: w\n"},
    {"a line that matches join is put together with the next ones",
     LINES "join: '^\\S+$'\nrow: '^(?<a>\\S+) +(?<b>.+)'\ncolumns: {a: text, b: text}\n",
     "long\n   1\nlong\nagain\n 2\nx 3\n", "1: long|1\n3: long|again  2\n6: x|3\n"},
    {"a file may end in the middle of a joined line",
     LINES "join: '^\\S+$'\nrow: '^(?<a>\\S+)'\ncolumns: {a: text}\n", "x 1\nlong",
     "1: x\n2: long\n"},
    {"with repeat every match in a line is a row",
     LINES "repeat: true\nrow: '(?<a>\\w*);?'\ncolumns: {a: text}\n", "x;y\n", "1: x\n1: y\n1: \n"},
    {"without repeat only the first is", LINES "row: '(?<a>\\w+)'\ncolumns: {a: text}\n", "x;y\n",
     "1: x\n"},
    {"headers hold for the rows below, and an outer one forgets the inner ones",
     LINES "inherit: ['^A (?<a>\\w+)', '^ B (?<b>\\w+)']\nrow: '^  (?<c>\\w+)'\n"
           "columns: {a: text, b: text, c: text}\n",
     "  0\nA 1\n B 2\n  x\n  y\n B 3\n  z\nA 4\n  w\n",
     "1: NULL|NULL|0\n4: 1|2|x\n5: 1|2|y\n7: 1|3|z\n9: 4|NULL|w\n"},
    {"a row's own group goes before a header's",
     LINES "inherit: '^A (?<a>\\w+)'\nrow: '^  (?<c>\\w+)(?: (?<a>\\w+))?'\n"
           "columns: {a: text, c: text}\n",
     "A 1\n  x\n  y 2\n", "2: 1|x\n3: 2|y\n"},
    {"the mark of a timeout is no line, and told", LINES "row: '^(?<a>.+)$'\ncolumns: {a: text}\n",
     "x\n\n** timeout **\n", "1: x\ntimed out\n"},
    {"the mark may lack its newline", LINES "row: '^(?<a>.+)$'\ncolumns: {a: text}\n",
     "x\n\n** timeout **", "1: x\ntimed out\n"},
    {"in the middle of a file it is a line", LINES "row: '^(?<a>.+)$'\ncolumns: {a: text}\n",
     "** timeout **\n\nx\n", "1: ** timeout **\n3: x\n"},
    {"a group that takes part in either alternative fills its column",
     LINES "row: '^(?:\"(?<a>[^\"]*)\"|(?<a>\\w+))$'\ncolumns: {a: text}\n", "\"x y\"\nz\n",
     "1: x y\n2: z\n"},

    {"a file of keys is one row, and the first value counts",
     KEYS "columns: {a: {from: Key one}, b: integer}\n",
     "Key one : x : y\nKey one: z\nb:  7 kB\nc: 1\n", "1: x : y|7\n"},
    {"a file without any of the keys is none", KEYS "columns: {a: text}\n", "b: 1\n", ""},
    {"a key without a value is there, and empty", KEYS "columns: {a: text, b: text}\n", "a:\n",
     "1: |NULL\n"},
    {"pair says how keys look", KEYS "pair: '^(?<key>\\w+)=(?<value>.*)'\ncolumns: {a: text}\n",
     "a: 1\na=2\n", "2: 2\n"},
    {"match reads lines that are no pairs",
     KEYS "match: ['^(?<b>\\d+) things', 'x(?<b>.)']\ncolumns: {a: text, b: integer}\n",
     "12 things\nx9\na: y\n", "1: y|12\n"},
    {"list adds lines to the latest pair",
     KEYS "list: '^\\t(?<value>.*)$'\ncolumns: {a: text, b: text}\n",
     "\tlost\na: 1\n\t2 \n\t3\nc: 4\n\t5\nb:\n\t6\n", "2: 1, 2, 3|6\n"},

    {"a block is a row, up to the next one",
     BLOCKS "start: '^=(?<a>\\w+)'\npair: '^(?<key>\\w+): (?<value>.*)'\n"
            "columns: {a: text, b: text}\n",
     "b: 0\n=x\nb: 1\n\nb: 2\n=y\n=z\nb: 3", "2: x|1\n6: y|NULL\n7: z|3\n"},
    {"or up to its end",
     BLOCKS "start: '^=(?<a>\\w+)'\nend: '^$'\npair: '^(?<key>\\w+): (?<value>.*)'\n"
            "columns: {a: text, b: text}\n",
     "=x\n\nb: 1\n=y\nb: 2\n", "1: x|NULL\n4: y|2\n"},
    {"blocks inherit from headers, which end them",
     BLOCKS "inherit: '^# (?<h>\\w+)'\nstart: '^=(?<a>\\w+)'\nmatch: '^b(?<b>.)'\n"
            "columns: {h: text, a: text, b: text}\n",
     "# 1\n=x\nb7\n# 2\nb8\n=y\n", "2: 1|x|7\n6: 2|y|NULL\n"},
    {"a flag tells whether there is a value",
     BLOCKS "start: '^=(?<a>\\w+)'\nmatch: '^(?<f>active)$'\ncolumns: {a: text, f: flag}\n",
     "=x\nactive\n=y\n", "1: x|1\n3: y|0\n"},
    {"with a match whether it matches",
     BLOCKS "start: '^=(?<a>\\w+)'\nmatch: '^is (?<w>\\w+)$'\n"
            "columns: {a: text, f: {type: flag, from: w, match: '^good'}}\n",
     "=x\nis good\n=y\nis bad\n=z\n", "1: x|1\n3: y|0\n5: z|NULL\n"},
    {"a word makes a number negative",
     BLOCKS
     "start: '^=(?<a>.*)'\n"
     "columns: {n: {type: real, from: a, match: '(?<value>[\\d.]+) (?:(?<minus>slow)|fast)'}}\n",
     "=1.5 slow\n=2.5 fast\n=3.5\n", "1: -1.5\n2: 2.5\n3: NULL\n"},

    {"without items a document is one row",
     JSON "columns: {a: text, b: {from: c.d}, l: text, o: text, n: text, f: real, t: integer}\n",
     "\n{\"a\": \"x\", \"c\": {\"d\": 7}, \"l\": [1, \"y\"], \"o\": {\"k\": null}, \"n\": null,"
     " \"f\": 0.5, \"t\": true}",
     "0: x|7|[1,\"y\"]|{\"k\":null}|NULL|0.5|1\n"},
    {"items names the rows, ^ climbs out of them, $ is a name on the way",
     JSON "items: a.*.b.*\n"
          "columns: {k: {from: $1}, i: {from: $2}, up: {from: ^.^.u}, v: text}\n",
     "{\"a\": {\"x\": {\"u\": 1, \"b\": [{\"v\": 2}, {\"w\": 3}]}, \"y\": {\"b\": []}, \"z\": 0}}",
     "0: x|0|1|2\n0: x|1|1|NULL\n"},
    {"an element of a list is named by its index", JSON "items: l.1\ncolumns: {a: {from: '0'}}\n",
     "{\"l\": [[1], [2]]}", "0: 2\n"},
    {"what items names may not be there", JSON "items: a.*\ncolumns: {b: text}\n", "[]", ""},
    {"bad JSON is malformed", JSON "columns: {a: text}\n", "{\"a\": ", "malformed\n"},
    {"a timeout behind the document does no harm", JSON "columns: {a: text}\n",
     "{\"a\": 1}\n\n** timeout **\n", "0: 1\ntimed out\n"},
    {"a timeout inside it does", JSON "columns: {a: text}\n", "{\"a\": 1\n\n** timeout **\n",
     "timed out\nmalformed\n"},
};

static void run_case(const struct mode_case *test)
{
    struct table_set *set = load_text(test->yaml);
    const struct table *table = table_set_at(set, 0);
    size_t length = strlen(test->input);
    for (size_t split = 0; split <= length + 1; split++) {
        CLEANUP(strbuf_release) struct strbuf out = STRBUF_INIT;
        bool bytewise = split > length;
        extract_pieces(table, "f", test->input, length, bytewise ? 0 : split, bytewise ? 1 : length,
                       &out);
        if (strcmp(out.data, test->rows) != 0)
            fail_msg("%s, cut at %zu: got\n%sexpected\n%s", test->name, split, out.data,
                     test->rows);
    }
    table_set_free(set);
}

static void rows_are_as_the_cases_say_wherever_the_file_is_cut(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
        run_case(&cases[i]);
}

static void values_come_from_the_file_name(void **state)
{
    (void)state;
    struct table_set *set =
        load_text("table: t\nfiles: ['i-{dev}.out', 'i-{dev}']\nmode: keys\n"
                  "columns: {d: {from: dev, match: '^(?:%dev%)?(?<value>.*)'}, a: text}\n");
    CLEANUP(strbuf_release) struct strbuf out = STRBUF_INIT;
    const struct table *table = table_set_at(set, 0);
    extract_pieces(table, "i-%dev%sda.out", "a: 1\n", 5, 0, 5, &out);
    extract_pieces(table, "i-eth0.42", "a: 2\n", 5, 0, 5, &out);
    extract_pieces(table, "i-eth1", "", 0, 0, 1, &out);
    assert_string_equal(out.data, "1: sda|1\n1: eth0.42|2\n");

    struct extraction *extraction = NULL;
    struct err err = ERR_INIT;
    assert_int_equal(extraction_begin(table, "other", print_row, &out, &extraction, &err),
                     ERR_NOTFOUND);
    assert_string_equal(err.text, "'other' is none of the files of table 't' (i-{dev}.out, ...)");
    assert_null(extraction);
    table_set_free(set);
}

static void a_long_line_is_cut_wherever_the_file_is(void **state)
{
    (void)state;
    struct table_set *set =
        load_text(LINES "row: '^(?<a>x+)(?<b>y*)'\ncolumns: {a: text, b: text}\n");
    size_t length = 3 * EXTRACT_LINE_MAX + 2;
    char *bytes = malloc(length);
    assert_non_null(bytes);
    memset(bytes, 'x', length);
    memcpy(bytes + length - 4, "y\nx\n", 4);
    const size_t splits[] = {
        0, 1, EXTRACT_LINE_MAX - 1, EXTRACT_LINE_MAX, EXTRACT_LINE_MAX + 1, length - 3, length};
    for (size_t i = 0; i < ARRAY_SIZE(splits); i++) {
        CLEANUP(strbuf_release) struct strbuf out = STRBUF_INIT;
        extract_pieces(table_set_at(set, 0), "f", bytes, length, splits[i], length, &out);
        assert_int_equal(out.length, strlen("1: ") + EXTRACT_LINE_MAX + strlen("|\n2: x|\n"));
        assert_string_equal(out.data + 3 + EXTRACT_LINE_MAX, "|\n2: x|\n");
    }
    free(bytes);
    table_set_free(set);
}

static void a_value_collected_from_many_lines_is_bounded(void **state)
{
    (void)state;
    struct table_set *set = load_text(KEYS "list: '^\\t(?<value>.*)$'\ncolumns: {a: text}\n");
    CLEANUP(strbuf_release) struct strbuf in = STRBUF_INIT;
    strbuf_adds(&in, "a: 1\n");
    while (in.length < 2 * EXTRACT_CELL_MAX)
        strbuf_addf(&in, "\t%01000d\n", 0);
    CLEANUP(strbuf_release) struct strbuf out = STRBUF_INIT;
    extract_pieces(table_set_at(set, 0), "f", in.data, in.length, 0, in.length, &out);
    assert_int_equal(out.length, strlen("1: ") + EXTRACT_CELL_MAX + strlen("\n"));
    table_set_free(set);
}

static void a_line_on_which_a_regex_gives_up_is_no_row_but_told(void **state)
{
    (void)state;
    struct table_set *set = load_text(LINES "row: '^(?<a>(?:x|xx)+)$'\ncolumns: {a: text}\n");
    char line[64];
    memset(line, 'x', sizeof line);
    memcpy(line + sizeof line - 4, "!\nx\n", 4);
    CLEANUP(strbuf_release) struct strbuf out = STRBUF_INIT;
    extract_pieces(table_set_at(set, 0), "f", line, sizeof line, 0, sizeof line, &out);
    assert_string_equal(out.data, "2: x\nmalformed\n");
    table_set_free(set);
}

static int stop_at_second(void *context, const struct table *table, int64_t line,
                          const struct cell *cells, struct err *err)
{
    (void)table;
    (void)cells;
    ++*(int *)context;
    return line == 2 ? err_set(err, ERR_CANCELLED, "enough") : 0;
}

static void an_error_of_the_sink_ends_the_extraction(void **state)
{
    (void)state;
    struct table_set *set = load_text(LINES "row: '^(?<a>.)'\ncolumns: {a: text}\n");
    struct extraction *extraction;
    struct err err = ERR_INIT;
    int rows = 0;
    assert_int_equal(
        extraction_begin(table_set_at(set, 0), "f", stop_at_second, &rows, &extraction, &err), 0);
    assert_int_equal(extraction_feed(extraction, "1\n2\n3\n", 6, &err), ERR_CANCELLED);
    assert_string_equal(err.text, "enough");
    assert_int_equal(rows, 2);
    extraction_free(extraction);
    table_set_free(set);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rows_are_as_the_cases_say_wherever_the_file_is_cut),
        cmocka_unit_test(values_come_from_the_file_name),
        cmocka_unit_test(a_long_line_is_cut_wherever_the_file_is),
        cmocka_unit_test(a_value_collected_from_many_lines_is_bounded),
        cmocka_unit_test(a_line_on_which_a_regex_gives_up_is_no_row_but_told),
        cmocka_unit_test(an_error_of_the_sink_ends_the_extraction),
    };
    return cmocka_run_group_tests_name("table modes", tests, NULL, NULL);
}
