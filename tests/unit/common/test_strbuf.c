/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * The growing byte string, and above all what it does when it may not grow.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <cmocka.h>

#include "common/strbuf.h"

static void an_empty_buffer_is_a_string(void **state)
{
    (void)state;
    CLEANUP(strbuf_release) struct strbuf b = STRBUF_INIT;
    assert_string_equal(b.data, "");
    assert_true(strbuf_ok(&b));
    strbuf_add(&b, NULL, 0);
    strbuf_consume(&b, 5);
    strbuf_clear(&b);
    assert_string_equal(b.data, "");
    assert_int_equal(b.capacity, 0);
}

static void appending_keeps_every_byte_and_the_end(void **state)
{
    (void)state;
    CLEANUP(strbuf_release) struct strbuf b = STRBUF_INIT;
    strbuf_adds(&b, "ab");
    strbuf_addc(&b, '\0');
    strbuf_addf(&b, "%s-%d", "c", 42);
    assert_int_equal(b.length, 7);
    assert_memory_equal(b.data, "ab\0c-42", 8);
    for (int i = 0; i < 10000; i++)
        strbuf_addf(&b, "%d,", i);
    assert_true(strbuf_ok(&b));
    assert_string_equal(b.data + b.length - 5, "9999,");
}

static void nothing_is_appended_beyond_the_maximum_and_the_failure_is_remembered(void **state)
{
    (void)state;
    CLEANUP(strbuf_release) struct strbuf b = STRBUF_INIT_MAX(4);
    strbuf_adds(&b, "abcd");
    assert_true(strbuf_ok(&b));
    strbuf_addc(&b, 'e');
    assert_false(strbuf_ok(&b));
    strbuf_adds(&b, "");
    strbuf_addf(&b, "%d", 1);
    assert_string_equal(b.data, "abcd");
    strbuf_clear(&b);
    assert_true(strbuf_ok(&b));
    strbuf_addf(&b, "%s", "wxyz");
    assert_string_equal(b.data, "wxyz");
}

static void an_absurd_size_is_a_failure_and_no_overflow(void **state)
{
    (void)state;
    CLEANUP(strbuf_release) struct strbuf b = STRBUF_INIT;
    strbuf_adds(&b, "abc");
    assert_false(strbuf_reserve(&b, SIZE_MAX - 1));
    assert_false(strbuf_ok(&b));
    assert_string_equal(b.data, "abc");
}

static void consuming_moves_the_rest_to_the_front(void **state)
{
    (void)state;
    CLEANUP(strbuf_release) struct strbuf b = STRBUF_INIT;
    strbuf_adds(&b, "line1\nline2");
    strbuf_consume(&b, 6);
    assert_string_equal(b.data, "line2");
    strbuf_consume(&b, 100);
    assert_int_equal(b.length, 0);
    assert_string_equal(b.data, "");
}

static void truncating_never_makes_it_longer(void **state)
{
    (void)state;
    CLEANUP(strbuf_release) struct strbuf b = STRBUF_INIT;
    strbuf_truncate(&b, 3);
    assert_int_equal(b.length, 0);
    strbuf_adds(&b, "abcdef");
    strbuf_truncate(&b, 9);
    assert_string_equal(b.data, "abcdef");
    strbuf_truncate(&b, 2);
    assert_string_equal(b.data, "ab");
    assert_int_equal(b.length, 2);
}

static void taking_empties_the_buffer(void **state)
{
    (void)state;
    struct strbuf b = STRBUF_INIT;
    strbuf_adds(&b, "mine");
    char *taken = strbuf_take(&b);
    assert_string_equal(taken, "mine");
    assert_int_equal(b.length, 0);
    free(taken);
    taken = strbuf_take(&b);
    assert_string_equal(taken, "");
    free(taken);
}

static void nothing_is_taken_after_a_failure(void **state)
{
    (void)state;
    struct strbuf b = STRBUF_INIT_MAX(2);
    strbuf_adds(&b, "abc");
    assert_null(strbuf_take(&b));
    assert_true(strbuf_ok(&b));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_empty_buffer_is_a_string),
        cmocka_unit_test(appending_keeps_every_byte_and_the_end),
        cmocka_unit_test(nothing_is_appended_beyond_the_maximum_and_the_failure_is_remembered),
        cmocka_unit_test(an_absurd_size_is_a_failure_and_no_overflow),
        cmocka_unit_test(consuming_moves_the_rest_to_the_front),
        cmocka_unit_test(truncating_never_makes_it_longer),
        cmocka_unit_test(taking_empties_the_buffer),
        cmocka_unit_test(nothing_is_taken_after_a_failure),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
