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
