/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * The times a report says it was taken at. All are the host's wall clock, read as if it were UTC,
 * because that is the clock of its logs. 0 when the text is none of the form.
 */
#pragma once

#include <stdint.h>

int64_t clock_from_date(const char *text); /* "Mon Mar  3 10:11:12 2025", inventory.xml */
int64_t clock_from_iso(
    const char *text); /* "2025-03-03T10:11:12+01:00", manifest.json; the zone is left out */
int64_t clock_from_folder(const char *text); /* the first "bug-report-20250303101112" in it */

/* Seconds since the start, from the text of uptime(1): " 10:11:12 up 10 days,  3:04,  1 user, ...". -1: not said. */
int64_t clock_uptime(const char *text);

/*
 * How far a wall clock is ahead of UTC when both were read within a few minutes: a multiple of a quarter of an hour.
 * 0 when they were not.
 */
int64_t clock_offset(int64_t wall, int64_t utc);
