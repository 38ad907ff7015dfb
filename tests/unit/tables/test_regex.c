/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * Regular expressions: groups, names, limits and the texts of their errors.
 */
#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#include "analyzer/regex/regex.h"

/* Everything holds for both ways to match. */
static bool with_machine_code;

static struct regex *compile(const char *pattern)
{
    struct regex *regex = NULL;
    struct err err = ERR_INIT;
    if (regex_compile(pattern, strlen(pattern), &regex, &err) < 0)
        fail_msg("%s", err.text);
    for (int times = 0; with_machine_code && times < 2; times++)
        regex_speed_up(regex);
    return regex;
}

static void assert_named(const struct regex *regex, const struct regex_scratch *scratch,
                         const char *name, const char *wanted)
{
    const char *text = NULL;
    size_t length = 0;
    int index = regex_name_find(regex, name);
    assert_true(index >= 0);
    bool found = regex_named(regex, scratch, (size_t)index, &text, &length);
    assert_int_equal(found, wanted != NULL);
    if (wanted) {
        assert_int_equal(length, strlen(wanted));
        assert_memory_equal(text, wanted, length);
    }
}

static void named_groups_are_in_the_order_of_the_pattern(void **state)
{
    (void)state;
    CLEANUP(regex_cleanup) struct regex *regex = compile("(?<z>a)(b)(?<a>c)?");
    CLEANUP(regex_scratch_cleanup) struct regex_scratch *scratch = regex_scratch_new();
    assert_int_equal(regex_name_count(regex), 2);
    assert_string_equal(regex_name_at(regex, 0), "z");
    assert_string_equal(regex_name_at(regex, 1), "a");
    assert_int_equal(regex_name_find(regex, "b"), -1);
    assert_int_equal(regex_group_count(regex), 3);
    assert_int_equal(regex_match(regex, scratch, "xab", 3, 0), REGEX_MATCH);
    assert_named(regex, scratch, "z", "a");
    assert_named(regex, scratch, "a", NULL);
    const char *text = NULL;
    size_t length = 0;
    assert_true(regex_group(regex, scratch, 0, &text, &length));
    assert_int_equal(length, 2);
    assert_false(regex_group(regex, scratch, 4, &text, &length));
}

static void a_name_that_stands_twice_is_the_group_that_took_part(void **state)
{
    (void)state;
    CLEANUP(regex_cleanup) struct regex *regex = compile("^(?:'(?<v>[^']*)'|(?<v>\\w+))$");
    CLEANUP(regex_scratch_cleanup) struct regex_scratch *scratch = regex_scratch_new();
    assert_int_equal(regex_name_count(regex), 1);
    assert_int_equal(regex_match(regex, scratch, "'a b'", 5, 0), REGEX_MATCH);
    assert_named(regex, scratch, "v", "a b");
    assert_int_equal(regex_match(regex, scratch, "cd", 2, 0), REGEX_MATCH);
    assert_named(regex, scratch, "v", "cd");
}

static void texts_are_bytes(void **state)
{
    (void)state;
    CLEANUP(regex_cleanup) struct regex *regex = compile("Utilis\xc3\xa9|a.b");
    CLEANUP(regex_scratch_cleanup) struct regex_scratch *scratch = regex_scratch_new();
    const char broken[] = "\xff\xfe a\0b \xc3";
    assert_int_equal(regex_match(regex, scratch, broken, sizeof broken - 1, 0), REGEX_MATCH);
    assert_int_equal(regex_match(regex, scratch, "Utilis\xc3\xa9", 9, 0), REGEX_MATCH);
    assert_int_equal(regex_match(regex, scratch, "Utilis\xc3", 8, 0), REGEX_NO_MATCH);
}

static void a_match_can_start_behind_an_offset(void **state)
{
    (void)state;
    CLEANUP(regex_cleanup) struct regex *regex = compile("\\d+");
    CLEANUP(regex_scratch_cleanup) struct regex_scratch *scratch = regex_scratch_new();
    const char *text = NULL;
    size_t length = 0;
    assert_int_equal(regex_match(regex, scratch, "12 345", 6, 2), REGEX_MATCH);
    assert_true(regex_group(regex, scratch, 0, &text, &length));
    assert_int_equal(length, 3);
    assert_int_equal(regex_match(regex, scratch, "12 345", 6, 6), REGEX_NO_MATCH);
}

