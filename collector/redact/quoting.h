/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * Where a quoted string ends, however deep it is nested in other strings.
 *
 * If the quotes of one level are preceded by n backslashes, those of the next are by 2n + 1, and a
 * backslash of this level's text is written as 2(n + 1) of them. So a quote after r backslashes
 * belongs to the text of this level when r mod 2(n + 1) is 2n + 1; in every other case the string
 * ends: it is closed when that is n, or else it is damaged and an outer string ends.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

struct quote {
    const char *token; /* ' or ", or an entity such as &quot; */
    size_t length;
    size_t level; /* number of backslashes before it */
};

struct quoted {
    const char *text; /* after the opening quote */
    size_t length;    /* without the backslashes of the closing quote */
    const char *after;
};

/* Number of backslashes from p on. */
size_t quote_count_backslashes(const char *p, const char *end);

/* Reads an opening quote with its backslashes at *p and moves behind it. False when there is none.
 */
bool quote_open(const char **p, const char *end, struct quote *ret);

/* Finds the end of a string that begins at `start`, before `end`. */
bool quote_close(const char *start, const char *end, const struct quote *quote, struct quoted *ret);
