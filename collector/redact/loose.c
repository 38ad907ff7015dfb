/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * Values that no sign separates from their names, as people and programs write them in sentences.
 * Half of what looks like this is prose, so each form asks for something that prose does not have:
 * quotes, digits, a line of its own.
 */
#include <ctype.h>
#include <string.h>
#include <strings.h>

#include "collector/redact/assignment.h"
#include "collector/redact/cursor.h"
#include "collector/redact/quoting.h"
#include "common/compiler.h"

#define MIN_TOLD 6 /* letters of a password that stands in a sentence */

static bool is_token_word(const struct key *key)
{
    return key->to - key->from == 5 && strncasecmp(key->from, "token", 5) == 0;
}

/* 'password "x"', "password to 'x'"; but an unexpected token is what a parser complains about. */
static bool find_quoted(const struct passage *line, const struct key *key, const char **ret)
{
    static const char *const links[] = {" to ", " is ", " was ", " as "};
    const char *p = key->after;
    if (key->quoted || key->query || is_token_word(key))
        return false;
    if (!cursor_take_one_of(&p, line->end, links, ARRAY_SIZE(links)) && p < line->end &&
        *p != ' ' && *p != '\t')
        return false;
    struct quote quote;
    const char *text = *ret = cursor_skip_blanks(p, line->end);
    return text > key->after && quote_open(&text, line->end, &quote);
}

/* "the password is x1y2z3": one word that no sentence goes on with. */
static bool find_told(const struct passage *line, const struct key *key, const char **ret)
{
    const char *p = key->after, *to;
    bool letter = false, digit = false;
    if (!cursor_take(&p, line->end, " is "))
        return false;
    for (to = p; to < line->end && !isspace((unsigned char)*to); to++) {
        letter |= isalpha((unsigned char)*to) != 0;
        digit |= isdigit((unsigned char)*to) != 0;
    }
    *ret = p;
    return letter && digit && to - p >= MIN_TOLD;
}

/* "Password for root: x", as programs ask for it. */
static bool find_asked(const struct passage *line, const struct key *key, const char **ret)
{
    const char *p = key->after;
    if (!cursor_take(&p, line->end, " for "))
        return false;
    cursor_take(&p, line->end, "user ");
    const char *name = p;
    while (p < line->end && !isspace((unsigned char)*p) && *p != ':')
        p++;
    *ret = p + 2;
    return p > name && line->end - p > 2 && p[0] == ':' && p[1] == ' ';
}

/* "cluster_password x": nothing but a compound name and one word stand on the line. */
static bool find_alone(const struct passage *line, const struct key *key, const char **ret)
{
    const char *from = key->from, *p = key->after;
    bool compound = false;
    for (const char *q = key->from; q < key->to; q++)
        compound |= strchr("-_.", *q) != NULL;
    while (from > line->begin && strchr(" \t#", from[-1]))
        from--;
    if (!compound || key->quoted || key->option || from > line->begin || p == line->end ||
        !isblank((unsigned char)*p))
        return false;
    *ret = p = cursor_skip_blanks(p, line->end);
    while (p < line->end && !isspace((unsigned char)*p))
        p++;
    while (p < line->end && isspace((unsigned char)*p))
        p++;
    return p == line->end && *ret < p;
}

/* "((token x)(name y))", an S-expression; "(token expired)" is prose. */
static bool find_in_expression(const struct passage *line, const struct key *key, const char **ret,
                               const char **ret_end)
{
    const char *p = key->after, *from = key->from, *to;
    bool digit = false;
    if (key->quoted || from == line->begin || from[-1] != '(' || p == line->end || *p != ' ')
        return false;
    for (to = ++p; to < line->end && *to != ')' && !isspace((unsigned char)*to); to++)
        digit |= isdigit((unsigned char)*to) != 0;
    bool nested = from - line->begin > 1 && strchr("()", from[-2]);
    *ret = p;
    *ret_end = to;
    return to > p && to < line->end && *to == ')' && (digit || nested);
}

/* "{ a b; shared-secret x; }": in a list of statements, so the value has no semicolon itself. */
static bool find_in_statement(const struct passage *line, const struct key *key, const char **ret,
                              const char **ret_end)
{
    const char *p = key->after, *from = key->from;
    while (from > line->begin && isblank((unsigned char)from[-1]))
        from--;
    bool begins = from > line->begin && strchr("{;", from[-1]);
    if (!begins || key->quoted || key->option || p == line->end || !isblank((unsigned char)*p))
        return false;
    *ret = p = cursor_skip_blanks(p, line->end);
    while (p < line->end && !isspace((unsigned char)*p))
        p++;
    *ret_end = p - 1;
    return p - 1 > *ret && p[-1] == ';' && **ret != '"' && **ret != '\'';
}

bool loose_value_find_ended(const struct passage *line, const struct key *key,
                            enum secret_kind kind, struct finding *ret)
{
    if (kind != SECRET_ANY && kind != SECRET_UNLESS_PATH)
        return false;
    return find_in_expression(line, key, &ret->from, &ret->to) ||
           find_in_statement(line, key, &ret->from, &ret->to);
}

/* "session OpaqueRef:x", as XAPI's log has it. */
static bool find_session(const struct passage *line, const struct key *key, const char **ret)
{
    static const char reference[] = "OpaqueRef:";
    const char *p = cursor_skip_blanks(key->after, line->end);
    *ret = p;
    return p > key->after && cursor_take(&p, line->end, reference);
}

bool loose_value_find(const struct passage *line, const struct key *key, enum secret_kind kind,
                      const char **ret)
{
    if (kind == SECRET_SESSION)
        return find_session(line, key, ret);
    if (kind != SECRET_ANY && kind != SECRET_UNLESS_PATH)
        return false;
    return find_quoted(line, key, ret) || find_alone(line, key, ret) ||
           (kind == SECRET_ANY && (find_told(line, key, ret) || find_asked(line, key, ret)));
}
