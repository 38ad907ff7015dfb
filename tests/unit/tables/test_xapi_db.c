/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * XAPI's database: how values are decoded, and how a file becomes rows whatever its state.
 */
#include "database_fixture.h"

#include "analyzer/tables/extract.h"
#include "analyzer/tables/xapi_value.h"

/* ------ values ------ */

static void values_are_decoded_by_their_kind(void **state)
{
    static const struct {
        enum xapi_kind kind;
        const char *text, *value; /* NULL: refused */
    } cases[] = {
        {XAPI_PLAIN, "", ""},
        {XAPI_PLAIN, "plain", "plain"},
        {XAPI_PLAIN, "host%.1", "host 1"},
        {XAPI_PLAIN, "a%tb%nc%rd%%e%_f", "a\tb\nc\rd%e  f"},
        {XAPI_PLAIN, "vm3%.disk%.%%5C%.50%%", "vm3 disk %5C 50%"},
        {XAPI_PLAIN, "100%", "100%"},
        {XAPI_PLAIN, "%x%.%", "%x %"},
        {XAPI_PLAIN, "%%.", "%."},
        {XAPI_PLAIN, "()", "()"},
        {XAPI_PLAIN, "true", "true"},
        {XAPI_PLAIN, "OpaqueRef:NULL", "OpaqueRef:NULL"},

        {XAPI_SET, "()", "[]"},
        {XAPI_SET, "('a')", "[\"a\"]"},
        {XAPI_SET, "('a'%.'b'%.'c')", "[\"a\",\"b\",\"c\"]"},
        {XAPI_SET, "('a' 'b')", "[\"a\",\"b\"]"},
        {XAPI_SET, "%.(%.'a'%n'b'%.)%.", "[\"a\",\"b\"]"},
        {XAPI_SET, "(restartHost)", "[\"restartHost\"]"},
        {XAPI_SET, "(a%.'b c'%.\"d\")", "[\"a\",\"b c\",\"d\"]"},
        {XAPI_SET, "('')", "[\"\"]"},
        {XAPI_SET, "('it\\'s'%.'back\\\\slash')", "[\"it's\",\"back\\\\slash\"]"},
        {XAPI_SET, "('say%.\"hi\"')", "[\"say \\\"hi\\\"\"]"},
        {XAPI_SET, "('tab%there')", "[\"tab\\u0009here\"]"},
        {XAPI_SET, "('caf\xc3\xa9'%.'\xff')", "[\"caf\xc3\xa9\",\"\xef\xbf\xbd\"]"},
        {XAPI_SET, "(('a'%.'b'))", "[[\"a\",\"b\"]]"},

        {XAPI_MAP, "()", "{}"},
        {XAPI_MAP, "(('k'%.'v'))", "{\"k\":\"v\"}"},
        {XAPI_MAP, "(('k1'%.'v1')%.('k2'%.''))", "{\"k1\":\"v1\",\"k2\":\"\"}"},
        {XAPI_MAP, "(('mpath-36'%.'[2,%.4]'))", "{\"mpath-36\":\"[2, 4]\"}"},
        {XAPI_MAP, "(('bios-vendor'%.'American%.Megatrends%.Inc.'))",
         "{\"bios-vendor\":\"American Megatrends Inc.\"}"},
        {XAPI_MAP, "((k%.v)%.('a'%.b))", "{\"k\":\"v\",\"a\":\"b\"}"},
        {XAPI_MAP, "(('k'%.('a'%.'b')))", "{\"k\":[\"a\",\"b\"]}"},
        /* A map inside a value: one more layer of backslashes, and it stays a text. */
        {XAPI_MAP, "(('outer'%.'((\\'in\\'%.\\'it\\\\\\'s\\'))'))",
         "{\"outer\":\"(('in' 'it\\\\'s'))\"}"},

        {XAPI_MAP_OF_SETS, "(('0'%.'(\\'blocked\\'%.\\'cpu\\')')%.('1'%.'()'))",
         "{\"0\":[\"blocked\",\"cpu\"],\"1\":[]}"},
        {XAPI_MAP_OF_SETS, "(('0'%.'no%.set'))", "{\"0\":\"no set\"}"},

        {XAPI_ANY, "plain%.text", "\"plain text\""},
        {XAPI_ANY, "(('a'%.'b'))", "{\"a\":\"b\"}"},
        {XAPI_ANY, "('a'%.'b')", "[\"a\",\"b\"]"},
        {XAPI_ANY, "(unclosed", "\"(unclosed\""},

        {XAPI_SET, "", NULL},
        {XAPI_SET, "a", NULL},
        {XAPI_SET, "(", NULL},
        {XAPI_SET, "('a'", NULL},
        {XAPI_SET, "('a", NULL},
        {XAPI_SET, "('a\\", NULL},
        {XAPI_SET, "('a') 'b'", NULL},
        {XAPI_SET, "REMOVED", NULL},
        {XAPI_SET, "((((((((('a')))))))))", NULL},
        {XAPI_MAP, "('a'%.'b')", NULL},
        {XAPI_MAP, "(('a'))", NULL},
        {XAPI_MAP, "(('a'%.'b'%.'c'))", NULL},
        {XAPI_MAP, "(('a'%.'b')", NULL},
        {XAPI_MAP, "REMOVED", NULL},
    };
    (void)state;
    struct strbuf out = STRBUF_INIT, scratch = STRBUF_INIT;
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        const char *text = cases[i].text, *value = cases[i].value;
        strbuf_clear(&out);
        strbuf_adds(&out, "<");
        bool good = xapi_value_decode(cases[i].kind, text, strlen(text), &out, &scratch);
        if (good != (value != NULL))
            fail_msg("'%s' is %s: %s", text, good ? "taken" : "refused", out.data);
        /* What was there before stays, and nothing is added by what was refused. */
        if (strcmp(out.data + 1, good ? value : "") != 0 || out.data[0] != '<')
            fail_msg("'%s' became '%s', expected '%s'", text, out.data + 1, good ? value : "");
    }
    strbuf_release(&out);
    strbuf_release(&scratch);
}

