/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * Reads time stamps of fixed forms, without the locale and without believing the numbers.
 */
#include "analyzer/report/clock.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "analyzer/report/host_root.h"

static int64_t epoch(int year, int month, int day, int hour, int minute, int second)
{
    if (year < 1970 || year > 9999 || month < 1 || month > 12 || day < 1 || day > 31 || hour < 0 ||
        hour > 23 || minute < 0 || minute > 59 || second < 0 || second > 60)
        return 0;
    struct tm tm = {
        .tm_year = year - 1900,
        .tm_mon = month - 1,
        .tm_mday = day,
        .tm_hour = hour,
        .tm_min = minute,
        .tm_sec = second,
    };
    return timegm(&tm);
}

int64_t clock_from_date(const char *text)
{
    static const char months[] = "JanFebMarAprMayJunJulAugSepOctNovDec";
    char month[4];
    int day, hour, minute, second, year;
    if (sscanf(text, "%*3s %3s %2d %2d:%2d:%2d %4d", month, &day, &hour, &minute, &second, &year) !=
        6)
        return 0;
    const char *found = strlen(month) == 3 ? strstr(months, month) : NULL;
    if (!found || (found - months) % 3 != 0)
        return 0;
    return epoch(year, (int)(found - months) / 3 + 1, day, hour, minute, second);
}

int64_t clock_from_iso(const char *text)
{
    int year, month, day, hour, minute, second;
    if (sscanf(text, "%4d-%2d-%2dT%2d:%2d:%2d", &year, &month, &day, &hour, &minute, &second) != 6)
        return 0;
    return epoch(year, month, day, hour, minute, second);
}

int64_t clock_from_folder(const char *text)
{
    int year, month, day, hour, minute, second;
    for (const char *p = text; (p = strstr(p, "bug-report-")); p++)
        if (host_root_is_report_folder(p, strlen(p)) &&
            sscanf(p, "bug-report-%4d%2d%2d%2d%2d%2d", &year, &month, &day, &hour, &minute,
                   &second) == 6)
            return epoch(year, month, day, hour, minute, second);
    return 0;
}

int64_t clock_uptime(const char *text)
{
    int days, hours, minutes;
    char unit[4];
    int64_t seconds = 0;
    const char *p = strstr(text, " up ");
    if (!p)
        return -1;
    p += 4;
    bool has_days = sscanf(p, "%6d %3s", &days, unit) == 2 && strcmp(unit, "day") == 0;
    if (has_days) {
        seconds = (int64_t)days * 86400;
        p += strcspn(p, ",");
        p += *p == ',';
    }
    if (sscanf(p, "%2d:%2d", &hours, &minutes) == 2)
        return seconds + hours * 3600 + minutes * 60;
    if (sscanf(p, "%2d %3s", &minutes, unit) == 2 && strcmp(unit, "min") == 0)
        return seconds + minutes * 60;
    return has_days ? seconds : -1;
}

/* No zone is farther away. */
#define OFFSET_MAX (15 * 3600)

/* A run writes its inventory and its manifest at moments that are some minutes apart. */
#define READ_APART_MAX 300

int64_t clock_offset(int64_t wall, int64_t utc)
{
    int64_t difference = wall - utc, quarter = 15 * 60;
    int64_t offset =
        (difference + (difference < 0 ? -quarter / 2 : quarter / 2)) / quarter * quarter;
    int64_t rest = difference - offset;
    bool is_near = rest <= READ_APART_MAX && rest >= -READ_APART_MAX;
    return is_near && offset <= OFFSET_MAX && offset >= -OFFSET_MAX ? offset : 0;
}
