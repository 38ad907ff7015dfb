/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * mktime() knows the rules of the zone; it is only ever asked for the beginning of an hour, or for
 * the same time on another day. For an hour that does not exist it gives one before or after the
 * gap, depending on the library: which one is found by looking at it again.
 */
#include "healthcheck/times/zone.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

#include "healthcheck/times/times.h"

#define DAY_S 86400LL

static struct tm wall(int64_t s)
{
    struct tm tm;
    time_t t = (time_t)s;
    if (!localtime_r(&t, &tm)) /* a year beyond an int */
        memset(&tm, 0, sizeof tm);
    return tm;
}

/* The moment that a clock on the wall shows this; the first of two. */
static int64_t moment(struct tm tm)
{
    tm.tm_isdst = -1;
    struct tm first = tm;
    int64_t s = mktime(&first);
    /* Of an hour that comes twice the library may give either. */
    struct tm before = wall(s - 3600);
    if (before.tm_hour == first.tm_hour && before.tm_mday == first.tm_mday)
        s -= 3600;
    return s;
}

/* The beginning of the slot of this calendar day. */
static int64_t slot_of_day(struct zone_slot slot, struct tm day)
{
    struct tm tm = {
        .tm_year = day.tm_year, .tm_mon = day.tm_mon, .tm_mday = day.tm_mday, .tm_hour = slot.hour};
    struct tm wanted = tm;
    int64_t s = moment(tm);
    struct tm found = wall(s);
    if (found.tm_hour == wanted.tm_hour)
        return s;
    /* No such hour on this day: the first moment behind the gap, whose minutes may not be zero. */
    while (found.tm_mday == day.tm_mday && found.tm_hour < wanted.tm_hour) {
        s += 900;
        found = wall(s);
    }
    for (struct tm before = wall(s - 900);
         before.tm_mday == found.tm_mday && before.tm_hour > wanted.tm_hour; before = wall(s - 900))
        s -= 900;
    return s;
}

static struct tm noon(struct tm day, int offset)
{
    struct tm tm = {.tm_year = day.tm_year,
                    .tm_mon = day.tm_mon,
                    .tm_mday = day.tm_mday + offset,
                    .tm_hour = 12,
                    .tm_isdst = -1};
    mktime(&tm);
    return tm;
}

static bool is_day(struct zone_slot slot, const struct tm *day)
{
    return slot.weekday == ZONE_ANY_DAY || slot.weekday == day->tm_wday;
}

bool zone_slot_begin(struct zone_slot slot, int64_t s, int64_t *ret)
{
    struct tm day = noon(wall(s), 0);
    int64_t begin = slot_of_day(slot, day);
    if (!is_day(slot, &day) || s < begin || s >= begin + 3600)
        return false;
    *ret = begin;
    return true;
}

int64_t zone_slot_next(struct zone_slot slot, int64_t s)
{
    struct tm today = wall(s);
    for (int i = 0; i <= 7; i++) {
        struct tm day = noon(today, i);
        int64_t begin = slot_of_day(slot, day);
        if (is_day(slot, &day) && begin >= s)
            return begin;
    }
    return s + 7 * DAY_S; /* a zone that skipped the day itself, as Samoa did in 2011 */
}

int64_t zone_add_days(int64_t s, int64_t days)
{
    struct tm tm = wall(s);
    tm.tm_mday += (int)days;
    tm.tm_isdst = -1;
    return mktime(&tm);
}

int64_t zone_day_begin(int64_t s)
{
    return slot_of_day((struct zone_slot){ZONE_ANY_DAY, 0}, wall(s));
}

const char *zone_text(int64_t s, char buffer[ZONE_TEXT_BYTES])
{
    struct tm tm = wall(s);
    snprintf(buffer, ZONE_TEXT_BYTES, "%s %04d-%02d-%02d %02d:%02d", times_weekday(tm.tm_wday),
             tm.tm_year + 1900, tm.tm_mon + 1, tm.tm_mday, tm.tm_hour, tm.tm_min);
    return buffer;
}