/* ------ files ------ */

static const char *const yaml[] = {
    "family: xapi\n"
    "files: [xapi-db.xml]\n"
    "mode: xapi-db\n"
    "tables:\n"
    "  db: {class: manifest, columns: {key: text, value: text}}\n"
    "  vm:\n"
    "    class: VM\n"
    "    sets: [tags]\n"
    "    maps: [platform]\n"
    "    skip: [snapshot_metadata]\n"
    "    columns: {ref: text, name__label: text, label: {from: name__label}, VCPUs__max: integer,\n"
    "      host_ref: {from: host}, tags: text, platform: text, extra: text}\n"
    "  sr: {class: SR, columns: {ref: text, size: integer}}\n",
    NULL,
};

#define HEAD "<?xml version=\"1.0\"?><database>"

/* What came of a file: its rows as text, and how it ended. */
struct result {
    struct strbuf rows;
    bool malformed, timed_out;
    int fail_after; /* rows after which the sink fails; 0: never */
    int count;
};

static int keep_row(void *context, const struct table *table, int64_t line,
                    const struct cell *cells, struct err *err)
{
    struct result *result = context;
    if (result->fail_after && result->count == result->fail_after)
        return err_set(err, ERR_IO, "disk full");
    result->count++;
    strbuf_addf(&result->rows, "%s:%lld", table->name, (long long)line);
    for (size_t i = 0; i < table->column_count; i++) {
        strbuf_addc(&result->rows, '|');
        strbuf_add(&result->rows, cells[i].text ? cells[i].text : "~",
                   cells[i].text ? cells[i].length : 1);
    }
    strbuf_addc(&result->rows, '\n');
    return 0;
}

static bool only_sr(void *context, const struct table *table)
{
    (void)context;
    return strcmp(table->name, "sr") == 0;
}

