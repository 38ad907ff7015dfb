/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * Cases as data: each runs in one piece, byte by byte, and split in two at every place. Its second run over its
 * own output must change nothing.
 */
#include "collector/redact/redact.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "common/compiler.h"
#include "common/strbuf.h"

#define UUID "1b4e28ba-2fa1-11d2-883f-0016d3cca427"
#define DB(rows) "<?xml version=\"1.0\" encoding=\"UTF-8\"?><database>" rows "</database>"
#define ROW(table, fields) DB("<table name=\"" table "\"><row ref=\"OpaqueRef:1\" " fields "/></table>")
#define PBD(map) ROW("PBD", "device_config=\"" map "\"")
#define LINE(text) text "\n"

static const struct good {
    const char *filter, *input, *output;
    int64_t count;
} good[] = {
    /* xapi-db: fields by their place */
    {"xapi-db", ROW("secret", "uuid=\"" UUID "\" value=\"hunter2\""),
     ROW("secret", "uuid=\"" UUID "\" value=\"REMOVED\""), 1},
    {"xapi-db", ROW("secret", "value='it&apos;s &lt;b&gt; \"x\"'"), ROW("secret", "value='REMOVED'"), 1},
    {"xapi-db", ROW("VDI", "value=\"plain\""), ROW("VDI", "value=\"plain\""), 0},
    {"xapi-db", ROW("Cluster", "cluster_token=\"" UUID "\" token_timeout=\"20000000000\""),
     ROW("Cluster", "cluster_token=\"REMOVED\" token_timeout=\"20000000000\""), 1},
    {"xapi-db", ROW("VM", "NVRAM=\"(('EFI-variables'%.'AAEC=='))\" uuid=\"u\""),
     ROW("VM", "NVRAM=\"(('EFI-variables'%.'REMOVED'))\" uuid=\"u\""), 1},
    {"xapi-db", ROW("VM", "NVRAM=\"()\""), ROW("VM", "NVRAM=\"()\""), 0},
    {"xapi-db", ROW("VM", "snapshot_metadata=\"(('uuid'%.'u')%.('NVRAM'%.'((\\'EFI-variables\\'%.\\'AA==\\'))')%.('x'%.'y'))\""),
     ROW("VM", "snapshot_metadata=\"(('uuid'%.'u')%.('NVRAM'%.'((\\'EFI-variables\\'%.\\'REMOVED\\'))')%.('x'%.'y'))\""), 1},
    /* xapi-db: fields by their name */
    {"xapi-db", ROW("pool", "wlb_password=\"OpaqueRef:" UUID "\" wlb_username=\"me\""),
     ROW("pool", "wlb_password=\"OpaqueRef:" UUID "\" wlb_username=\"me\""), 0},
    {"xapi-db", ROW("pool", "wlb_password=\"OpaqueRef:NULL\""), ROW("pool", "wlb_password=\"OpaqueRef:NULL\""), 0},
    {"xapi-db", ROW("pool", "wlb_password=\"plain text\""), ROW("pool", "wlb_password=\"REMOVED\""), 1},
    {"xapi-db", ROW("pool", "wlb_password=\"\""), ROW("pool", "wlb_password=\"\""), 0},
    /* xapi-db: pairs; the shapes that the original tool lets through among them */
    {"xapi-db", PBD("(('chappassword'%.'secret1')%.('target'%.'10.0.0.1'))"),
     PBD("(('chappassword'%.'REMOVED')%.('target'%.'10.0.0.1'))"), 1},
    {"xapi-db", PBD("(('chappassword'%.'s3cr-et!'))"), PBD("(('chappassword'%.'REMOVED'))"), 1},
    {"xapi-db", PBD("(('chappassword'%.'ab!cd'))"), PBD("(('chappassword'%.'REMOVED'))"), 1},
    {"xapi-db", PBD("(('password'%.'a%.b'))"), PBD("(('password'%.'REMOVED'))"), 1},
    {"xapi-db", PBD("(('password'%.'a b'))"), PBD("(('password'%.'REMOVED'))"), 1},
    {"xapi-db", PBD("(('password' 'a b'))"), PBD("(('password' 'REMOVED'))"), 1},
    {"xapi-db", PBD("(('password'%.'a)b(c'))"), PBD("(('password'%.'REMOVED'))"), 1},
    {"xapi-db", PBD("(('password'%.'it\\'s'))"), PBD("(('password'%.'REMOVED'))"), 1},
    {"xapi-db", PBD("(('password'%.'ends in \\\\')%.('user'%.'me'))"),
     PBD("(('password'%.'REMOVED')%.('user'%.'me'))"), 1},
    {"xapi-db", PBD("(('password'%.''))"), PBD("(('password'%.'REMOVED'))"), 1},
    {"xapi-db", PBD("(('cifspasswd'%.'x'))"), PBD("(('cifspasswd'%.'REMOVED'))"), 1},
    {"xapi-db", PBD("(('CHAPPassword'%.'x'))"), PBD("(('CHAPPassword'%.'REMOVED'))"), 1},
    {"xapi-db", PBD("(('pool_secret'%.'a/b/c'))"), PBD("(('pool_secret'%.'REMOVED'))"), 1},
    {"xapi-db", PBD("(('x-api_token'%.'x'))"), PBD("(('x-api_token'%.'REMOVED'))"), 1},
    {"xapi-db", PBD("(('password'%.'x')%.('incoming_chappassword'%.'y')%.('a'%.'b'))"),
     PBD("(('password'%.'REMOVED')%.('incoming_chappassword'%.'REMOVED')%.('a'%.'b'))"), 2},
    {"xapi-db", PBD("(('token_timeout'%.'20000'))"), PBD("(('token_timeout'%.'20000'))"), 0},
    {"xapi-db", PBD("(('password'%.'unfinished"), PBD("(('password'%.'REMOVED"), 1},
    {"xapi-db", PBD("(('password'%.bare))"), PBD("(('password'%.REMOVED))"), 1},
    {"xapi-db", PBD("(&apos;password&apos;%.&#39;x&lt;y&#x27;)"), PBD("('password'%.'REMOVED')"), 1},
    {"xapi-db", PBD("(('p&#97;ssword'%.'x')%.('q'%.'&lt;&amp;&gt;&quot;&#10;'))"),
     PBD("(('password'%.'REMOVED')%.('q'%.'&lt;&amp;&gt;&quot;&#10;'))"), 1},
    /* xapi-db: references to secrets stay */
    {"xapi-db", PBD("(('cifspassword_secret'%.'" UUID "')%.('chappassword_secret'%.'OpaqueRef:" UUID "'))"),
     PBD("(('cifspassword_secret'%.'" UUID "')%.('chappassword_secret'%.'OpaqueRef:" UUID "'))"), 0},
    {"xapi-db", PBD("(('password_secret'%.'not a reference'))"), PBD("(('password_secret'%.'REMOVED'))"), 1},
    {"xapi-db", PBD("(('token'%.'" UUID "'))"), PBD("(('token'%.'REMOVED'))"), 1},
    /* xapi-db: nested and escaped */
    {"xapi-db", PBD("(('other_config'%.'((\\'password\\'%.\\'it\\\\\\'s\\')%.(\\'a\\'%.\\'b\\'))')%.('c'%.'d'))"),
     PBD("(('other_config'%.'((\\'password\\'%.\\'REMOVED\\')%.(\\'a\\'%.\\'b\\'))')%.('c'%.'d'))"), 1},
    {"xapi-db", PBD("(('a'%.'((\\'b\\'%.\\'((\\\\\\'passwd\\\\\\'%.\\\\\\'x\\\\\\'))\\'))'))"),
     PBD("(('a'%.'((\\'b\\'%.\\'((\\\\\\'passwd\\\\\\'%.\\\\\\'REMOVED\\\\\\'))\\'))'))"), 1},
    {"xapi-db", PBD("(('a'%.'((\\'password\\'%.\\'damaged')%.('b'%.'c'))"),
     PBD("(('a'%.'((\\'password\\'%.\\'REMOVED')%.('b'%.'c'))"), 1},
    {"xapi-db", PBD("('((\\'password\\'%.\\'x\\'))'%.'y')"), PBD("('((\\'password\\'%.\\'REMOVED\\'))'%.'y')"), 1},
    {"xapi-db", PBD("(('password'%.'((\\'a\\'%.\\'b\\'))'))"), PBD("(('password'%.'REMOVED'))"), 1},
    /* xapi-db: the XML around */
    {"xapi-db", "\xef\xbb\xbf<!-- a password: x --><database >\n<table name='secret'\n>\n"
                "<row value = \"a>b\" ></row>text</table><table name=\"a\"><row value=\"x\"/></table>\n</database>\n",
     "<database >\n<table name='secret'\n>\n<row value = \"REMOVED\" ></row></table>"
     "<table name=\"a\"><row value=\"x\"/></table>\n</database>\n", 1},
    {"xapi-db", DB("<table name=\"secr&#101;t\"><row value=\"x\"/></table>"),
     DB("<table name=\"secr&#101;t\"><row value=\"REMOVED\"/></table>"), 1},

    {"xapi-clusterd", "{\"token\": \"abc\", \"cluster_config\": {\"authkey\": \"k\\\"ey\", \"pems\": {\"blobs\": "
                      "[\"-----BEGIN\", {\"a\": [1, 2]}], \"cn\": \"x\"}, \"token_timeout_ms\": 1000}, \"n\": -1.5e3}",
     "{\"token\": \"REMOVED\", \"cluster_config\": {\"authkey\": \"REMOVED\", \"pems\": {\"blobs\": "
     "\"REMOVED\", \"cn\": \"x\"}, \"token_timeout_ms\": 1000}, \"n\": -1.5e3}", 3},
    {"xapi-clusterd", "{\"old_cluster_config\":{\"authkey\":12345,\"a\":[]},\"t\":\"\\u0074oken\"}\n",
     "{\"old_cluster_config\":{\"authkey\":\"REMOVED\",\"a\":[]},\"t\":\"\\u0074oken\"}\n", 1},
    {"xapi-clusterd", "{\"\\u0074oken\":{\"token\":{}},\"x\":{}}", "{\"\\u0074oken\":\"REMOVED\",\"x\":{}}", 1},
    {"xapi-clusterd", "[{\"token\":null},[\"token\",\"x\"],true]", "[{\"token\":\"REMOVED\"},[\"token\",\"x\"],true]", 1},
    {"xapi-clusterd", "", "", 0},
    {"snmp-xs", "{\n  \"community\" : \"a b\\\"c\",\n  \"v3\": {\"auth_key\":\"k!\", \"priv_key\": \"x\", \"name\": \"n\"}\n}\n",
     "{\n  \"community\" : \"REMOVED\",\n  \"v3\": {\"auth_key\":\"REMOVED\", \"priv_key\": \"REMOVED\", \"name\": \"n\"}\n}\n", 3},

    {"snmpd-xs", LINE("com2sec notConfigUser default public"), LINE("com2sec notConfigUser default REMOVED"), 1},
    {"snmpd-xs", LINE("# com2sec\tx  y   z w") LINE("#com2sec6 a b c"), LINE("# com2sec\tx  y   REMOVED w") LINE("#com2sec6 a b REMOVED"), 2},
    {"snmpd-xs", LINE("com2sec -Cn ctx sec src \"my community\" # why"), LINE("com2sec -Cn ctx sec src REMOVED # why"), 1},
    {"snmpd-xs", LINE("com2sec a b \"open quote and more"), LINE("com2sec a b REMOVED"), 1},
    {"snmpd-xs", LINE("com2sec a \"b c"), LINE("com2sec a REMOVED"), 1},
    {"snmpd-xs", "rocommunity public 10.0.0.0/8\r\nsyslocation here", "rocommunity REMOVED 10.0.0.0/8\r\nsyslocation here", 1},
    {"snmpd-xs", LINE("group notConfigGroup v1 notConfigUser"), LINE("group notConfigGroup v1 notConfigUser"), 0},
    {"snmpd", LINE("usmUser 1 3 0x80001f88 0x61646d 0x61646d NULL .1.3.6 0xauthkey .1.3.6.1 0xprivkey 0x"),
     LINE("usmUser 1 3 0x80001f88 0x61646d 0x61646d NULL .1.3.6 REMOVED .1.3.6.1 REMOVED 0x"), 2},
    {"snmpd", LINE("usmUser 1 3 0x80 \"my name\" \"my name\" NULL .1 \"k y\" .2 \"p\" 0x"),
     LINE("usmUser 1 3 0x80 \"my name\" \"my name\" NULL .1 REMOVED .2 REMOVED 0x"), 2},
    {"snmpd", LINE("createUser -e 0x80 admin SHA \"pass word\" AES other"),
     LINE("createUser -e 0x80 admin REMOVED REMOVED REMOVED REMOVED"), 4},

    {"xenstore", LINE("/local/domain/12/data/set_clipboard = \"cut\"") LINE("/local/domain/1/data/report_clipboard/x = \"y\""),
     LINE("/local/domain/12/data/set_clipboard = <filtered for security>")
     LINE("/local/domain/1/data/report_clipboard = <filtered for security>"), 2},
    {"xenstore", LINE("/local/domain/0/name = \"Domain-0\"") LINE(" set_clipboard = \"cut\""),
     LINE("/local/domain/0/name = \"Domain-0\"") LINE(" set_clipboard = <filtered for security>"), 1},
    {"xenstore", LINE("/local/domain/3/vm-data/cloud-init = \"x\"") LINE("/local/domain/3/console/vncpasswd = \"p\""),
     LINE("/local/domain/3/vm-data/cloud-init = <filtered for security>")
     LINE("/local/domain/3/console/vncpasswd = <filtered for security>"), 2},
    {"xenstore", "/vm/\xff\xfe = \"\xff\"", "/vm/\xff\xfe = \"\xff\"", 0},
};

