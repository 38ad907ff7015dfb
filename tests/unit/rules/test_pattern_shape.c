/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * What the text of a pattern tells before it is compiled.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "analyzer/verify/pattern_shape.h"
#include "common/compiler.h"

static void a_repetition_of_a_repetition_is_seen(void **state)
{
    static const char *const nested[] = {"(a+)+", "(?:x*y*)*", "(a|b+)*", "(?<n>\\w+)+?",
                                         "([a-z]+,?){2,}"};
    static const char *const plain[] = {"(a+)",      "(ab)+",       "a+b+",
                                        "(?:x+)?",   "[+*]+",       "(a\\+)+",
                                        "(a+){2,3}", "(a++)+",      "(?<name>a)+",
                                        "((ab+)c)*", "(?:\\S+ +)*", "(?:\\[\\w+\\] |scsi: )*"};
    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(nested); i++)
        if (!pattern_shape_of(nested[i]).repeats_repetition)
            fail_msg("%s", nested[i]);
    for (size_t i = 0; i < ARRAY_SIZE(plain); i++)
        if (pattern_shape_of(plain[i]).repeats_repetition)
            fail_msg("%s", plain[i]);
}

static void the_longest_fixed_run_is_counted(void **state)
{
    static const struct {
        const char *pattern;
        size_t length;
    } cases[] = {
        {"I/O error, dev", 14}, {"a?bc", 2}, {"\\d+: x", 3}, {"[abc]def", 3},     {".*", 0},
        {"\\(none\\)", 6},      {"ab*c", 1}, {"ab|cde", 3},  {"(?<name>xy)z", 2},
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
        if (pattern_shape_of(cases[i].pattern).longest_literal != cases[i].length)
            fail_msg("%s: %zu", cases[i].pattern,
                     pattern_shape_of(cases[i].pattern).longest_literal);
}

static void the_largest_count_is_found_and_a_brace_alone_is_none(void **state)
{
    (void)state;
    assert_int_equal(pattern_shape_of("a{2,5000}b{7}").largest_repeat, 5000);
    assert_int_equal(pattern_shape_of("a{12").largest_repeat, 0);
    assert_int_equal(pattern_shape_of("[{99}]").largest_repeat, 0);
}

static void broken_patterns_are_read_to_their_end(void **state)
{
    static const char *const broken[] = {"",    "(",   ")",  "[",   "\\",  "(?",
                                         "(?<", "(((", "a{", "[^]", ")))+"};
    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(broken); i++)
        assert_true(pattern_shape_of(broken[i]).longest_literal < 3);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_repetition_of_a_repetition_is_seen),
        cmocka_unit_test(the_longest_fixed_run_is_counted),
        cmocka_unit_test(the_largest_count_is_found_and_a_brace_alone_is_none),
        cmocka_unit_test(broken_patterns_are_read_to_their_end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
