/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * What a report says of its host's clock: since when it runs, and how far it is from UTC.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "analyzer/report/clock.h"
#include "common/compiler.h"

static void uptime_is_read_in_all_its_forms(void **state)
{
    static const struct {
        const char *text;
        int64_t seconds;
    } cases[] = {
        {" 10:11:12 up 10 days,  3:04,  1 user,  load average: 0.1, 0.2, 0.3", 10 * 86400 + 11040},
        {" 10:11:12 up 1 day, 5 min,  0 users", 86700},
        {" 10:11:12 up  3:04,  1 user", 11040},
        {" 10:11:12 up 0 min,  1 user", 0},
        {" 10:11:12 up 59 min,  1 user", 3540},
        {"10:11:12", -1},
        {"", -1},
        {" up for ever", -1},
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
        assert_int_equal(clock_uptime(cases[i].text), cases[i].seconds);
}

static void the_offset_to_utc_is_a_multiple_of_a_quarter_of_an_hour(void **state)
{
    (void)state;
    const int64_t utc = 1741000000;
    assert_int_equal(clock_offset(utc + 7200 + 40, utc), 7200);
    assert_int_equal(clock_offset(utc + 20700 - 40, utc), 20700); /* Nepal */
    assert_int_equal(clock_offset(utc - 4 * 3600 + 90, utc), -4 * 3600);
    assert_int_equal(clock_offset(utc + 30, utc), 0);
}

static void clocks_read_at_different_times_tell_no_offset(void **state)
{
    (void)state;
    const int64_t utc = 1741000000;
    assert_int_equal(clock_offset(utc + 7200 + 400, utc), 0);
    assert_int_equal(clock_offset(utc + 86400, utc), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(uptime_is_read_in_all_its_forms),
        cmocka_unit_test(the_offset_to_utc_is_a_multiple_of_a_quarter_of_an_hour),
        cmocka_unit_test(clocks_read_at_different_times_tell_no_offset),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