static const struct bad {
    const char *filter, *input;
} bad[] = {
    {"xapi-db", ""},
    {"xapi-db", "plain text with a password"},
    {"xapi-db", "<database><table name=\"secret\"><row value=\"x\"/>"},
    {"xapi-db", "<database><row value=\"x"},
    {"xapi-db", "<database><row value=x/></database>"},
    {"xapi-db", "<!DOCTYPE x [<!ENTITY p \"password\">]><database/>"},
    {"xapi-db", "<database><![CDATA[x]]></database>"},
    {"xapi-db", "<database><row a=\"&unknown;\"/></database>"},
    {"xapi-db", "<database><row a=\"&#1114112;\"/></database>"},
    {"xapi-db", "<database/><database/>"},
    {"xapi-db", "</database>"},
    {"xapi-clusterd", "{\"token\": \"abc"},
    {"xapi-clusterd", "{\"token\" \"abc\"}"},
    {"xapi-clusterd", "{\"a\": 1,}"},
    {"xapi-clusterd", "{\"a\": [1}]"},
    {"xapi-clusterd", "{\"a\": \"line\nbreak\"}"},
    {"xapi-clusterd", "{'token': 'x'}"},
    {"xapi-clusterd", "{} {}"},
    {"snmp-xs", "com2sec a b c"},
};

