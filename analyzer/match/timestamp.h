/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * When a log line was written. The formats are data (rules/formats/<name>.yaml): a template of
 * literal characters and conversions in the manner of strptime(3), matched at the beginning of the
 * line:
 *
 *   %Y year  %m month 01-12  %b month name  %d or %e day  %H %M %S  %f optional fraction (".123" or
 * ",123") %Z a word (zone name, ignored)  %z "Z", "+01:00" or "+0100"
 *
 * Many logs leave out the year, and the report's clock is often read after the log. So a line gives
 * a stamp, and a stamp becomes a time later, when the clock is known.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "common/embed.h"
#include "common/err.h"

struct stamp {
    short year; /* 0: not in the line */
    signed char month, day, hour, minute, second;
    bool known; /* false: the line has no stamp */
    bool utc;   /* in UTC, where other logs of the host may be in local time */
};

struct log_formats;

int log_formats_load(const struct embedded_file *files, struct log_formats **ret, struct err *err);
void *log_formats_free(struct log_formats *formats);

/*
 * Reads the stamp of a line. `hint` (0 at the start of a file) remembers which format fitted last.
 * False when the line has none.
 */
bool stamp_read(const struct log_formats *formats, const char *line, size_t length, unsigned *hint,
                struct stamp *ret);

/*
 * Epoch seconds of the stamp on the host's wall clock. A stamp without a year belongs to the latest
 * year in which it is not more than a day after `taken`, the moment of the report: so logs that
 * cross New Year are right. TIME_UNKNOWN (INT64_MIN) for a line without a stamp.
 */
int64_t stamp_time(const struct stamp *stamp, int64_t taken);

/* What a report says of its host's clock. */
struct host_clock {
    int64_t taken;
    int64_t utc_offset; /* seconds that the host's wall clock is ahead of UTC; 0: not known either */
};

/* The same for a stamp that may be in UTC: it is moved to the host's wall clock. */
int64_t stamp_time_on(const struct stamp *stamp, const struct host_clock *clock);

/* Runs the tests that stand in the formats' files: calls `outcome` for each. */
void log_formats_test(const struct log_formats *formats,
                      void (*outcome)(void *context, const char *format, const char *line,
                                      const char *failure /* NULL: passed */),
                      void *context);
