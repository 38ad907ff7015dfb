/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * A pool's year in half-hour ticks: what its coordinator uploads, with failures, requests, the
 * changes of the clocks, and another service that now and then is faster. Each tick reads and
 * writes the same texts as in XAPI.
 */
#include "healthcheck/schedule/keys.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "healthcheck/times/times.h"
#include "healthcheck/times/zone.h"

#define OWN    "11111111-2222-4333-8444-555555555555"
#define OTHER  "99999999-2222-4333-8444-555555555555"
#define BERLIN "CET-1CEST,M3.5.0,M10.5.0/3"
#define BEGIN  1767225600 /* 2026-01-01T00:00:00Z */
#define DAYS   365
#define TICK_S 1800
#define MOST   120

struct year {
    struct config *config;
    struct {
        enum schedule_action action;
        int64_t s;
        bool failed;
    } runs[MOST];
    size_t count;
    unsigned delay_s; /* of the timer on this host, the same every time */
    bool (*fails)(const struct year *year, int64_t s);
    void (*meanwhile)(struct year *year, int64_t s); /* what others write before the tick */
};

static void put(struct year *year, const char *key, const char *value)
{
    struct err err = ERR_INIT;
    assert_int_equal(config_set(year->config, key, value, &err), 0);
}

static void put_time(struct year *year, const char *key, int64_t s)
{
    char text[TIMES_LENGTH + 1];
    put(year, key, times_write(s * TIMES_TICKS, text));
}

static void tick(struct year *year, int64_t now)
{
    struct schedule_decision decision;
    struct schedule_facts facts = {
        .now_s = now, .role = SCHEDULE_COORDINATOR, .own_uuid = OWN, .pending_s = SCHEDULE_NEVER};
    CLEANUP(strbuf_release) struct strbuf notes = STRBUF_INIT;
    keys_read(year->config, &facts.pool, &notes);
    assert_string_equal(notes.data, "");
    schedule_decide(&facts, &decision);
    if (decision.action == SCHEDULE_NOTHING)
        return;
    assert_true(year->count < MOST);
    bool failed = year->fails && year->fails(year, now);
    year->runs[year->count].action = decision.action;
    year->runs[year->count].failed = failed;
    year->runs[year->count++].s = now;
    put_time(year, failed ? CONFIG_LAST_FAILURE : CONFIG_LAST_SUCCESS, now);
    put(year, CONFIG_LOCK, "");
    put(year, CONFIG_REQUEST, "");
}

static void play(struct year *year, const char *interval)
{
    setenv("TZ", BERLIN, 1);
    tzset();
    year->config = config_new();
    put(year, CONFIG_ENROLLMENT, "true");
    put(year, CONFIG_INTERVAL, interval);
    put(year, CONFIG_DAY, "2");
    put(year, CONFIG_HOUR, "3");
    put(year, CONFIG_RETRY, "7");
    put(year, CONFIG_REQUEST, "");
    for (int64_t s = BEGIN; s < BEGIN + (int64_t)DAYS * 86400; s += TICK_S) {
        if (year->meanwhile)
            year->meanwhile(year, s);
        tick(year, s + year->delay_s);
    }
    year->config = config_free(year->config);
}

static unsigned count(const struct year *year, enum schedule_action action)
{
    unsigned number = 0;
    for (size_t i = 0; i < year->count; i++)
        number += year->runs[i].action == action;
    return number;
}

static void assert_text(int64_t s, const char *expected)
{
    char text[ZONE_TEXT_BYTES];
    assert_string_equal(zone_text(s, text), expected);
}

static int64_t at(const char *text)
{
    int64_t s = 0;
    assert_true(times_read_short(text, &s));
    return s;
}

static void a_year_of_fortnights_has_26_uploads_all_on_tuesdays_at_three(void **state)
{
    static const unsigned delays[] = {0, 1, 60, 1499};
    char text[ZONE_TEXT_BYTES];
    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(delays); i++) {
        struct year year = {.delay_s = delays[i]};
        play(&year, "14");
        assert_int_equal(year.count, 26);
        assert_int_equal(count(&year, SCHEDULE_SCHEDULED), 26);
        for (size_t j = 0; j < year.count; j++) {
            struct zone_slot slot = {2, 3};
            int64_t begin;
            assert_true(zone_slot_begin(slot, year.runs[j].s, &begin));
            assert_int_equal(year.runs[j].s, begin + delays[i]);
            if (j > 0) /* over both changes of the clocks */
                assert_int_equal(zone_add_days(year.runs[j - 1].s, 14), year.runs[j].s);
        }
        assert_string_equal(zone_text(year.runs[0].s - delays[i], text),
                            "Tuesday 2026-01-06 03:00");
        assert_string_equal(zone_text(year.runs[25].s - delays[i], text),
                            "Tuesday 2026-12-22 03:00");
    }
}

static void a_year_of_weeks_has_52_uploads(void **state)
{
    struct year year = {.delay_s = 700};
    (void)state;
    play(&year, "7");
    assert_int_equal(year.count, 52);
}