static int append(void *context, const void *bytes, size_t length, struct err *err)
{
    (void)err;
    strbuf_add(context, bytes, length);
    return 0;
}

struct result {
    int code;
    int64_t count;
    struct strbuf output;
};

/* The first `split` bytes in one piece, the rest in pieces of `step` bytes. */
static struct result redact(const char *filter, const char *input, size_t length, size_t split,
                            size_t step)
{
    const char *const names[] = {filter, NULL};
    struct result result = {.output = STRBUF_INIT};
    struct redactor *redactor;
    assert_int_equal(redactor_new(names, append, &result.output, &redactor, NULL), 0);
    result.code = redactor_write(redactor, input, split, NULL);
    for (size_t at = split, n; result.code == 0 && at < length; at += n) {
        n = length - at < step ? length - at : step;
        result.code = redactor_write(redactor, input + at, n, NULL);
    }
    if (result.code == 0)
        result.code = redactor_finish(redactor, NULL);
    result.count = redactor_count(redactor);
    redactor_free(redactor);
    return result;
}

static void assert_redacts(const struct good *test, size_t split, size_t step)
{
    struct result result = redact(test->filter, test->input, strlen(test->input), split, step);
    if (result.code != 0 || strcmp(result.output.data, test->output) != 0)
        fail_msg("%s, split at %zu: code %d\n input:    %s\n expected: %s\n got:      %s",
                 test->filter, split, result.code, test->input, test->output, result.output.data);
    assert_int_equal(result.count, test->count);
    strbuf_release(&result.output);
}

