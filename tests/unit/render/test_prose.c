/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * How explanations and advice are taken apart.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <cmocka.h>

#include "analyzer/render/html.h"
#include "analyzer/render/prose.h"

/* "kind:text|kind:text", with '+' behind the kind of a continued item. */
static void describe(const char *text, struct strbuf *out)
{
    static const char kinds[] = {[PROSE_PARAGRAPH] = 'p',
                                 [PROSE_BULLET] = 'b',
                                 [PROSE_NUMBER] = 'n',
                                 [PROSE_CODE] = 'c',
                                 [PROSE_BLANK] = '_'};
    struct prose prose = {.rest = text};
    struct prose_line line;
    while (prose_next(&prose, &line)) {
        strbuf_addf(out, "%s%c%s", out->length ? "|" : "", kinds[line.kind],
                    line.continues ? "+" : "");
        if (line.kind == PROSE_NUMBER)
            strbuf_addf(out, "%d", line.number);
        if (line.kind != PROSE_BLANK)
            strbuf_addf(out, ":%.*s", (int)line.length, line.text);
    }
}

static void lines_are_told_apart(void **state)
{
    (void)state;
    static const struct {
        const char *text, *expected;
    } cases[] = {
        {"", ""},
        {"\n  \n", ""},
        {"one\ntwo", "p:one|p:two"},
        {"\none\n\n\ntwo\n\n", "p:one|_|_|p:two"},
        {"- a\n- b", "b:a|b:b"},
        {"* a", "b:a"},
        {"1. a\n2) b\n12. c", "n1:a|n2:b|n12:c"},
        {"- a\n  more\nend", "b:a|p+:more|p:end"},
        {"- a\n\n  not more", "b:a|_|p:not more"},
        {"run\n\n    lvs -a\n    pvs", "p:run|_|c:lvs -a|c:pvs"},
        {"    - not an item", "c:- not an item"},
        {"-dash", "p:-dash"},
        {"- ", "p:- "},
        {"2025. 10", "p:2025. 10"},
        {"3.5 is a number", "p:3.5 is a number"},
        {"windows\r\nline", "p:windows\r|p:line"},
    };
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        CLEANUP(strbuf_release) struct strbuf out = STRBUF_INIT;
        describe(cases[i].text, &out);
        assert_string_equal(out.data, cases[i].expected);
    }
}

static void no_text_is_no_lines(void **state)
{
    (void)state;
    struct prose prose = {.rest = NULL};
    struct prose_line line;
    assert_false(prose_next(&prose, &line));
}

static void a_page_gets_paragraphs_and_lists(void **state)
{
    (void)state;
    static const struct {
        const char *text, *expected;
    } cases[] = {
        {"", ""},
        {"one\ntwo\n\nthree", "<p>one<br>two</p>\n<p>three</p>\n"},
        {"Do:\n- a\n- b\nend", "<p>Do:</p>\n<ul><li>a</li><li>b</li></ul>\n<p>end</p>\n"},
        {"1. a\n   more\n\n2. b",
         "<ol><li value=\"1\">a<br>more</li></ol>\n<ol><li value=\"2\">b</li></ol>\n"},
        {"    a < b\n    c", "<pre>a &lt; b\nc</pre>\n"},
        {"run `a < b`, ``, `c", "<p>run <code>a &lt; b</code>, ``, `c</p>\n"},
        {"`x``y`", "<p><code>x</code><code>y</code></p>\n"},
        {"    `raw`", "<pre>`raw`</pre>\n"},
        {"- <b>\n1. &", "<ul><li>&lt;b&gt;</li></ul>\n<ol><li value=\"1\">&amp;</li></ol>\n"},
    };
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        CLEANUP(strbuf_release) struct strbuf out = STRBUF_INIT;
        html_prose(&out, cases[i].text);
        assert_string_equal(out.data, cases[i].expected);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lines_are_told_apart),
        cmocka_unit_test(no_text_is_no_lines),
        cmocka_unit_test(a_page_gets_paragraphs_and_lists),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