static bool fails_in_march(const struct year *year, int64_t s)
{
    (void)year;
    return s >= at("2026-03-01T00:00:00Z") && s < at("2026-04-01T00:00:00Z");
}

static void after_failures_it_is_tried_every_week_and_goes_on_as_before(void **state)
{
    struct year year = {.fails = fails_in_march};
    size_t i = 0;
    (void)state;
    play(&year, "14");
    while (i < year.count && !year.runs[i].failed)
        i++;
    assert_text(year.runs[i].s, "Tuesday 2026-03-03 03:00");
    assert_int_equal(year.runs[i].action, SCHEDULE_SCHEDULED);
    for (size_t j = i + 1; j <= i + 5; j++)
        assert_int_equal(year.runs[j].action, SCHEDULE_RETRY);
    assert_text(year.runs[i + 4].s, "Tuesday 2026-03-31 03:00");
    assert_true(year.runs[i + 4].failed);
    assert_text(year.runs[i + 5].s, "Tuesday 2026-04-07 03:00");
    assert_false(year.runs[i + 5].failed);
    /* The failures are in the keys for ever, and do not matter any more. */
    assert_text(year.runs[i + 6].s, "Tuesday 2026-04-21 03:00");
    assert_int_equal(year.runs[i + 6].action, SCHEDULE_SCHEDULED);
    assert_int_equal(count(&year, SCHEDULE_RETRY), 5);
    assert_text(year.runs[year.count - 1].s, "Tuesday 2026-12-29 03:00");
}

static bool fails_always(const struct year *year, int64_t s)
{
    (void)year;
    (void)s;
    return true;
}

static void a_server_that_is_gone_is_asked_once_a_week(void **state)
{
    struct year year = {.fails = fails_always};
    (void)state;
    play(&year, "14");
    assert_int_equal(year.count, 52);
    assert_int_equal(count(&year, SCHEDULE_RETRY), 51);
}

static void requests(struct year *year, int64_t s)
{
    if (s == at("2026-05-14T13:00:00Z")) /* a Thursday */
        put_time(year, CONFIG_REQUEST, s - 300);
}

static void a_request_is_served_once_and_moves_the_schedule(void **state)
{
    struct year year = {.meanwhile = requests};
    size_t i = 0;
    (void)state;
    play(&year, "14");
    while (i < year.count && year.runs[i].action != SCHEDULE_ON_DEMAND)
        i++;
    assert_int_equal(count(&year, SCHEDULE_ON_DEMAND), 1);
    assert_text(year.runs[i].s, "Thursday 2026-05-14 15:00");
    assert_text(year.runs[i - 1].s, "Tuesday 2026-05-12 03:00");
    assert_text(year.runs[i + 1].s, "Tuesday 2026-06-02 03:00");
    assert_text(year.runs[i + 2].s, "Tuesday 2026-06-16 03:00");
}

/* In June another service is always a minute faster, and dies with the lock in its hand. */
static void other_service(struct year *year, int64_t s)
{
    char lock[KEYS_LOCK_BYTES];
    struct zone_slot slot = {2, 3};
    int64_t begin;
    if (s >= at("2026-06-01T00:00:00Z") && s < at("2026-07-01T00:00:00Z") &&
        zone_slot_begin(slot, s, &begin) && s == begin)
        put(year, CONFIG_LOCK, keys_write_lock(OTHER, s - 60, lock));
}

static void another_service_holds_us_back_while_its_lock_is_good(void **state)
{
    struct year year = {.meanwhile = other_service};
    (void)state;
    play(&year, "14");
    for (size_t i = 0; i < year.count; i++)
        assert_false(year.runs[i].s >= at("2026-06-01T00:00:00Z") &&
                     year.runs[i].s < at("2026-07-01T00:00:00Z"));
    assert_int_equal(year.count, 24);
    assert_text(year.runs[year.count - 1].s, "Tuesday 2026-12-22 03:00");
}

/* The other service does the work itself from time to time: its success is ours, too. */
static void uploads_of_others(struct year *year, int64_t s)
{
    if (s == at("2026-08-18T01:00:00Z"))
        put_time(year, CONFIG_LAST_SUCCESS, s - 120);
}

static void an_upload_of_another_service_counts(void **state)
{
    struct year year = {.meanwhile = uploads_of_others};
    (void)state;
    play(&year, "14");
    for (size_t i = 0; i < year.count; i++)
        assert_int_not_equal(year.runs[i].s, at("2026-08-18T01:00:00Z"));
    assert_int_equal(year.count, 25);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_year_of_fortnights_has_26_uploads_all_on_tuesdays_at_three),
        cmocka_unit_test(a_year_of_weeks_has_52_uploads),
        cmocka_unit_test(after_failures_it_is_tried_every_week_and_goes_on_as_before),
        cmocka_unit_test(a_server_that_is_gone_is_asked_once_a_week),
        cmocka_unit_test(a_request_is_served_once_and_moves_the_schedule),
        cmocka_unit_test(another_service_holds_us_back_while_its_lock_is_good),
        cmocka_unit_test(an_upload_of_another_service_counts),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
