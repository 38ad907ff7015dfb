/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * Entities are quotes too: JSON inside XML is full of &quot;, and URLs carry %22.
 */
#include "collector/redact/quoting.h"

#include <string.h>
#include <strings.h>

#include "common/compiler.h"

static const char *const tokens[] = {"'",     "\"",  "&quot;", "&apos;",    "&#34;",
                                     "&#39;", "%22", "%27",    "&amp;quot;"};

size_t quote_count_backslashes(const char *p, const char *end)
{
    size_t count = 0;
    while (p + count < end && p[count] == '\\')
        count++;
    return count;
}

static bool is_token(const char *p, const char *end, const char *token, size_t length)
{
    return (size_t)(end - p) >= length && strncasecmp(p, token, length) == 0;
}

bool quote_open(const char **p, const char *end, struct quote *ret)
{
    size_t level = quote_count_backslashes(*p, end);
    const char *at = *p + level;
    if (at == end || !strchr("'\"&%", *at))
        return false;
    for (size_t i = 0; i < ARRAY_SIZE(tokens); i++) {
        size_t n = strlen(tokens[i]);
        if (!is_token(at, end, tokens[i], n))
            continue;
        *ret = (struct quote){tokens[i], n, level};
        *p = at + n;
        return true;
    }
    return false;
}

bool quote_close(const char *start, const char *end, const struct quote *quote, struct quoted *ret)
{
    const size_t level = quote->level, period = 2 * (level + 1);
    for (const char *p = start; p < end;) {
        const char *special = p;
        while (special < end && *special != '\\' && *special != *quote->token)
            special++;
        size_t run = quote_count_backslashes(special, end);
        p = special + run;
        if (p >= end)
            return false;
        if (!is_token(p, end, quote->token, quote->length)) {
            p += *p != '\\';
            continue;
        }
        if (run % period != 2 * level + 1) {
            size_t own = run < level ? run : level;
            *ret = (struct quoted){start, (size_t)(p - start) - own, p + quote->length};
            return true;
        }
        p += quote->length;
    }
    return false;
}
