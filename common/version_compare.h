/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * The order of version numbers: "8.2.1" < "8.10", "4.13.4-9.24.1" < "4.13.4-10.1", "1.0~rc1" <
 * "1.0".
 *
 * The common ground of rpm and dpkg: a version is a row of digit runs (compared as numbers) and
 * letter runs (compared as text, case counts); any other characters only separate. At one place `~`
 * sorts before the end of the version, the end before `^`, that before letters, those before
 * digits. A leading "N:" is an epoch, 0 where there is none. So "8.2" < "8.2.0", and "1.0-1" equals
 * "1.0.1".
 */
#pragma once

#include <stddef.h>

/* -1, 0 or 1. A total order (0 is an equivalence), as a database's collation must be. Any bytes may
 * come. */
int version_compare(const char *a, size_t a_length, const char *b, size_t b_length);
