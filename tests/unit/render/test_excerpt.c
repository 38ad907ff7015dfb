/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * Which part of a line is shown where it does not fit.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "analyzer/verdict/excerpt.h"
#include "common/io.h"

static void the_match_is_shown_wherever_it_stands(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        size_t start, length, room;
        const char *expected;
    } cases[] = {
        {"0123456789", 4, 2, 10, "0123456789"}, /* it fits */
        {"Nov 20 host kernel: out of memory", 20, 13, 24, "...kernel: out of memory"},
        {"Nov 20 host kernel: out of memory", 0, 3, 24, "Nov 20 host kernel: o..."},
        {"Nov 20 host kernel: out of memory", 0, 0, 24, "Nov 20 host kernel: o..."},
        {"Nov 20 host kernel: out of memory, score 611 or more", 20, 13, 26,
         "... out of memory, scor..."},
        {"Nov 20 host kernel: out of memory, score 611 or more", 20, 32, 20,
         "...out of memory,..."}, /* too long: its beginning */
        {"Nov 20 host kernel: out of memory, score 611 or more", 2, 50, 20, "Nov 20 host kerne..."},
    };
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        CLEANUP(strbuf_release) struct strbuf out = STRBUF_INIT;
        size_t total = strlen(cases[i].text);
        struct excerpt part =
            excerpt_of(cases[i].text, total, cases[i].start, cases[i].length, cases[i].room);
        excerpt_add(&out, cases[i].text, total, &part);
        assert_string_equal(out.data, cases[i].expected);
    }
}

/* Every match in every text of some length: what is promised holds. */
static void it_always_fits_and_always_holds_a_match_that_can(void **state)
{
    (void)state;
    for (size_t total = 0; total <= 40; total++)
        for (size_t start = 0; start <= total; start++)
            for (size_t length = 0; start + length <= total; length++)
                for (size_t room = 0; room <= 42; room++) {
                    struct excerpt part = excerpt_around(total, start, length, room);
                    size_t marks = room > 6 ? 3 * (part.from > 0) + 3 * (part.to < total) : 0;
                    assert_true(part.from <= part.to && part.to <= total);
                    assert_true(part.to - part.from + marks <= room);
                    if (room <= 6 || length > room - 6 || length == 0)
                        continue;
                    assert_true(part.from <= start && start + length <= part.to);
                }
}

static void no_character_is_torn(void **state)
{
    (void)state;
    static const char text[] = "\xc3\xbc\xc3\xbc\xc3\xbc\xc3\xbc\xc3\xbc\xc3\xbc\xc3\xbc\xc3\xbc";
    for (size_t start = 0; start < 16; start++)
        for (size_t room = 0; room < 16; room++) {
            struct excerpt part = excerpt_of(text, 16, start, 1, room);
            assert_int_equal(part.from % 2, 0);
            assert_int_equal(part.to % 2, 0);
        }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_match_is_shown_wherever_it_stands),
        cmocka_unit_test(it_always_fits_and_always_holds_a_match_that_can),
        cmocka_unit_test(no_character_is_torn),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
