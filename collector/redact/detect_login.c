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

#define MIN_PLAIN    8    /* bytes of Base64: a NUL, a user, a NUL, a password */
#define LOOK_AHEAD   4096 /* bytes of a command line */
#define MAX_BRACKETS 32   /* of a command; in XML also those of its elements, and its entities */

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
    if (strncasecmp(at, "auth", 4) != 0)
        return false;                           /* a question: its answer comes on another line */
    const char *from = word_end(at, line->end); /* AUTH */
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

/*
 * Behind the first of these signs, or NULL. A command has few brackets; a line that is full of them
 * is none, and would be looked through for each program that it names.
 */
static const char *find_sign(const char *p, const char *end, const char *sign)
{
    size_t n = strlen(sign);
    for (unsigned i = 0; i < MAX_BRACKETS && p < end; i++, p++) {
        p = memchr(p, *sign, (size_t)(end - p));
        if (!p || (size_t)(end - p) < n)
            return NULL;
        if (memcmp(p, sign, n) == 0)
            return p + n;
    }
    return NULL;
}

bool detect_input(const struct passage *line, const char *at, struct finding *ret)
{
    const char *end = line->end - at > LOOK_AHEAD ? at + LOOK_AHEAD : line->end;
    const char *p = find_sign(at, end, "<<<");
    p = p ? p : find_sign(at, end, "&lt;&lt;&lt;"); /* the same in XML */
    if (!p)
        return false;
    ret->from = p;
    return value_find_end(line, at, VALUE_PLAIN, ret) && set(ret->from, ret->to, ret);
}

bool detect_here_word(const struct passage *line, const char *at, struct finding *ret)
{
    const char *end = line->end - at > LOOK_AHEAD ? at + LOOK_AHEAD : line->end;
    const char *p = find_sign(line->begin, end, "<<");
    if (!p || p == line->end || *p == '<')
        return false;
    p += *p == '-';
    p = skip_blanks(p, line->end);
    while (p < line->end && strchr("'\"\\", *p))
        p++;
    const char *to = p;
    while (to < line->end && (isalnum((unsigned char)*to) || *to == '_'))
        to++;
    *ret = (struct finding){p, to};
    return to > p && isalpha((unsigned char)*p);
}
