/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * Fixed texts that every match of a pattern contains: the longest, never one that may be missing.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "analyzer/match/literals.h"

/* The expression, with blanks as they are; "" when there is none. */
static const struct {
    const char *pattern, *texts;
} cases[] = {
    {"needle", "needle"},
    {"sh", ""},
    {"a longer text.*the longest text of all", "the longest text of all"},
    {"xapi(?:\\[\\d+\\])?: .*Out_of_memory", "Out_of_memory"},
    {"first text|second text", "first text|second text"},
    {"first text|x\\d", ""},
    {"(?:xapi|v6d): (?:Too many files|No such file)", "Too many files|No such file"},
    {"(?<who>\\w+) was killed", " was killed"},
    {"(?:maybe there)?always", "always"},
    {"(?:maybe there)*always", "always"},
    {"(?:there at least once)+ end", "there at least once"},
    {"(?:once or more){0,2}some", "some"},
    {"colou?r of it", "r of it"},
    {"failu+re", "failu"},
    {"failures{0}", "failure"},
    {"[Ff]ailed[^]]text", "ailed"},
    {"[]abcdef]text", "text"},
    {"[[:alpha:]]text", "text"},
    {"[\\]abcdef]text", "text"},
    {"a\\.b\\.c", "a.b.c"},
    {"^text$", "text"},
    {"\\btext\\b", "text"},
    {"text(?! longer than the text)", "text"},
    {"text(?!x)more", "textmore"},
    {"(?<!not )there", "there"},
    {"(?i:caseless) text", " text"},
    {"(?i)caseless text", ""},
    {"(?x)spaced out", ""},
    {"text{,3} of old", ""},
    {"text{3} of old", " of old"},
    {"\\x41 hexadecimal", ""},
    {"\\Qquoted.*\\E text", ""},
    {"(a)(?1) recursion", ""},
    {"(?(1)condition|other)", ""},
    {"one\\Ktext", ""},
};

static void the_longest_text_that_cannot_be_missing_is_found(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        CLEANUP(strbuf_release) struct strbuf found = STRBUF_INIT, plain = STRBUF_INIT;
        assert_true(literals_find(cases[i].pattern, &found) == (cases[i].texts[0] != '\0'));
        for (const char *p = found.data; *p; p++) {
            unsigned code;
            if (*p == '\\' && sscanf(p, "\\x%02x", &code) == 1) {
                strbuf_addc(&plain, (char)code);
                p += 3;
            } else {
                strbuf_addc(&plain, *p);
            }
        }
        assert_string_equal(plain.data, cases[i].texts);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_longest_text_that_cannot_be_missing_is_found),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
