/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * Sizes and times as people write them in YAML files and on the command line.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

/* "4096", "20K", "8M", "1.5G", "2TiB" (units of 1024, case does not matter). False if it is none of
 * these. */
bool units_bytes(const char *text, int64_t *ret);

/* "90", "90s", "10m", "2h", "7d" in seconds. False if it is none of these. */
bool units_seconds(const char *text, int64_t *ret);

/* The same in milliseconds, fractions and "250ms" included: for waits. */
bool units_milliseconds(const char *text, int64_t *ret);

/* A whole decimal number and nothing else. */
bool units_integer(const char *text, int64_t *ret);

/* What units_seconds() reads, in the largest unit that is exact: "10m" for 600. As below. */
const char *units_format_seconds(int64_t seconds, char *buffer, unsigned long size);

/* "1.2 MiB" into buffer (at least 16 bytes); returns buffer. */
const char *units_format_bytes(int64_t bytes, char *buffer, unsigned long size);
