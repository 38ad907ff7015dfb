/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * Times as XenCenter writes them into pool.health_check_config: .NET's round-trip format "o" of a
 * UTC DateTime, "2026-11-22T06:49:22.0000000Z", exactly 28 characters with seven digits of
 * fraction. XenCenter parses them with ParseExact and takes nothing else, so neither do we.
 *
 * Ticks are .NET's, 100 ns, but counted from 1970, so that they turn into seconds by a division.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#define TIMES_LENGTH      28
#define TIMES_TICKS       10000000 /* a second */
#define TIMES_SHORT_BYTES 24       /* of times_write_short() */

/* False if the text is anything else than that format, or no time between the years 1 and 9999. */
bool times_read(const char *text, int64_t *ret_ticks);

/* Into buffer (TIMES_LENGTH + 1). A time outside the years 1 to 9999 becomes the nearest inside. */
const char *times_write(int64_t ticks, char buffer[TIMES_LENGTH + 1]);

/* "2026-11-22T06:49:22Z", for JSON of our own and the other way round. */
const char *times_write_short(int64_t s, char buffer[TIMES_SHORT_BYTES]);
bool times_read_short(const char *text, int64_t *ret_s);

/* Whole seconds, rounded down. */
int64_t times_seconds(int64_t ticks);

/* "0" (Sunday) to "6", or an English name in any case ("Tuesday", also "Tue"). */
bool times_read_weekday(const char *text, int *ret);
const char *times_weekday(int weekday);

/* "0" to "23", one or two digits. */
bool times_read_hour(const char *text, int *ret);