static void secrets_go_and_all_else_stays_wherever_the_chunks_end(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(good); i++) {
        size_t length = strlen(good[i].input);
        assert_redacts(&good[i], 0, 1);
        for (size_t split = 0; split <= length; split++)
            assert_redacts(&good[i], split, length);
    }
}

static void redacting_twice_changes_nothing_more(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(good); i++) {
        size_t length = strlen(good[i].output);
        struct result result = redact(good[i].filter, good[i].output, length, length, length);
        assert_int_equal(result.code, 0);
        assert_string_equal(result.output.data, good[i].output);
        strbuf_release(&result.output);
    }
}

static void what_is_not_understood_is_an_error(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
        size_t length = strlen(bad[i].input);
        for (size_t split = 0; split <= length; split++) {
            struct result result = redact(bad[i].filter, bad[i].input, length, split, length);
            if (result.code != ERR_PARSE)
                fail_msg("%s: code %d for %s", bad[i].filter, result.code, bad[i].input);
            strbuf_release(&result.output);
        }
    }
}

static void nothing_passes_after_a_failure(void **state)
{
    (void)state;
    const char *const names[] = {"xapi-db", NULL};
    struct strbuf output = STRBUF_INIT;
    struct redactor *redactor;
    assert_int_equal(redactor_new(names, append, &output, &redactor, NULL), 0);
    assert_int_equal(redactor_write(redactor, "<database>x=", 12, NULL), 0);
    assert_int_equal(redactor_write(redactor, "<![", 3, NULL), ERR_PARSE);
    size_t length = output.length;
    assert_int_equal(redactor_write(redactor, "<row/></database>", 17, NULL), ERR_PARSE);
    assert_int_equal(redactor_finish(redactor, NULL), ERR_PARSE);
    assert_int_equal(output.length, length);
    redactor_free(redactor);
    strbuf_release(&output);
}