static int extract(struct result *result, const char *bytes, size_t length, size_t piece,
                   bool (*wanted)(void *, const struct table *), struct err *err)
{
    struct table_set *tables = tables_from(yaml);
    struct extraction *extraction = NULL;
    const struct table *leader = table_set_find(tables, "db");
    assert_ok(extraction_begin(leader, "xapi-db.xml", keep_row, result, &extraction, err), err);
    if (wanted)
        extraction_choose(extraction, wanted);
    int r = 0;
    for (size_t at = 0; r == 0 && at < length; at += piece)
        r = extraction_feed(extraction, bytes + at, length - at < piece ? length - at : piece, err);
    if (r == 0)
        r = extraction_end(extraction, &result->timed_out, &result->malformed, err);
    extraction_free(extraction);
    table_set_free(tables);
    return r;
}

/* In one piece and byte by byte. */
static void assert_file(const char *text, bool malformed, const char *rows)
{
    for (size_t piece = strlen(text) + 1;; piece = 1) {
        struct result result = {.rows = STRBUF_INIT};
        struct err err = ERR_INIT;
        assert_ok(extract(&result, text, strlen(text), piece, NULL, &err), &err);
        assert_string_equal(result.rows.data, rows);
        assert_int_equal(result.malformed, malformed);
        strbuf_release(&result.rows);
        if (piece == 1)
            break;
    }
}

static void each_class_goes_to_its_table(void **state)
{
    (void)state;
    assert_file(HEAD
                "<manifest><pair key=\"schema_major_vsn\" value=\"5\"/></manifest>"
                "<table name=\"VM\"><row ref=\"v1\" name__label=\"a%.&amp;%.b\" VCPUs__max=\"2\""
                " tags=\"('x')\" platform=\"(('pae'%.'true'))\"/>\n<row ref=\"v2\"/></table>"
                "<table name=\"VMPP\"><row ref=\"p\"/></table>"
                "<table name=\"SR\"><row ref=\"s1\" size=\"1000\"/></table></database>",
                false,
                "db:1|schema_major_vsn|5\n"
                "vm:1|v1|a & b|a & b|2|~|[\"x\"]|{\"pae\":\"true\"}|~\n"
                "vm:2|v2|~|~|~|~|~|~|~\n"
                "sr:2|s1|1000\n");
}

static void attributes_without_a_column_end_in_extra(void **state)
{
    (void)state;
    assert_file(HEAD
                "<table name=\"VM\"><row ref=\"v\" __ctime=\"1\" __mtime=\"2\" _ref=\"v\" new=\"1\""
                " newer=\"(('a'%.'b'))\" none=\"\" snapshot_metadata=\"((('secret'\"/></table>"
                "</database>",
                false, "vm:1|v|~|~|~|~|~|~|{\"new\":\"1\",\"newer\":{\"a\":\"b\"}}\n");
}

static void broken_sets_and_maps_are_null_and_shown_in_extra(void **state)
{
    (void)state;
    assert_file(
        HEAD "<table name=\"VM\"><row ref=\"v\" tags=\"REMOVED\" platform=\"(('a'%.'b')\""
             " VCPUs__max=\"many\"/><row ref=\"w\" tags=\"\" platform=\"()\"/></table></database>",
        false,
        "vm:1|v|~|~|~|~|~|~|{\"tags\":\"REMOVED\",\"platform\":\"(('a' 'b')\"}\n"
        "vm:1|w|~|~|~|~|~|{}|~\n");
}

static void underscores_of_names_count_once_and_the_hosts_name_is_free(void **state)
{
    (void)state;
    assert_file(HEAD
                "<table name=\"VM\"><row ref=\"v\" name_label=\"n\" VCPUs_max=\"4\" host=\"h\"/>"
                "</table></database>",
                false, "vm:1|v|n|n|4|h|~|~|~\n");
}

static void a_truncated_file_gives_the_rows_so_far(void **state)
{
    (void)state;
    assert_file(HEAD "<table name=\"SR\"><row ref=\"s1\"/><row ref=\"s2\"/><row ref=\"s3", true,
                "sr:1|s1|~\nsr:1|s2|~\n");
    assert_file(HEAD "<table name=\"SR\"><row ref=\"s1\"/>", true, "sr:1|s1|~\n");
    assert_file("<", true, "");
}

