/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * Logins as protocols of mail and files write them: "PASS x", "AUTH PLAIN x", and the lines that
 * answer a server's question. And passwords that are put into a program: "chpasswd <<< x", or a
 * here-document.
 */
#include <ctype.h>
#include <string.h>
#include <strings.h>

#include "collector/redact/detect.h"
#include "collector/redact/secrets.h"
#include "collector/redact/value.h"
#include "common/compiler.h"

#define MIN_PLAIN 8 /* bytes of Base64: a NUL, a user, a NUL, a password */

/* At the line's beginning, or behind what marks a client's line: "> PASS x", "C: PASS x". */
static bool is_sent(const struct passage *line, const char *at)
{
    const char *p = at;
    while (p > line->begin && (p[-1] == ' ' || p[-1] == '\t'))
        p--;
    if (p == line->begin || p[-1] == '>')
        return true;
    return p - line->begin >= 2 && p[-1] == ':' && p[-2] == 'C' &&
           (p - line->begin == 2 || !isalnum((unsigned char)p[-3]));
}

static bool set(const char *from, const char *to, struct finding *ret)
{
    while (to > from && isspace((unsigned char)to[-1]))
        to--;
    *ret = (struct finding){from, to};
    return !secret_value_is_harmless(SECRET_ANY, "", 0, from, (size_t)(to - from));
}

static const char *skip_blanks(const char *p, const char *end)
{
    while (p < end && (*p == ' ' || *p == '\t'))
        p++;
    return p;
}

static const char *word_end(const char *p, const char *end)
{
    while (p < end && !isspace((unsigned char)*p))
        p++;
    return p;
}

bool detect_login(const struct passage *line, const char *at, struct finding *ret)
{
    if (strncmp(at, "PASS ", 5) == 0) {
        const char *value = skip_blanks(at + 5, line->end);
        return is_sent(line, at) && set(value, value_plain_end(line, at, value), ret);
    }
    const char *from = word_end(at, line->end);               /* AUTH */
    from = word_end(skip_blanks(from, line->end), line->end); /* PLAIN */
    from = skip_blanks(from, line->end);
    const char *to = from;
    while (to < line->end && (isalnum((unsigned char)*to) || strchr("+/=", *to)))
        to++;
    *ret = (struct finding){from, to};
    return to - from >= MIN_PLAIN && shape_is_plain_login(from, to);
}

bool detect_login_begins(const struct passage *line, const char *at)
{
    if (strncasecmp(at, "auth", 4) != 0)
        return true; /* the server's question itself */
    bool offered = at - line->begin >= 4 && strncmp(at - 4, "250", 3) == 0;
    const char *p = word_end(skip_blanks(word_end(at, line->end), line->end), line->end);
    return !offered && skip_blanks(p, line->end) == line->end;
}

bool detect_input(const struct passage *line, const char *at, struct finding *ret)
{
    static const char *const signs[] = {"<<<", "&lt;&lt;&lt;"}; /* the same in XML */
    const char *p = NULL;
    for (size_t i = 0; !p && i < ARRAY_SIZE(signs); i++) {
        p = memmem(at, (size_t)(line->end - at), signs[i], strlen(signs[i]));
        ret->from = p ? p + strlen(signs[i]) : at;
    }
    if (!p)
        return false;
    return value_find_end(line, at, VALUE_PLAIN, ret) && set(ret->from, ret->to, ret);
}

bool detect_here_word(const struct passage *line, struct finding *ret)
{
    const char *p = memmem(line->begin, (size_t)(line->end - line->begin), "<<", 2);
    if (!p || line->end - p < 3 || p[2] == '<')
        return false;
    p += 2 + (p[2] == '-');
    p = skip_blanks(p, line->end);
    while (p < line->end && strchr("'\"\\", *p))
        p++;
    const char *to = p;
    while (to < line->end && (isalnum((unsigned char)*to) || *to == '_'))
        to++;
    *ret = (struct finding){p, to};
    return to > p && isalpha((unsigned char)*p);
}
