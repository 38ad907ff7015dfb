/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * The order of versions, as tables: every row must hold in both directions.
 */
#include "common/version_compare.h"

#include "common/compiler.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <cmocka.h>

static int compare(const char *a, const char *b)
{
    return version_compare(a, strlen(a), b, strlen(b));
}

static void versions_sort_as_packagers_expect(void **state)
{
    (void)state;
    /* Each is smaller than every one below it. */
    static const char *const ascending[] = {
        "",
        "a",
        "0.9",
        "1.0~~",
        "1.0~rc1",
        "1.0",
        "1.0^git1",
        "1.0a",
        "1.0b",
        "1.0beta",
        "1.0.0",
        "1.0.1",
        "1.0.1a",
        "1.2",
        "1.10",
        "4.4.0+2",
        "4.7.6-6.9.xs7",
        "4.13.4-9.24.1",
        "4.13.4-9.29",
        "4.13.4-10.1",
        "4.17.5-1",
        "4.19.0+1",
        "8.0.0",
        "8.2",
        "8.2.0",
        "8.2.1",
        "8.10",
        "20250101",
        "99999999999999999999999999999998",
        "99999999999999999999999999999999",
        "1:0.1",
        "2:0.0.1",
    };
    for (size_t i = 0; i < ARRAY_SIZE(ascending); i++)
        for (size_t j = 0; j < ARRAY_SIZE(ascending); j++) {
            int expected = (i > j) - (i < j);
            if (compare(ascending[i], ascending[j]) != expected)
                fail_msg("'%s' against '%s' is not %d", ascending[i], ascending[j], expected);
        }
}

static void separators_leading_zeros_and_a_zero_epoch_do_not_count(void **state)
{
    (void)state;
    static const char *const equal[][2] = {
        {"8.2.1", "8.2.1"},  {"8.2.1", "8-2_1"},   {"1.01", "1.1"}, {"1.", "1"},  {"0:1.2", "1.2"},
        {"00:1.2", "0:1.2"}, {"1.0rc1", "1.0rc1"}, {"1a", "1.a"},   {"0", "000"}, {"", "."},
    };
    for (size_t i = 0; i < ARRAY_SIZE(equal); i++) {
        if (compare(equal[i][0], equal[i][1]) || compare(equal[i][1], equal[i][0]))
            fail_msg("'%s' does not equal '%s'", equal[i][0], equal[i][1]);
    }
}

static void any_bytes_may_come(void **state)
{
    (void)state;
    assert_int_equal(version_compare("1\0002", 3, "1.2", 3), 0);
    assert_int_equal(version_compare("\xff\xfe", 2, "", 0), 0);
    assert_int_equal(version_compare("\xc3\xa9"
                                     "1",
                                     3, "2", 1),
                     -1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(versions_sort_as_packagers_expect),
        cmocka_unit_test(separators_leading_zeros_and_a_zero_epoch_do_not_count),
        cmocka_unit_test(any_bytes_may_come),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
