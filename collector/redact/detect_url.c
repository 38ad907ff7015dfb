/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * scheme://user:password@host. The password goes, the user stays.
 *
 * People write passwords into URLs as they are, with slashes, blanks and at-signs in them. What
 * follows the first colon is a password when there is an at-sign before the end of the authority,
 * or when it cannot be a port and an at-sign comes later.
 */
#include <ctype.h>
#include <string.h>

#include "collector/redact/detect.h"
#include "collector/redact/filter.h"

#define MIN_TOKEN  20   /* bytes of a user name that is a token */
#define LOOK_AHEAD 1024 /* bytes; URLs are not longer before their host */

static const char *span(const char *p, const char *end, const char *stops)
{
    while (p < end && *p && !strchr(stops, *p))
        p++;
    return p;
}

static const char *last_at(const char *from, const char *to)
{
    return to > from ? memrchr(from, '@', (size_t)(to - from)) : NULL;
}

/* "8080" and then the end of the authority: the colon stood before a port. */
static bool is_port(const char *from, const char *authority_end)
{
    while (from < authority_end && isdigit((unsigned char)*from))
        from++;
    return from == authority_end;
}

/* The at-sign that ends the password which begins at `from`, or NULL. */
static const char *password_end(const char *from, const char *authority_end, const char *end)
{
    const char *at = last_at(from, authority_end);
    if (at || is_port(from, authority_end))
        return at;
    const char *word_end = span(from, end, " \t\r\"'<>");
    at = last_at(from, word_end);
    if (at || word_end == end || (*word_end != ' ' && *word_end != '\t'))
        return at;
    return last_at(from, span(from, end, "\r\"'<>"));
}

/* https://TOKEN@host: no user has so long a name with so many digits in it. */
static bool is_token_as_user(const char *from, const char *authority_end, struct finding *ret)
{
    const char *at = last_at(from, authority_end);
    size_t digits = 0, length = at ? (size_t)(at - from) : 0;
    for (size_t i = 0; i < length; i++) {
        digits += isdigit((unsigned char)from[i]) != 0;
        if (!isalnum((unsigned char)from[i]) && from[i] != '_' && from[i] != '-')
            return false;
    }
    *ret = (struct finding){from, at};
    return length >= MIN_TOKEN && digits >= 1;
}

bool detect_url(const struct passage *line, const char *at, struct finding *ret)
{
    const char *p = at + 4; /* behind "x://" */
    const char *end = line->end - p > LOOK_AHEAD ? p + LOOK_AHEAD : line->end;
    if (p >= line->end || *p == '[' || !memchr(p, '@', (size_t)(end - p)))
        return false;
    const char *authority_end = span(p, end, "/?#\\ \t\r\"'<>|");
    const char *colon = memchr(p, ':', (size_t)(authority_end - p));
    if (!colon)
        return is_token_as_user(p, authority_end, ret);
    if (colon + 1 == end)
        return false;
    const char *from = colon + 1, *to = password_end(from, authority_end, end);
    if (!to || to == from)
        return false;
    if ((size_t)(to - from) == strlen(REMOVED) && memcmp(from, REMOVED, strlen(REMOVED)) == 0)
        return false;
    *ret = (struct finding){from, to};
    return true;
}
