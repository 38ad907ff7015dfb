/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * Steps back in the stamps of one log. Whole reports, and where logs end, are in
 * tests/integration/test_times.py.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "analyzer/judge/log_clock.h"
#include "common/io.h"
#include "common/strbuf.h"

static const char syslog_format[] = "format: syslog\nstamp: '%b %e %H:%M:%S'\n";
static const char plain_format[] = "format: plain\nstamp: '%Y-%m-%d %H:%M:%S'\n";

/* Longer than the way from sample to sample. */
static const char filler[] = "a line of a log that is as long as it must be, so that none is "
                             "passed over when samples of their stamps are "
                             "taken: more than two hundred and fifty-six bytes are between the "
                             "beginnings of two lines. They are here for that "
                             "alone, and say nothing that anybody has to read.";

/* Whether a log of these stamps (NULL-ended) has a step; its bytes come in pieces of `piece`. */
static bool has_step_in_pieces(const char *const *stamps, size_t piece, struct stamp *after)
{
    const struct embedded_file files[] = {
        {"syslog.yaml", syslog_format, syslog_format + strlen(syslog_format)},
        {"plain.yaml", plain_format, plain_format + strlen(plain_format)},
        {0},
    };
    CLEANUP(strbuf_release) struct strbuf log = STRBUF_INIT;
    struct arena *arena = arena_new(1 << 20);
    struct path_pattern pattern;
    struct log_formats *formats;
    struct log_clock *clock;
    struct log_watch *watch;
    struct stamp before;
    for (; *stamps; stamps++)
        strbuf_addf(&log, "%s host1 %s\n", *stamps, filler);
    assert_int_equal(log_formats_load(files, &formats, NULL), 0);
    assert_int_equal(path_pattern_compile(arena, "var/log/SMlog", &pattern, NULL), 0);
    const struct log_times times = {.ordered = &pattern, .ordered_count = 1};
    assert_int_equal(log_clock_new(&times, formats, &clock, NULL), 0);
    assert_int_equal(log_watch_begin(clock, "var/log/SMlog.1", &watch, NULL), 0);
    assert_non_null(watch);
    for (size_t at = 0; at < log.length; at += piece)
        log_watch_feed(watch, log.data + at, log.length - at < piece ? log.length - at : piece);
    log_watch_end(watch, true);
    bool found = log_watch_step(watch, &before, after);
    log_watch_free(watch);
    log_clock_free(clock);
    log_formats_free(formats);
    arena_free(arena);
    return found;
}

static bool has_step(const char *const *stamps)
{
    struct stamp after;
    return has_step_in_pieces(stamps, SIZE_MAX / 2, &after);
}

#define LOG(...) ((const char *const[]){__VA_ARGS__, NULL})

static void test_two_stamps_older_than_two_before_them_are_a_step(void **state)
{
    (void)state;
    assert_true(
        has_step(LOG("Jun  3 10:00:00", "Jun  3 10:01:00", "Jun  3 08:00:00", "Jun  3 08:01:00")));
}

static void test_the_first_step_of_a_log_is_told(void **state)
{
    (void)state;
    struct stamp after;
    assert_true(has_step_in_pieces(LOG("Jun  3 10:00:00", "Jun  3 10:01:00", "Jun  3 08:00:00",
                                       "Jun  3 08:01:00", "Jun  1 08:00:00", "Jun  1 08:01:00"),
                                   SIZE_MAX / 2, &after));
    assert_int_equal(after.day, 3);
    assert_int_equal(after.hour, 8);
}

static void test_a_step_is_found_in_pieces_of_any_size_that_hold_lines(void **state)
{
    (void)state;
    struct stamp after;
    for (size_t piece = 1000; piece < 1020; piece++)
        assert_true(has_step_in_pieces(LOG("Jun  3 10:00:00", "Jun  3 10:01:00", "Jun  3 10:02:00",
                                           "Jun  3 10:03:00", "Jun  3 08:00:00", "Jun  3 08:01:00",
                                           "Jun  3 08:02:00", "Jun  3 08:03:00"),
                                       piece, &after));
}

static void test_a_log_in_order_has_no_step(void **state)
{
    (void)state;
    assert_false(
        has_step(LOG("Jun  3 10:00:00", "Jun  3 10:01:00", "Jun  9 08:00:00", "Jul  1 08:01:00")));
}

static void test_the_end_of_daylight_saving_time_is_no_step(void **state)
{
    (void)state;
    assert_false(
        has_step(LOG("Oct 26 02:58:00", "Oct 26 02:59:59", "Oct 26 02:00:00", "Oct 26 02:00:01")));
}

static void test_new_year_is_no_step(void **state)
{
    (void)state;
    assert_false(
        has_step(LOG("Dec 31 23:58:00", "Dec 31 23:59:59", "Jan  1 00:00:00", "Jan  1 00:00:01")));
}

static void test_years_in_the_stamps_tell_new_year_from_a_step_of_months(void **state)
{
    (void)state;
    assert_false(has_step(LOG("2024-12-31 23:58:00", "2024-12-31 23:59:59", "2025-01-01 00:00:00",
                              "2025-01-01 00:00:01")));
    assert_true(has_step(LOG("2025-12-31 23:58:00", "2025-12-31 23:59:59", "2025-01-01 00:00:00",
                             "2025-01-01 00:00:01")));
}

static void test_one_line_with_an_old_stamp_is_no_step(void **state)
{
    (void)state;
    assert_false(
        has_step(LOG("Jun  3 10:00:00", "Jun  3 10:01:00", "Jun  3 04:00:00", "Jun  3 10:02:00")));
}

static void test_one_line_with_a_stamp_from_the_future_is_no_step(void **state)
{
    (void)state;
    assert_false(has_step(LOG("Jun  3 10:00:00", "Jun  3 10:01:00", "Jun  3 20:00:00",
                              "Jun  3 10:02:00", "Jun  3 10:03:00", "Jun  3 10:04:00")));
}

static void test_stamps_of_another_format_are_not_compared(void **state)
{
    (void)state;
    assert_false(has_step(LOG("Jun  3 10:00:00", "Jun  3 10:01:00", "2025-06-03 08:00:00",
                              "2025-06-03 08:00:01", "Jun  3 10:02:00", "Jun  3 10:03:00")));
}

static void test_a_log_that_nobody_named_is_not_watched(void **state)
{
    (void)state;
    const struct log_times none = {0};
    struct log_clock *clock;
    struct log_watch *watch;
    assert_int_equal(log_clock_new(&none, NULL, &clock, NULL), 0);
    assert_int_equal(log_watch_begin(clock, "var/log/SMlog", &watch, NULL), 0);
    assert_null(watch);
    log_clock_free(clock);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_two_stamps_older_than_two_before_them_are_a_step),
        cmocka_unit_test(test_the_first_step_of_a_log_is_told),
        cmocka_unit_test(test_a_step_is_found_in_pieces_of_any_size_that_hold_lines),
        cmocka_unit_test(test_a_log_in_order_has_no_step),
        cmocka_unit_test(test_the_end_of_daylight_saving_time_is_no_step),
        cmocka_unit_test(test_new_year_is_no_step),
        cmocka_unit_test(test_years_in_the_stamps_tell_new_year_from_a_step_of_months),
        cmocka_unit_test(test_one_line_with_an_old_stamp_is_no_step),
        cmocka_unit_test(test_one_line_with_a_stamp_from_the_future_is_no_step),
        cmocka_unit_test(test_stamps_of_another_format_are_not_compared),
        cmocka_unit_test(test_a_log_that_nobody_named_is_not_watched),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
