/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * The clock on the wall: weekdays and hours of a schedule are meant in the time zone of the host
 * that looks at them (environment TZ, else /etc/localtime).
 *
 * A day is not always 24 hours long. Slots are found by calendar days, so "every 14 days at 3"
 * stays at 3 when the clocks change; an hour that a spring day lacks is the hour after it, and one
 * that an autumn day has twice is its first.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#define ZONE_ANY_DAY (-1)

/* The hour of a week (or, with ZONE_ANY_DAY, of each day) in which something may start. */
struct zone_slot {
    int weekday; /* 0 Sunday .. 6, or ZONE_ANY_DAY */
    int hour;    /* 0 .. 23 */
};

/* The beginning of the slot that `s` lies in. False when it lies in none; output untouched. */
bool zone_slot_begin(struct zone_slot slot, int64_t s, int64_t *ret);

/* The beginning of the first slot that begins at `s` or later. */
int64_t zone_slot_next(struct zone_slot slot, int64_t s);

/* The same time of day so many days later. */
int64_t zone_add_days(int64_t s, int64_t days);

/* Midnight of its day, or the first moment that day has. */
int64_t zone_day_begin(int64_t s);

/* "Tuesday 2026-11-24 03:00", for people. */
#define ZONE_TEXT_BYTES 64
const char *zone_text(int64_t s, char buffer[ZONE_TEXT_BYTES]);
