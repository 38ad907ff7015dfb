/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * Slots of a schedule on days that are 23, 24 and 25 hours long. Zones are given as POSIX rules, so
 * no data of the system is needed.
 */
#include "healthcheck/times/zone.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <time.h>

#include <cmocka.h>

#include "common/compiler.h"
#include "healthcheck/times/times.h"

#define BERLIN  "CET-1CEST,M3.5.0,M10.5.0/3"           /* changes at 2 and 3 o'clock */
#define HOWE    "<+1030>-10:30<+11>-11,M10.1.0,M4.1.0" /* half an hour, at 2 o'clock */
#define KOLKATA "IST-5:30"

static int64_t at(const char *text)
{
    int64_t s;
    if (!times_read_short(text, &s))
        fail_msg("'%s' is no time", text);
    return s;
}

static void set_zone(const char *zone)
{
    setenv("TZ", zone, 1);
    tzset();
}

static void assert_time(int64_t s, const char *expected)
{
    char text[TIMES_SHORT_BYTES];
    assert_string_equal(times_write_short(s, text), expected);
}

static void the_next_slot_is_found_in_local_time(void **state)
{
    static const struct {
        const char *zone;
        int weekday, hour;
        const char *from, *expected;
    } rows[] = {
        {"UTC0", 2, 3, "2026-11-22T06:49:22Z", "2026-11-24T03:00:00Z"},
        {"UTC0", 2, 3, "2026-11-24T03:00:00Z", "2026-11-24T03:00:00Z"},
        {"UTC0", 2, 3, "2026-11-24T03:00:01Z", "2026-12-01T03:00:00Z"},
        {"UTC0", ZONE_ANY_DAY, 3, "2026-11-24T03:00:01Z", "2026-11-25T03:00:00Z"},
        {BERLIN, 2, 3, "2026-11-22T06:49:22Z", "2026-11-24T02:00:00Z"},
        {BERLIN, 2, 3, "2026-06-21T06:49:22Z", "2026-06-23T01:00:00Z"},
        {BERLIN, 2, 0, "2026-11-22T06:49:22Z", "2026-11-23T23:00:00Z"},
        {KOLKATA, 2, 3, "2026-11-22T06:49:22Z", "2026-11-23T21:30:00Z"},
        /* 29 March 2026, a Sunday: 02:00 to 03:00 does not exist. */
        {BERLIN, 0, 2, "2026-03-28T12:00:00Z", "2026-03-29T01:00:00Z"},
        {BERLIN, 0, 3, "2026-03-28T12:00:00Z", "2026-03-29T01:00:00Z"},
        {BERLIN, 0, 4, "2026-03-28T12:00:00Z", "2026-03-29T02:00:00Z"},
        /* 25 October 2026: 02:00 to 03:00 comes twice. */
        {BERLIN, 0, 2, "2026-10-24T12:00:00Z", "2026-10-25T00:00:00Z"},
        {BERLIN, 0, 2, "2026-10-25T00:00:01Z", "2026-11-01T01:00:00Z"},
        {BERLIN, 0, 3, "2026-10-24T12:00:00Z", "2026-10-25T02:00:00Z"},
        /* 4 October 2026: 02:00 to 02:30 does not exist; the hour begins at half past. */
        {HOWE, 0, 2, "2026-10-03T00:00:00Z", "2026-10-03T15:30:00Z"},
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        set_zone(rows[i].zone);
        struct zone_slot slot = {rows[i].weekday, rows[i].hour};
        assert_time(zone_slot_next(slot, at(rows[i].from)), rows[i].expected);
    }
}

static void a_slot_is_an_hour_long(void **state)
{
    struct zone_slot slot = {2, 3};
    int64_t begin = 0;
    (void)state;
    set_zone(BERLIN);
    assert_false(zone_slot_begin(slot, at("2026-11-24T01:59:59Z"), &begin));
    assert_int_equal(begin, 0);
    assert_true(zone_slot_begin(slot, at("2026-11-24T02:00:00Z"), &begin));
    assert_time(begin, "2026-11-24T02:00:00Z");
    assert_true(zone_slot_begin(slot, at("2026-11-24T02:59:59Z"), &begin));
    assert_time(begin, "2026-11-24T02:00:00Z");
    assert_false(zone_slot_begin(slot, at("2026-11-24T03:00:00Z"), &begin));
    assert_false(zone_slot_begin(slot, at("2026-11-25T02:30:00Z"), &begin));
}

static void an_hour_that_comes_twice_is_its_first(void **state)
{
    struct zone_slot slot = {0, 2};
    int64_t begin;
    (void)state;
    set_zone(BERLIN);
    assert_true(zone_slot_begin(slot, at("2026-10-25T00:30:00Z"), &begin));
    assert_false(zone_slot_begin(slot, at("2026-10-25T01:30:00Z"), &begin));
}

static void an_hour_that_is_missing_is_the_one_after_the_gap(void **state)
{
    struct zone_slot slot = {0, 2};
    int64_t begin;
    (void)state;
    set_zone(BERLIN);
    assert_false(zone_slot_begin(slot, at("2026-03-29T00:59:59Z"), &begin));
    assert_true(zone_slot_begin(slot, at("2026-03-29T01:30:00Z"), &begin));
    assert_time(begin, "2026-03-29T01:00:00Z");
}

static void days_keep_the_time_of_day_when_the_clocks_change(void **state)
{
    (void)state;
    set_zone(BERLIN);
    assert_time(zone_add_days(at("2026-03-24T02:00:00Z"), 14), "2026-04-07T01:00:00Z");
    assert_time(zone_add_days(at("2026-10-20T01:00:00Z"), 14), "2026-11-03T02:00:00Z");
    assert_time(zone_add_days(at("2026-12-31T22:30:00Z"), 1), "2027-01-01T22:30:00Z");
    assert_time(zone_day_begin(at("2026-10-25T20:00:00Z")), "2026-10-24T22:00:00Z");
    assert_time(zone_day_begin(at("2026-11-24T22:59:59Z")), "2026-11-23T23:00:00Z");
}

static void people_read_weekday_date_and_time(void **state)
{
    char text[ZONE_TEXT_BYTES];
    (void)state;
    set_zone(BERLIN);
    assert_string_equal(zone_text(at("2026-11-24T02:00:00Z"), text), "Tuesday 2026-11-24 03:00");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_next_slot_is_found_in_local_time),
        cmocka_unit_test(a_slot_is_an_hour_long),
        cmocka_unit_test(an_hour_that_comes_twice_is_its_first),
        cmocka_unit_test(an_hour_that_is_missing_is_the_one_after_the_gap),
        cmocka_unit_test(days_keep_the_time_of_day_when_the_clocks_change),
        cmocka_unit_test(people_read_weekday_date_and_time),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
