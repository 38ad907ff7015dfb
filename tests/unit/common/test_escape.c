/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * What hostile bytes become.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <cmocka.h>

#include "common/escape.h"

struct escape_case {
    const char *text, *expected;
};

static void check(const struct escape_case *cases, size_t count,
                  void (*escape)(struct strbuf *, const char *, size_t))
{
    for (size_t i = 0; i < count; i++) {
        CLEANUP(strbuf_release) struct strbuf out = STRBUF_INIT;
        escape(&out, cases[i].text, strlen(cases[i].text));
        assert_string_equal(out.data, cases[i].expected);
    }
}

static void one_line(struct strbuf *out, const char *text, size_t length)
{
    escape_terminal(out, text, length, false);
}

static void several_lines(struct strbuf *out, const char *text, size_t length)
{
    escape_terminal(out, text, length, true);
}

static void a_terminal_gets_no_control_characters(void **state)
{
    (void)state;
    static const struct escape_case cases[] = {
        {"plain text ~", "plain text ~"},
        {"gr\xc3\xbc\xc3\x9f \xe2\x82\xac \xf0\x9f\x98\x80",
         "gr\xc3\xbc\xc3\x9f \xe2\x82\xac \xf0\x9f\x98\x80"},
        {"\033[31mred", "\\x1b[31mred"},
        {"\033]0;title\007", "\\x1b]0;title\\x07"},
        {"back\bspace\r\x7f", "back\\x08space\\x0d\\x7f"},
        {"c1 \xc2\x9b"
         "31m",
         "c1 \\xc2\\x9b31m"},
        {"raw c1 \x9b"
         "31m",
         "raw c1 \\x9b31m"},
        {"bidi \xe2\x80\xae"
         "gpj",
         "bidi \\xe2\\x80\\xaegpj"},
        {"isolate \xe2\x81\xa6", "isolate \\xe2\\x81\\xa6"},
        {"letter mark \xd8\x9c", "letter mark \\xd8\\x9c"},
        {"line \xe2\x80\xa8", "line \\xe2\\x80\\xa8"},
        {"a\nb\tc", "a\\x0ab\\x09c"},
    };
    check(cases, ARRAY_SIZE(cases), one_line);
}

static void several_lines_keep_newline_and_tab_only(void **state)
{
    (void)state;
    static const struct escape_case cases[] = {{"a\nb\tc", "a\nb\tc"},
                                               {"a\r\n\f", "a\\x0d\n\\x0c"}};
    check(cases, ARRAY_SIZE(cases), several_lines);
}

static void bytes_that_are_not_utf8_are_shown_one_by_one(void **state)
{
    (void)state;
    static const struct escape_case cases[] = {
        {"\xff\xfe", "\\xff\\xfe"},
        {"cut \xe2\x82", "cut \\xe2\\x82"},
        {"overlong \xc0\xaf", "overlong \\xc0\\xaf"},
        {"overlong \xe0\x80\xaf", "overlong \\xe0\\x80\\xaf"},
        {"surrogate \xed\xa0\x80", "surrogate \\xed\\xa0\\x80"},
        {"too large \xf4\x90\x80\x80", "too large \\xf4\\x90\\x80\\x80"},
        {"lone \x80 tail", "lone \\x80 tail"},
        {"\xc3(", "\\xc3("},
    };
    check(cases, ARRAY_SIZE(cases), one_line);
}

static void markup_loses_its_meaning(void **state)
{
    (void)state;
    static const struct escape_case cases[] = {
        {"<script>alert('1')</script>", "&lt;script&gt;alert(&#39;1&#39;)&lt;/script&gt;"},
        {"\" onload=\"x", "&quot; onload=&quot;x"},
        {"&amp;", "&amp;amp;"},
        {"\033[0m\xff", "\\x1b[0m\\xff"},
        {"a\nb", "a\nb"},
        {"]]>", "]]&gt;"},
    };
    check(cases, ARRAY_SIZE(cases), escape_markup);
}

static void a_nul_is_shown(void **state)
{
    (void)state;
    CLEANUP(strbuf_release) struct strbuf out = STRBUF_INIT;
    escape_markup(&out, "a\0b", 3);
    assert_string_equal(out.data, "a\\x00b");
}

static void a_shell_gets_one_word(void **state)
{
    (void)state;
    static const struct {
        const char *word, *expected;
    } cases[] = {
        {"var/log/SMlog.1", "var/log/SMlog.1"},
        {"", "''"},
        {"my report.zip", "'my report.zip'"},
        {"$(id)", "'$(id)'"},
        {"it's", "'it'\\''s'"},
        {"~", "'~'"},
    };
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        CLEANUP(strbuf_release) struct strbuf out = STRBUF_INIT;
        escape_shell(&out, cases[i].word);
        assert_string_equal(out.data, cases[i].expected);
    }
}

static void json_gets_valid_utf8(void **state)
{
    (void)state;
    static const struct escape_case cases[] = {
        {"\xc3\xbc", "\xc3\xbc"},
        {"\xff!", "\xef\xbf\xbd!"},
        {"\xed\xa0\x80", "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd"},
        {"\xe2\x82", "\xef\xbf\xbd\xef\xbf\xbd"},
    };
    check(cases, ARRAY_SIZE(cases), escape_utf8);
}

static void sequence_lengths_are_those_of_the_standard(void **state)
{
    (void)state;
    static const struct {
        const char *bytes;
        unsigned length, point;
    } cases[] = {{"A", 1, 'A'},
                 {"\xc2\x80", 2, 0x80},
                 {"\xdf\xbf", 2, 0x7ff},
                 {"\xe0\xa0\x80", 3, 0x800},
                 {"\xef\xbf\xbf", 3, 0xffff},
                 {"\xf0\x90\x80\x80", 4, 0x10000},
                 {"\xf4\x8f\xbf\xbf", 4, 0x10ffff},
                 {"\xf5\x80\x80\x80", 0, 0},
                 {"\xc1\xbf", 0, 0}};
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        unsigned point = 0;
        assert_int_equal(escape_utf8_length(cases[i].bytes, strlen(cases[i].bytes), &point),
                         cases[i].length);
        assert_int_equal(point, cases[i].point);
    }
    unsigned point;
    assert_int_equal(escape_utf8_length("", 0, &point), 0);
    assert_int_equal(escape_utf8_length("\xe2\x82\xac", 2, &point), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_terminal_gets_no_control_characters),
        cmocka_unit_test(several_lines_keep_newline_and_tab_only),
        cmocka_unit_test(bytes_that_are_not_utf8_are_shown_one_by_one),
        cmocka_unit_test(markup_loses_its_meaning),
        cmocka_unit_test(a_nul_is_shown),
        cmocka_unit_test(a_shell_gets_one_word),
        cmocka_unit_test(json_gets_valid_utf8),
        cmocka_unit_test(sequence_lengths_are_those_of_the_standard),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
