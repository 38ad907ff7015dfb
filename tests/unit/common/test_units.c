/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * Sizes and times as people write them.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <cmocka.h>

#include "common/compiler.h"
#include "common/units.h"

#define REFUSED INT64_MIN

struct reading {
    const char *text;
    int64_t value;
};

static void check(const struct reading *cases, size_t count, bool (*read)(const char *, int64_t *))
{
    for (size_t i = 0; i < count; i++) {
        int64_t value = REFUSED;
        bool is_read = read(cases[i].text, &value);
        if (is_read != (cases[i].value != REFUSED) || value != cases[i].value)
            fail_msg("'%s' gave %lld", cases[i].text, (long long)value);
    }
}

static void sizes_are_in_units_of_1024(void **state)
{
    (void)state;
    static const struct reading cases[] = {
        {"0", 0},
        {"4096", 4096},
        {"20K", 20480},
        {"8M", 8 << 20},
        {"8m", 8 << 20},
        {"1.5G", 3LL << 29},
        {"2TiB", 2LL << 40},
        {"1PB", 1LL << 50},
        {"7 kB", 7168},
        {"7B", 7},
        {"", REFUSED},
        {"K", REFUSED},
        {"-1", REFUSED},
        {"1X", REFUSED},
        {"1KK", REFUSED},
        {"1.", REFUSED},
        {".5G", REFUSED},
        {"0x10", REFUSED},
        {"99999999999999999999999P", REFUSED},
        {"1e3", REFUSED},
    };
    check(cases, ARRAY_SIZE(cases), units_bytes);
}

static void times_are_in_seconds(void **state)
{
    (void)state;
    static const struct reading cases[] = {
        {"90", 90},      {"90s", 90},      {"10m", 600},    {"2h", 7200},
        {"7d", 604800},  {"0.5h", 1800},   {"", REFUSED},   {"m", REFUSED},
        {"5x", REFUSED}, {"5mm", REFUSED}, {"-5", REFUSED}, {"9999999999999999d", REFUSED},
    };
    check(cases, ARRAY_SIZE(cases), units_seconds);
}

static void waits_are_in_milliseconds(void **state)
{
    (void)state;
    static const struct reading cases[] = {
        {"250ms", 250},  {"1.9ms", 1},     {"0.25s", 250},  {"2", 2000}, {"1m", 60000},
        {"0ms", 0},      {"", REFUSED},    {"ms", REFUSED}, {"5 ms", 5}, {"5msx", REFUSED},
        {"-1", REFUSED}, {"5Ms", REFUSED}, {"1h", 3600000},
    };
    check(cases, ARRAY_SIZE(cases), units_milliseconds);
}

static void whole_numbers_are_nothing_else(void **state)
{
    (void)state;
    static const struct reading cases[] = {
        {"0", 0},        {"-12", -12},     {"9223372036854775807", INT64_MAX},
        {"", REFUSED},   {" 1", REFUSED},  {"1 ", REFUSED},
        {"+1", REFUSED}, {"1.0", REFUSED}, {"9223372036854775808", REFUSED},
        {"-", REFUSED},  {"--1", REFUSED}, {"0x1", REFUSED},
    };
    check(cases, ARRAY_SIZE(cases), units_integer);
}

static void sizes_are_shown_with_a_fitting_unit(void **state)
{
    (void)state;
    static const struct {
        int64_t bytes;
        const char *text;
    } cases[] = {{0, "0 bytes"},          {1023, "1023 bytes"},   {1024, "1.0 KiB"},
                 {1536 << 10, "1.5 MiB"}, {1LL << 40, "1.0 TiB"}, {INT64_MAX, "8192.0 PiB"}};
    char buffer[32];
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
        assert_string_equal(units_format_bytes(cases[i].bytes, buffer, sizeof buffer),
                            cases[i].text);
}

static void times_are_shown_as_they_are_written(void **state)
{
    (void)state;
    static const struct {
        int64_t seconds;
        const char *text;
    } cases[] = {{0, "0s"},     {59, "59s"},  {600, "10m"}, {601, "601s"},
                 {5400, "90m"}, {7200, "2h"}, {86400, "1d"}};
    char buffer[32];
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
        assert_string_equal(units_format_seconds(cases[i].seconds, buffer, sizeof buffer),
                            cases[i].text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sizes_are_in_units_of_1024),
        cmocka_unit_test(times_are_in_seconds),
        cmocka_unit_test(times_are_shown_as_they_are_written),
        cmocka_unit_test(waits_are_in_milliseconds),
        cmocka_unit_test(whole_numbers_are_nothing_else),
        cmocka_unit_test(sizes_are_shown_with_a_fitting_unit),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