/* A database with one field of this many bytes in it. */
static struct strbuf database_with_field(size_t bytes)
{
    struct strbuf text = STRBUF_INIT;
    strbuf_adds(&text, "<database><row a=\"(('password'%.'");
    while (text.length < bytes)
        strbuf_adds(&text, "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef");
    strbuf_adds(&text, "'))\"/></database>");
    assert_true(strbuf_ok(&text));
    return text;
}

static void a_field_too_large_to_judge_is_refused(void **state)
{
    (void)state;
    struct strbuf text = database_with_field(8000000);
    struct result result = redact("xapi-db", text.data, text.length, 0, 100000);
    assert_int_equal(result.code, 0);
    assert_string_equal(result.output.data,
                        "<database><row a=\"(('password'%.'REMOVED'))\"/></database>");
    strbuf_release(&result.output);
    strbuf_release(&text);
    text = database_with_field(9000000);
    result = redact("xapi-db", text.data, text.length, 0, 100000);
    assert_int_equal(result.code, ERR_LIMIT);
    strbuf_release(&result.output);
    strbuf_release(&text);
}

static void a_line_too_long_to_judge_is_refused(void **state)
{
    (void)state;
    struct strbuf text = STRBUF_INIT;
    while (text.length < 2000000)
        strbuf_adds(&text, "com2sec ");
    struct result result = redact("snmpd", text.data, text.length, 0, 4096);
    assert_int_equal(result.code, ERR_LIMIT);
    strbuf_release(&result.output);
    strbuf_release(&text);
}

static void json_too_deep_is_refused(void **state)
{
    (void)state;
    char text[200];
    memset(text, '[', sizeof text);
    struct result result = redact("xapi-clusterd", text, sizeof text, 0, 7);
    assert_int_equal(result.code, ERR_LIMIT);
    strbuf_release(&result.output);
}

static void filters_can_be_chained_or_none(void **state)
{
    (void)state;
    static const char harmless[] = "/local/domain/1/data/set_clipboard = \"x\"\n", input[] = "com2sec a b public\n/local/domain/1/data/set_clipboard = \"x\"\n";
    const char *const none[] = {NULL}, *const two[] = {"xenstore", "snmpd", NULL},
                      *const unknown[] = {"snmpd", "unheard-of", NULL};
    struct strbuf output = STRBUF_INIT;
    struct redactor *redactor;
    assert_int_equal(redactor_new(none, append, &output, &redactor, NULL), 0);
    assert_int_equal(redactor_write(redactor, harmless, sizeof harmless - 1, NULL), 0);
    assert_int_equal(redactor_finish(redactor, NULL), 0);
    assert_string_equal(output.data, harmless);
    redactor_free(redactor);
    strbuf_clear(&output);
    assert_int_equal(redactor_new(two, append, &output, &redactor, NULL), 0);
    assert_int_equal(redactor_write(redactor, input, sizeof input - 1, NULL), 0);
    assert_int_equal(redactor_finish(redactor, NULL), 0);
    assert_string_equal(output.data, "com2sec a b REMOVED\n/local/domain/1/data/set_clipboard = "
                                     "<filtered for security>\n");
    assert_int_equal(redactor_count(redactor), 2);
    redactor_free(redactor);
    strbuf_release(&output);
    assert_int_equal(redactor_new(unknown, append, NULL, &redactor, NULL), ERR_NOTFOUND);
}

static void filters_are_known_by_name(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(good); i++)
        assert_true(redact_filter_exists(good[i].filter));
    assert_false(redact_filter_exists("xapi"));
    assert_false(redact_filter_exists(""));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(secrets_go_and_all_else_stays_wherever_the_chunks_end),
        cmocka_unit_test(redacting_twice_changes_nothing_more),
        cmocka_unit_test(what_is_not_understood_is_an_error),
        cmocka_unit_test(nothing_passes_after_a_failure),
        cmocka_unit_test(a_field_too_large_to_judge_is_refused),
        cmocka_unit_test(a_line_too_long_to_judge_is_refused),
        cmocka_unit_test(json_too_deep_is_refused),
        cmocka_unit_test(filters_can_be_chained_or_none),
        cmocka_unit_test(filters_are_known_by_name),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