static void what_is_no_xml_is_malformed(void **state)
{
    (void)state;
    assert_file("xe: command not found", true, "");
    assert_file(HEAD "<table name=\"SR\"><row ref=\"a\" ref=\"b\"/></table></database>", true, "");
    assert_file(HEAD "<table name=\"SR\"><row ref=\"a\"/><row ref=\"\xff\"/></table></database>",
                true, "sr:1|a|~\n");
    assert_file(HEAD "</database>\n** timeout **\n", true, "");
}

static void an_empty_file_is_not_malformed(void **state)
{
    (void)state;
    assert_file("", false, "");
    assert_file(HEAD "</database>", false, "");
}

static void the_manifest_alone_is_no_database(void **state)
{
    (void)state;
    assert_file(HEAD
                "<manifest><pair key=\"a\" value=\"b\"/></manifest><table name=\"SR\"/></database>",
                false, "");
    /* Only pairs in front of the tables are the manifest's, and rows need a table. */
    assert_file(
        HEAD
        "<row ref=\"x\"/><table name=\"manifest\"><pair key=\"a\" value=\"b\"/><row ref=\"m\"/>"
        "</table><table><row/></table></database>",
        false, "");
}

static void a_document_type_is_refused(void **state)
{
    (void)state;
    assert_file(
        "<!DOCTYPE database><database><table name=\"SR\"><row ref=\"a\"/></table></database>", true,
        "");
    assert_file("<!DOCTYPE d [<!ENTITY a \"aaaa\"><!ENTITY b \"&a;&a;&a;\">]>"
                "<database><table name=\"SR\"><row ref=\"&b;\"/></table></database>",
                true, "");
    assert_file("<!DOCTYPE d SYSTEM \"file:///etc/passwd\"><database/>", true, "");
}

static void deep_nesting_ends_the_reading(void **state)
{
    (void)state;
    struct strbuf text = STRBUF_INIT;
    strbuf_adds(&text, HEAD "<table name=\"SR\"><row ref=\"a\"/>");
    for (int i = 0; i < 1000; i++)
        strbuf_adds(&text, "<x>");
    strbuf_adds(&text, "<row ref=\"b\"/>");
    assert_file(text.data, true, "sr:1|a|~\n");
    strbuf_release(&text);
}

static void repeat(struct strbuf *out, const char *text, size_t count)
{
    for (size_t i = 0; i < count; i++)
        strbuf_adds(out, text);
}

static void large_values_are_cut_or_left_out_but_the_row_stays(void **state)
{
    (void)state;
    struct strbuf text = STRBUF_INIT;
    struct result result = {.rows = STRBUF_INIT};
    struct err err = ERR_INIT;
    strbuf_adds(&text, HEAD "<table name=\"VM\"><row ref=\"v\" name__label=\"");
    repeat(&text, "long name ", 200 * 1000);
    strbuf_adds(&text, "\" tags=\"(");
    repeat(&text, "'tag'%.", 300 * 1000);
    strbuf_adds(&text, ")\"/><row ref=\"w\"/></table></database>");
    assert_ok(extract(&result, text.data, text.length, 4096, NULL, &err), &err);
    assert_false(result.malformed);
    assert_int_equal(result.count, 2);
    const char *name = strchr(result.rows.data, '|') + 3;
    assert_int_equal(strcspn(name, "|"), EXTRACT_CELL_MAX);
    assert_non_null(
        strstr(result.rows.data, "|~|~|~|~|{\"tags\":\"too long: 1800001 bytes\"}\nvm:1|w|"));
    strbuf_release(&result.rows);
    strbuf_release(&text);
}