static void a_pattern_that_explodes_is_given_up(void **state)
{
    (void)state;
    CLEANUP(regex_scratch_cleanup) struct regex_scratch *scratch = regex_scratch_new();
    char text[65];
    memset(text, 'x', sizeof text);
    text[64] = '!';
    static const char *const patterns[] = {"^(x|xx)+$", "^(x+)+$",
                                           "(*LIMIT_MATCH=4000000000)^(x+x+)+$"};
    for (size_t i = 0; i < ARRAY_SIZE(patterns); i++) {
        CLEANUP(regex_cleanup) struct regex *regex = compile(patterns[i]);
        assert_int_equal(regex_match(regex, scratch, text, sizeof text, 0), REGEX_ABORTED);
    }
}

static const struct {
    const char *pattern, *error;
} mistakes[] = {
    {"", "empty regular expression: it would match everywhere"},
    {"a(b", "bad regular expression: missing closing parenthesis, at its end"},
    {"a[z-b]c", "bad regular expression: range out of order in character class, at character 5, "
                "before 'b]c'"},
    {"(*UTF)a", "bad regular expression: using UTF is disabled by the application, at character 7, "
                "before 'a'"},
    {"\\C", "bad regular expression: using \\C is disabled by the application, at its end"},
};

static void a_bad_pattern_tells_what_and_where(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(mistakes); i++) {
        struct regex *regex = NULL;
        struct err err = ERR_INIT;
        assert_int_equal(
            regex_compile(mistakes[i].pattern, strlen(mistakes[i].pattern), &regex, &err),
            ERR_PARSE);
        assert_null(regex);
        assert_string_equal(err.text, mistakes[i].error);
    }
}

static void patterns_are_bounded_in_length_groups_and_nesting(void **state)
{
    (void)state;
    struct regex *regex = NULL;
    char pattern[REGEX_PATTERN_MAX + 1];
    memset(pattern, 'x', sizeof pattern);
    struct err err = ERR_INIT;
    assert_int_equal(regex_compile(pattern, sizeof pattern, &regex, &err), ERR_PARSE);
    assert_string_equal(err.text, "regular expression of 4097 bytes; 4096 are allowed");
    assert_int_equal(regex_compile(pattern, REGEX_PATTERN_MAX, &regex, NULL), 0);
    regex = regex_free(regex);

    for (size_t i = 0; i < REGEX_GROUPS_MAX; i++)
        memcpy(pattern + 3 * i, "(a)", 3);
    err_clear(&err);
    assert_int_equal(regex_compile(pattern, 3 * (REGEX_GROUPS_MAX - 1), &regex, &err), 0);
    regex = regex_free(regex);
    assert_int_equal(regex_compile(pattern, 3 * REGEX_GROUPS_MAX, &regex, &err), ERR_PARSE);
    assert_null(regex);

    size_t depth = REGEX_NESTING_MAX + 1;
    memset(pattern, '(', depth);
    memset(pattern + depth, ')', depth);
    err_clear(&err);
    assert_int_equal(regex_compile(pattern, 2 * depth, &regex, &err), ERR_PARSE);
    assert_null(regex);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(named_groups_are_in_the_order_of_the_pattern),
        cmocka_unit_test(a_name_that_stands_twice_is_the_group_that_took_part),
        cmocka_unit_test(texts_are_bytes),
        cmocka_unit_test(a_match_can_start_behind_an_offset),
        cmocka_unit_test(a_pattern_that_explodes_is_given_up),
        cmocka_unit_test(a_bad_pattern_tells_what_and_where),
        cmocka_unit_test(patterns_are_bounded_in_length_groups_and_nesting),
    };
    int failed = cmocka_run_group_tests_name("interpreted", tests, NULL, NULL);
    with_machine_code = true;
    return failed + cmocka_run_group_tests_name("with machine code", tests, NULL, NULL);
}
