/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * Reading and writing UTC times. The days are counted by our own arithmetic (the civil calendar in
 * eras of 400 years): timegm() does not tell the 31st of June from the 1st of July.
 */
#include "healthcheck/times/times.h"

#include <ctype.h>
#include <string.h>
#include <strings.h>
#include <time.h>

#include "common/compiler.h"

#define DAY_S       86400
#define FIRST_DAY   (-719162) /* 0001-01-01 */
#define LAST_DAY    2932896   /* 9999-12-31 */
#define TIME_FORMAT "dddd-dd-ddTdd:dd:dd"
#define ERA_DAYS    146097 /* 400 years */

static const char *const weekdays[] = {"Sunday",   "Monday", "Tuesday", "Wednesday",
                                       "Thursday", "Friday", "Saturday"};

struct civil {
    int year, month, day;
};

/* Days since 1970. Years begin in March here, so that the leap day is the last one. */
static int64_t days_of(struct civil date)
{
    int64_t year = date.year - (date.month <= 2);
    int64_t era = (year >= 0 ? year : year - 399) / 400;
    int64_t year_of_era = year - era * 400;
    int64_t day_of_year = (153 * (date.month + (date.month > 2 ? -3 : 9)) + 2) / 5 + date.day - 1;
    return era * ERA_DAYS + year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year -
           719468;
}

static struct civil date_of(int64_t days)
{
    days += 719468;
    int64_t era = (days >= 0 ? days : days - (ERA_DAYS - 1)) / ERA_DAYS;
    int64_t day = days - era * ERA_DAYS;
    int64_t year = (day - day / 1460 + day / 36524 - day / 146096) / 365;
    int64_t day_of_year = day - (365 * year + year / 4 - year / 100);
    int64_t month = (5 * day_of_year + 2) / 153;
    struct civil date = {.day = (int)(day_of_year - (153 * month + 2) / 5 + 1),
                         .month = (int)(month < 10 ? month + 3 : month - 9)};
    date.year = (int)(year + era * 400 + (date.month <= 2));
    return date;
}

static int number(const char *digits, unsigned count)
{
    int value = 0;
    for (unsigned i = 0; i < count; i++)
        value = value * 10 + (digits[i] - '0');
    return value;
}

static bool has_form(const char *text, const char *form)
{
    for (; *form; form++, text++)
        if (*form == 'd' ? !isdigit((unsigned char)*text) : *text != *form)
            return false;
    return *text == '\0';
}

/* The part before the fraction; its form has been looked at. */
static bool read_seconds(const char *text, int64_t *ret)
{
    struct civil date = {number(text, 4), number(text + 5, 2), number(text + 8, 2)};
    int hour = number(text + 11, 2), minute = number(text + 14, 2), second = number(text + 17, 2);
    if (date.year < 1 || date.month < 1 || date.month > 12 || date.day < 1 || hour > 23 ||
        minute > 59 || second > 59)
        return false;
    int64_t days = days_of(date);
    struct civil same = date_of(days);
    if (same.day != date.day || same.month != date.month) /* 31st of June */
        return false;
    *ret = days * DAY_S + hour * 3600LL + minute * 60LL + second;
    return true;
}

bool times_read(const char *text, int64_t *ret_ticks)
{
    int64_t s;
    if (!has_form(text, TIME_FORMAT ".dddddddZ") || !read_seconds(text, &s))
        return false;
    *ret_ticks = s * TIMES_TICKS + number(text + 20, 7);
    return true;
}

bool times_read_short(const char *text, int64_t *ret_s)
{
    return has_form(text, TIME_FORMAT "Z") && read_seconds(text, ret_s);
}

static int64_t clamp(int64_t value, int64_t low, int64_t high)
{
    return value < low ? low : value > high ? high : value;
}

/* Four digits of the year and so on; `s` lies in the years 1 to 9999. */
static void write_seconds(int64_t s, char *out, size_t size, const char *rest)
{
    int64_t days = s / DAY_S - (s % DAY_S < 0);
    int of_day = (int)(s - days * DAY_S);
    struct civil date = date_of(days);
    snprintf(out, size, "%04d-%02d-%02dT%02d:%02d:%02d%s", date.year, date.month, date.day,
             of_day / 3600, of_day / 60 % 60, of_day % 60, rest);
}

const char *times_write(int64_t ticks, char buffer[TIMES_LENGTH + 1])
{
    char fraction[16];
    ticks = clamp(ticks, (int64_t)FIRST_DAY * DAY_S * TIMES_TICKS,
                  (int64_t)(LAST_DAY + 1) * DAY_S * TIMES_TICKS - 1);
    int64_t s = times_seconds(ticks);
    snprintf(fraction, sizeof fraction, ".%07dZ", (int)(ticks - s * TIMES_TICKS));
    write_seconds(s, buffer, TIMES_LENGTH + 1, fraction);
    return buffer;
}

const char *times_write_short(int64_t s, char buffer[TIMES_SHORT_BYTES])
{
    s = clamp(s, (int64_t)FIRST_DAY * DAY_S, (int64_t)(LAST_DAY + 1) * DAY_S - 1);
    write_seconds(s, buffer, TIMES_SHORT_BYTES, "Z");
    return buffer;
}

int64_t times_seconds(int64_t ticks)
{
    return ticks / TIMES_TICKS - (ticks % TIMES_TICKS < 0);
}

bool times_read_weekday(const char *text, int *ret)
{
    if (has_form(text, "d") && *text <= '6') {
        *ret = *text - '0';
        return true;
    }
    for (size_t i = 0; i < ARRAY_SIZE(weekdays); i++) {
        bool is_short = strlen(text) == 3 && strncasecmp(text, weekdays[i], 3) == 0;
        if (is_short || strcasecmp(text, weekdays[i]) == 0) {
            *ret = (int)i;
            return true;
        }
    }
    return false;
}

const char *times_weekday(int weekday)
{
    return weekdays[weekday];
}

bool times_read_hour(const char *text, int *ret)
{
    if (!has_form(text, "d") && !has_form(text, "dd"))
        return false;
    int hour = number(text, (unsigned)strlen(text));
    if (hour > 23)
        return false;
    *ret = hour;
    return true;
}
