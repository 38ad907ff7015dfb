/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * Entities are quotes too: JSON inside XML is full of &quot;, and URLs carry %22. They do not nest.
 */
#include "collector/redact/quoting.h"

#include <string.h>
#include <strings.h>

#include "common/compiler.h"

static const char *const entities[] = {"&quot;", "&apos;", "&#34;",   "&#39;",
                                       "%22",    "%27",    "\\u0022", "\\u0027"};

size_t quote_count_backslashes(const char *p, const char *end)
{
    size_t count = 0;
    while (p + count < end && p[count] == '\\')
        count++;
    return count;
}

static bool open_entity(const char **p, const char *end, struct quote *ret)
{
    for (size_t i = 0; i < ARRAY_SIZE(entities); i++) {
        size_t n = strlen(entities[i]);
        if ((size_t)(end - *p) >= n && strncasecmp(*p, entities[i], n) == 0) {
            *ret = (struct quote){.entity = entities[i], .entity_length = n};
            *p += n;
            return true;
        }
    }
    return false;
}

bool quote_open(const char **p, const char *end, struct quote *ret)
{
    size_t level = quote_count_backslashes(*p, end);
    const char *at = *p + level;
    if (at >= end || (*at != '\'' && *at != '"'))
        return open_entity(p, end, ret);
    *ret = (struct quote){.c = *at, .level = level};
    *p = at + 1;
    return true;
}

static bool close_entity(const char *start, const char *end, const struct quote *quote,
                         struct quoted *ret)
{
    for (const char *p = start; (p = memchr(p, *quote->entity, (size_t)(end - p))); p++) {
        if ((size_t)(end - p) < quote->entity_length)
            return false;
        if (strncasecmp(p, quote->entity, quote->entity_length) == 0) {
            *ret = (struct quoted){start, (size_t)(p - start), p + quote->entity_length};
            return true;
        }
    }
    return false;
}

bool quote_close(const char *start, const char *end, const struct quote *quote, struct quoted *ret)
{
    if (!quote->c)
        return close_entity(start, end, quote, ret);
    const size_t level = quote->level, period = 2 * (level + 1);
    for (const char *p = start; p < end;) {
        const char *special = p;
        while (special < end && *special != '\\' && *special != quote->c)
            special++;
        size_t run = quote_count_backslashes(special, end);
        p = special + run;
        if (p >= end)
            return false;
        if (*p != quote->c)
            continue;
        if (run % period != 2 * level + 1) {
            size_t own = run < level ? run : level;
            *ret = (struct quoted){start, (size_t)(p - start) - own, p + 1};
            return true;
        }
        p++;
    }
    return false;
}
