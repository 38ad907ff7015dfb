/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * Answers of Health Check services, as lenient as XenCenter's later clients and no more.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

#include "upload/protocols/cis_answer.h"

#define SIZE 32

struct reading {
    const char *body, *text; /* NULL: refused */
};

static void check(const struct reading *cases, size_t count,
                  int (*read)(const struct strbuf *, char *, size_t, struct err *))
{
    for (size_t i = 0; i < count; i++) {
        CLEANUP(strbuf_release) struct strbuf body = STRBUF_INIT;
        struct err err = ERR_INIT;
        char text[SIZE] = "untouched";
        strbuf_adds(&body, cases[i].body);
        int r = read(&body, text, sizeof text, &err);
        if (r != (cases[i].text ? 0 : ERR_PARSE) ||
            strcmp(text, cases[i].text ? cases[i].text : "untouched") != 0)
            fail_msg("'%s' gave %d, '%s'", cases[i].body, r, text);
        assert_int_equal(err.code, r);
    }
}

static void an_id_is_a_text_or_a_whole_number(void **state)
{
    (void)state;
    static const struct reading cases[] = {
        {"{\"id\":\"5f0c-aa\"}", "5f0c-aa"},
        {"{\"id\":17}", "17"},
        {"{\"id\":-3}", "-3"},
        {"{\"id\":9223372036854775807}", "9223372036854775807"},
        {"{\"ID\":\"x\", \"other\":[1,{}]}", "x"},
        {"{\"Id\":\"y\", \"id\":\"x\"}", "x"},
        {"\xEF\xBB\xBF{\"id\":\"x\"}\r\n", "x"},
        {"{\"id\":\"1234567890123456789012345678901\"}", "1234567890123456789012345678901"},
        {"{\"id\":\"12345678901234567890123456789012\"}", NULL},
        {"{\"id\":9223372036854775808}", NULL},
        {"{\"id\":1.5}", NULL},
        {"{\"id\":1e400}", NULL},
        {"{\"id\":true}", NULL},
        {"{\"id\":null}", NULL},
        {"{\"id\":{\"id\":\"x\"}}", NULL},
        {"{\"id\":\"\"}", NULL},
        {"{\"id\":\"a b\"}", NULL},
        {"{\"id\":\"a\\r\\nX: y\"}", NULL},
        {"{\"id\":\"a\\u0000b\"}", NULL},
        {"{\"id\":\"\xC3\xA9\"}", NULL},
        {"{\"id\":\"\xFF\"}", NULL},
        {"{\"id\":\"a\",\"id\":\"b\"}", NULL},
        {"{\"id\":\"a\"", NULL},
        {"{\"id\":\"a\"} and more", NULL},
        {"{}", NULL},
        {"[\"id\"]", NULL},
        {"\"id\"", NULL},
        {"", NULL},
        {"<html><body>Log in</body></html>", NULL},
    };
    check(cases, ARRAY_SIZE(cases), cis_read_id);
}

static void a_token_has_its_name_in_any_case(void **state)
{
    (void)state;
    static const struct reading cases[] = {
        {"{\"token\":\"abc\"}", "abc"},
        {"{\"Token\":\"abc\",\"expires\":0}", "abc"},
        {"{\"TOKEN\":\"a:b/c+d==\"}", "a:b/c+d=="},
        {"{\"tokens\":\"abc\"}", NULL},
        {"{\"token\":\"abc\\n\"}", NULL},
        {"{\"token\":\"\"}", NULL},
        {"\"abc\"", NULL},
    };
    check(cases, ARRAY_SIZE(cases), cis_read_token);
}

static void an_error_tells_nothing_of_a_token(void **state)
{
    (void)state;
    static const char *const bodies[] = {
        "{\"token\":\"hush hush\"}",
        "{\"token\":\"hush\\n\"}",
        "{\"token\":\"hush-hush-hush-hush-hush-hush-hush-hush\"}",
        "{\"token\":\"hush\"",
        "{\"tok\":\"hush\"}",
    };
    for (size_t i = 0; i < ARRAY_SIZE(bodies); i++) {
        CLEANUP(strbuf_release) struct strbuf body = STRBUF_INIT;
        struct err err = ERR_INIT;
        char token[SIZE];
        strbuf_adds(&body, bodies[i]);
        assert_int_equal(cis_read_token(&body, token, sizeof token, &err), ERR_PARSE);
        assert_null(strstr(err.text, "hush"));
    }
}

static void a_status_may_be_anything_or_missing_but_not_a_page(void **state)
{
    (void)state;
    static const struct {
        const char *body;
        int code;
        bool is_incomplete;
    } cases[] = {
        {"{\"status\":\"complete\"}", 0, false},
        {"{\"status\":\"incomplete\"}", 0, true},
        {"{\"Status\":\"Incomplete\"}", 0, true},
        {"{\"status\":\"success\"}", 0, false},
        {"{\"status\":200}", 0, false},
        {"{\"status\":null}", 0, false},
        {"{}", 0, false},
        {"", 0, false},
        {"[]", ERR_PARSE, true},
        {"OK", ERR_PARSE, true},
        {"\"complete\"", ERR_PARSE, true},
        {"<html></html>", ERR_PARSE, true},
        {"{\"status\":\"complete\"", ERR_PARSE, true},
    };
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        CLEANUP(strbuf_release) struct strbuf body = STRBUF_INIT;
        bool is_incomplete = true;
        strbuf_adds(&body, cases[i].body);
        assert_int_equal(cis_read_status(&body, &is_incomplete, NULL), cases[i].code);
        assert_int_equal(is_incomplete, cases[i].is_incomplete);
    }
}

static void deep_and_long_answers_are_refused(void **state)
{
    (void)state;
    CLEANUP(strbuf_release) struct strbuf deep = STRBUF_INIT, wide = STRBUF_INIT;
    char id[SIZE];
    bool is_incomplete;
    for (int i = 0; i < 60000; i++)
        strbuf_addc(&deep, '[');
    strbuf_adds(&wide, "{\"id\":\"");
    for (int i = 0; i < 60000; i++)
        strbuf_addc(&wide, 'x');
    strbuf_adds(&wide, "\"}");
    assert_int_equal(cis_read_id(&deep, id, sizeof id, NULL), ERR_PARSE);
    assert_int_equal(cis_read_status(&deep, &is_incomplete, NULL), ERR_PARSE);
    assert_int_equal(cis_read_id(&wide, id, sizeof id, NULL), ERR_PARSE);
    assert_int_equal(cis_read_token(&deep, id, sizeof id, NULL), ERR_PARSE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_id_is_a_text_or_a_whole_number),
        cmocka_unit_test(a_token_has_its_name_in_any_case),
        cmocka_unit_test(an_error_tells_nothing_of_a_token),
        cmocka_unit_test(a_status_may_be_anything_or_missing_but_not_a_page),
        cmocka_unit_test(deep_and_long_answers_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