static void a_tag_without_end_ends_the_reading(void **state)
{
    (void)state;
    struct strbuf text = STRBUF_INIT;
    struct result result = {.rows = STRBUF_INIT};
    struct err err = ERR_INIT;
    strbuf_adds(&text, HEAD "<table name=\"SR\"><row ref=\"a\"/><row ref=\"");
    repeat(&text, "0123456789012345678901234567890123456789012345678901234567890123", 600 * 1000);
    strbuf_adds(&text, "\"/></table></database>");
    assert_ok(extract(&result, text.data, text.length, 65536, NULL, &err), &err);
    assert_true(result.malformed);
    assert_string_equal(result.rows.data, "sr:1|a|~\n");
    strbuf_release(&result.rows);
    strbuf_release(&text);
}

static void tables_nobody_wants_give_no_rows(void **state)
{
    (void)state;
    static const char text[] = HEAD "<manifest><pair key=\"a\" value=\"b\"/></manifest><table "
                                    "name=\"SR\"><row ref=\"s\"/></table>"
                                    "<table name=\"VM\"><row ref=\"v\"/></table></database>";
    struct result result = {.rows = STRBUF_INIT};
    struct err err = ERR_INIT;
    assert_ok(extract(&result, text, strlen(text), 7, only_sr, &err), &err);
    assert_string_equal(result.rows.data, "sr:1|s|~\n");
    strbuf_release(&result.rows);
}

static void an_error_of_the_sink_is_handed_on(void **state)
{
    (void)state;
    static const char text[] = HEAD
        "<table name=\"SR\"><row ref=\"s\"/><row ref=\"t\"/><row ref=\"u\"/></table></database>";
    for (size_t piece = 1; piece <= sizeof text; piece += sizeof text - 1) {
        struct result result = {.rows = STRBUF_INIT, .fail_after = 1};
        struct err err = ERR_INIT;
        assert_int_equal(extract(&result, text, strlen(text), piece, NULL, &err), ERR_IO);
        assert_string_equal(err.text, "disk full");
        assert_string_equal(result.rows.data, "sr:1|s|~\n");
        strbuf_release(&result.rows);
    }
}

static void mistakes_in_a_familys_yaml_are_named(void **state)
{
    static const struct {
        const char *member, *message;
    } cases[] = {
        {"{columns: {ref: text}}", "'class' is missing"},
        {"{class: VM, sets: [tags], columns: {ref: text}}", "has no column 'tags'"},
        {"{class: VM, maps: [n], columns: {n: integer}}", "must be text"},
        {"{class: VM, map: [n], columns: {n: text}}", "map"},
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        char text[512], message[1024];
        snprintf(text, sizeof text, "family: x\nfiles: [a.xml]\nmode: xapi-db\ntables:\n  t: %s\n",
                 cases[i].member);
        struct embedded_file files[] = {{"x.yaml", text, text + strlen(text)}, {0}};
        struct table_set *tables = NULL;
        struct err err = ERR_INIT;
        assert_int_equal(table_set_load(files, NULL, &tables, &err), ERR_PARSE);
        if (!strstr(err_message(&err, message, sizeof message), cases[i].message) ||
            !strstr(message, "x.yaml:5:"))
            fail_msg("'%s' says '%s'", cases[i].member, message);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(values_are_decoded_by_their_kind),
        cmocka_unit_test(each_class_goes_to_its_table),
        cmocka_unit_test(attributes_without_a_column_end_in_extra),
        cmocka_unit_test(broken_sets_and_maps_are_null_and_shown_in_extra),
        cmocka_unit_test(underscores_of_names_count_once_and_the_hosts_name_is_free),
        cmocka_unit_test(a_truncated_file_gives_the_rows_so_far),
        cmocka_unit_test(what_is_no_xml_is_malformed),
        cmocka_unit_test(an_empty_file_is_not_malformed),
        cmocka_unit_test(the_manifest_alone_is_no_database),
        cmocka_unit_test(a_document_type_is_refused),
        cmocka_unit_test(deep_nesting_ends_the_reading),
        cmocka_unit_test(large_values_are_cut_or_left_out_but_the_row_stays),
        cmocka_unit_test(a_tag_without_end_ends_the_reading),
        cmocka_unit_test(tables_nobody_wants_give_no_rows),
        cmocka_unit_test(an_error_of_the_sink_is_handed_on),
        cmocka_unit_test(mistakes_in_a_familys_yaml_are_named),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
