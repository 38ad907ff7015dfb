/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * Dating log lines: a stamp without a year belongs to the report's last twelve months.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "analyzer/match/timestamp.h"

static const char syslog_format[] = "format: syslog\nstamp: '%b %e %H:%M:%S'\n";
static const char iso_format[] = "format: iso\nstamp: '%Y-%m-%dT%H:%M:%S%f%z'\n";

static struct log_formats *load(void)
{
    static const struct embedded_file files[] = {
        {"syslog.yaml", syslog_format, syslog_format + sizeof syslog_format - 1},
        {"iso.yaml", iso_format, iso_format + sizeof iso_format - 1},
        {0},
    };
    struct log_formats *formats = NULL;
    assert_int_equal(log_formats_load(files, &formats, NULL), 0);
    return formats;
}

static int64_t at(int year, int month, int day, int hour)
{
    struct tm tm = {.tm_year = year - 1900, .tm_mon = month - 1, .tm_mday = day, .tm_hour = hour};
    return timegm(&tm);
}

static int64_t time_of(const struct log_formats *formats, const char *line, int64_t taken)
{
    unsigned hint = 0;
    struct stamp stamp;
    stamp_read(formats, line, strlen(line), &hint, &stamp);
    return stamp_time(&stamp, taken);
}

static void a_stamp_without_a_year_is_in_the_year_before_the_report(void **state)
{
    (void)state;
    struct log_formats *formats = load();
    static const struct {
        const char *line;
        int year, month, day, hour; /* of the time; the report was taken on 2026-01-02 at 12 */
    } cases[] = {
        {"Jan  2 10:00:00 host1 kernel: x", 2026, 1, 2, 10},
        {"Jan  3 10:00:00 host1 kernel: a clock a little ahead", 2026, 1, 3, 10},
        {"Jan  4 10:00:00 host1 kernel: x", 2025, 1, 4, 10},
        {"Dec 31 23:00:00 host1 kernel: before New Year", 2025, 12, 31, 23},
        {"Feb 29 08:00:00 host1 kernel: a leap day", 2024, 2, 29, 8},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        assert_int_equal(time_of(formats, cases[i].line, at(2026, 1, 2, 12)),
                         at(cases[i].year, cases[i].month, cases[i].day, cases[i].hour));
    log_formats_free(formats);
}

static void a_stamp_with_a_year_does_not_depend_on_the_report(void **state)
{
    (void)state;
    struct log_formats *formats = load();
    assert_int_equal(time_of(formats, "2019-07-05T05:00:00Z|00564|poll_loop|DBG|x", 0),
                     at(2019, 7, 5, 5));
    log_formats_free(formats);
}

static void a_stamp_in_utc_is_moved_to_the_wall_clock_of_the_host(void **state)
{
    (void)state;
    struct log_formats *formats = load();
    const struct host_clock clock = {.taken = at(2019, 7, 5, 12), .utc_offset = 7200};
    unsigned hint = 0;
    struct stamp stamp;
    static const char utc[] = "2019-07-05T05:00:00Z|00564|poll_loop|DBG|x";
    static const char local[] = "Jul  5 07:00:00 host1 kernel: x";
    stamp_read(formats, utc, strlen(utc), &hint, &stamp);
    assert_int_equal(stamp_time_on(&stamp, &clock), at(2019, 7, 5, 7));
    stamp_read(formats, local, strlen(local), &hint, &stamp);
    assert_int_equal(stamp_time_on(&stamp, &clock), at(2019, 7, 5, 7));
    log_formats_free(formats);
}

static void the_last_second_of_a_year_is_not_a_year_away(void **state)
{
    (void)state;
    struct log_formats *formats = load();
    assert_int_equal(time_of(formats, "Dec 31 23:59:59 h kernel: x", at(2026, 1, 1, 0)),
                     at(2026, 1, 1, 0) - 1);
    assert_int_equal(time_of(formats, "Feb 29 10:00:00 h kernel: x", at(2024, 2, 29, 12)),
                     at(2024, 2, 29, 10));
    log_formats_free(formats);
}

static void rubbish_has_no_time(void **state)
{
    (void)state;
    struct log_formats *formats = load();
    static const char *const lines[] = {
        "",
        "Nov",
        "Nov 40 10:00:00 x",
        "Nov  2 25:00:00 x",
        "Foo  2 10:00:00 x",
        "[ 12.345] x",
        "2026-13-01T00:00:00Z",
    };
    for (size_t i = 0; i < sizeof lines / sizeof *lines; i++)
        assert_int_equal(time_of(formats, lines[i], at(2026, 1, 1, 0)), INT64_MIN);
    log_formats_free(formats);
}

static void an_unknown_conversion_is_refused_with_its_place(void **state)
{
    (void)state;
    static const char bad[] = "format: x\nstamp: '%q'\n";
    const struct embedded_file files[] = {{"bad.yaml", bad, bad + sizeof bad - 1}, {0}};
    struct log_formats *formats = NULL;
    struct err err = ERR_INIT;
    char message[1024];
    assert_int_equal(log_formats_load(files, &formats, &err), ERR_PARSE);
    assert_string_equal(
        err_message(&err, message, sizeof message),
        "bad.yaml:2:8: unknown conversion; known: %Y %m %b %d %e %H %M %S %f %Z %z");
}

static void note_failure(void *context, const char *format, const char *line, const char *failure)
{
    char *failures = context;
    size_t used = strlen(failures);
    if (failure)
        snprintf(failures + used, 200 - used, "%s|%s|%s\n", format, line, failure);
}

static void a_format_without_a_test_fails_its_tests(void **state)
{
    (void)state;
    static const char untested[] = "format: a\ndescription: d\nstamp: '%H:%M'\n";
    static const char wrong[] =
        "format: b\ndescription: d\nstamp: '%Y-%m-%d %H:%M:%S'\n"
        "tests: [{line: '2026-11-02 10:11:12 x', time: '2026-11-02 10:11:13'}]\n";
    static const struct embedded_file files[] = {
        {"a.yaml", untested, untested + sizeof untested - 1},
        {"b.yaml", wrong, wrong + sizeof wrong - 1},
        {0}};
    struct log_formats *formats = NULL;
    char failures[200] = "";
    assert_int_equal(log_formats_load(files, &formats, NULL), 0);
    log_formats_test(formats, note_failure, failures);
    /* The more particular format is tried first. */
    assert_string_equal(failures, "b|2026-11-02 10:11:12 x|expected '2026-11-02 10:11:13', got "
                                  "'2026-11-02 10:11:12'\n"
                                  "a||it has no test: a line and its time\n");
    log_formats_free(formats);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_format_without_a_test_fails_its_tests),
        cmocka_unit_test(a_stamp_without_a_year_is_in_the_year_before_the_report),
        cmocka_unit_test(a_stamp_with_a_year_does_not_depend_on_the_report),
        cmocka_unit_test(a_stamp_in_utc_is_moved_to_the_wall_clock_of_the_host),
        cmocka_unit_test(the_last_second_of_a_year_is_not_a_year_away),
        cmocka_unit_test(rubbish_has_no_time),
        cmocka_unit_test(an_unknown_conversion_is_refused_with_its_place),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
