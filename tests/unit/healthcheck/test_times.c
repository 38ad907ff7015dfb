/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * .NET's round-trip format, weekdays and hours; each row is one text and what it must be.
 */
#include "healthcheck/times/times.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "common/compiler.h"

static const struct {
    const char *text;
    int64_t ticks;
} good[] = {
    {"1970-01-01T00:00:00.0000000Z", 0},
    {"1970-01-01T00:00:00.0000001Z", 1},
    {"1969-12-31T23:59:59.9999999Z", -1},
    {"2016-02-29T12:00:00.0000000Z", 1456747200LL * TIMES_TICKS},
    {"2026-11-22T06:49:22.1234567Z", 1795330162LL * TIMES_TICKS + 1234567},
    {"2000-02-29T00:00:00.0000000Z", 951782400LL * TIMES_TICKS},
    {"2038-01-19T03:14:08.0000000Z", 2147483648LL * TIMES_TICKS},
    {"9999-12-31T23:59:59.9999999Z", 253402300799LL * TIMES_TICKS + 9999999},
    {"0001-01-01T00:00:00.0000000Z", -62135596800LL * TIMES_TICKS},
};

static const char *const bad[] = {
    "",
    " ",
    "2026-11-22",
    "2026-11-22T06:49:22Z",
    "2026-11-22T06:49:22.0Z",
    "2026-11-22T06:49:22.000000Z",
    "2026-11-22T06:49:22.00000000Z",
    "2026-11-22T06:49:22.0000000",
    "2026-11-22T06:49:22.0000000z",
    "2026-11-22t06:49:22.0000000Z",
    "2026-11-22T06:49:22.0000000+00:00",
    "2026-11-22T06:49:22.0000000Z ",
    " 2026-11-22T06:49:22.0000000Z",
    "2026-11-22 06:49:22.0000000Z",
    "2026-11-22T06:49:22,0000000Z",
    "2026-13-22T06:49:22.0000000Z",
    "2026-00-22T06:49:22.0000000Z",
    "2026-11-31T06:49:22.0000000Z",
    "2026-11-00T06:49:22.0000000Z",
    "2026-02-29T06:49:22.0000000Z",
    "1900-02-29T06:49:22.0000000Z",
    "0000-01-01T06:49:22.0000000Z",
    "2026-11-22T24:00:00.0000000Z",
    "2026-11-22T06:60:22.0000000Z",
    "2026-11-22T06:49:60.0000000Z",
    "+026-11-22T06:49:22.0000000Z",
    "20261-1-22T06:49:22.0000000Z",
    "2026-11-22T06:49:22.-000000Z",
    "2026-11-22T06:49:22.0000000Z2026-11-22T06:49:22.0000000Z",
};

static void the_round_trip_format_is_read_and_written_exactly(void **state)
{
    char text[TIMES_LENGTH + 1];
    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(good); i++) {
        int64_t ticks = 42;
        assert_true(times_read(good[i].text, &ticks));
        assert_int_equal(ticks, good[i].ticks);
        assert_string_equal(times_write(good[i].ticks, text), good[i].text);
        assert_int_equal(strlen(text), TIMES_LENGTH);
    }
}

static void anything_else_is_refused(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
        int64_t ticks = 42;
        if (times_read(bad[i], &ticks))
            fail_msg("'%s' was taken for a time", bad[i]);
        assert_int_equal(ticks, 42);
    }
}

static void every_day_of_five_centuries_survives_the_round_trip(void **state)
{
    char text[TIMES_LENGTH + 1];
    int64_t day = -135140; /* 1600-01-01 */
    (void)state;
    for (int i = 0; i < 182622; i++, day++) {
        int64_t ticks = (day * 86400 + i % 86400) * TIMES_TICKS + i, back;
        assert_true(times_read(times_write(ticks, text), &back));
        assert_int_equal(ticks, back);
    }
    assert_string_equal(text, "2099-12-31T02:43:41.0182621Z");
}

static void times_outside_the_years_of_dot_net_become_the_nearest_inside(void **state)
{
    char text[TIMES_LENGTH + 1];
    (void)state;
    assert_string_equal(times_write(INT64_MAX, text), "9999-12-31T23:59:59.9999999Z");
    assert_string_equal(times_write(INT64_MIN, text), "0001-01-01T00:00:00.0000000Z");
}

static void the_short_form_has_no_fraction(void **state)
{
    char text[TIMES_SHORT_BYTES];
    int64_t s;
    (void)state;
    assert_string_equal(times_write_short(1795330162, text), "2026-11-22T06:49:22Z");
    assert_true(times_read_short(text, &s));
    assert_int_equal(s, 1795330162);
    assert_false(times_read_short("2026-11-22T06:49:22.0000000Z", &s));
    assert_false(times_read_short("2026-11-31T06:49:22Z", &s));
}

static void ticks_before_1970_are_rounded_down(void **state)
{
    (void)state;
    assert_int_equal(times_seconds(-1), -1);
    assert_int_equal(times_seconds(-TIMES_TICKS), -1);
    assert_int_equal(times_seconds(TIMES_TICKS - 1), 0);
}

static void weekdays_are_digits_or_english_names(void **state)
{
    static const struct {
        const char *text;
        int day; /* -1: none */
    } rows[] = {{"0", 0},      {"6", 6},      {"7", -1},       {"-1", -1},
                {"01", -1},    {"Sunday", 0}, {"Monday", 1},   {"tuesday", 2},
                {"FRIDAY", 5}, {"Sat", 6},    {"wed", 3},      {"Thurs", -1},
                {"", -1},      {" 1", -1},    {"Sonntag", -1}, {"Mondays", -1}};
    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        int day = -1;
        assert_int_equal(times_read_weekday(rows[i].text, &day), rows[i].day >= 0);
        assert_int_equal(day, rows[i].day);
    }
    assert_string_equal(times_weekday(2), "Tuesday");
}

static void hours_have_one_or_two_digits(void **state)
{
    static const struct {
        const char *text;
        int hour;
    } rows[] = {{"0", 0},   {"9", 9},    {"09", 9},  {"23", 23}, {"24", -1}, {"", -1},
                {"-1", -1}, {"003", -1}, {"3h", -1}, {"3 ", -1}, {"3.5", -1}};
    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        int hour = -1;
        assert_int_equal(times_read_hour(rows[i].text, &hour), rows[i].hour >= 0);
        assert_int_equal(hour, rows[i].hour);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_round_trip_format_is_read_and_written_exactly),
        cmocka_unit_test(anything_else_is_refused),
        cmocka_unit_test(every_day_of_five_centuries_survives_the_round_trip),
        cmocka_unit_test(times_outside_the_years_of_dot_net_become_the_nearest_inside),
        cmocka_unit_test(the_short_form_has_no_fraction),
        cmocka_unit_test(ticks_before_1970_are_rounded_down),
        cmocka_unit_test(weekdays_are_digits_or_english_names),
        cmocka_unit_test(hours_have_one_or_two_digits),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
