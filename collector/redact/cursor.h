/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * Small steps through a line: each moves *p on, or leaves it where it is.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <string.h>
#include <strings.h>

/* Blanks are lined up in tables, but not over a whole line. */
#define CURSOR_MAX_BLANKS 64

static inline const char *cursor_skip_blanks(const char *p, const char *end)
{
    const char *limit = end - p > CURSOR_MAX_BLANKS ? p + CURSOR_MAX_BLANKS : end;
    while (p < limit && (*p == ' ' || *p == '\t'))
        p++;
    return p;
}

static inline bool cursor_take(const char **p, const char *end, const char *text)
{
    size_t n = strlen(text);
    if ((size_t)(end - *p) < n || strncasecmp(*p, text, n) != 0)
        return false;
    *p += n;
    return true;
}

static inline bool cursor_take_one_of(const char **p, const char *end, const char *const *texts,
                                      size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (cursor_take(p, end, texts[i]))
            return true;
    return false;
}
