/* SPDX-License-Identifier: LGPL-2.1-only */
#include "analyzer/verify/pattern_shape.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

/* As in regex.h; deeper groups are not looked into. */
#define DEPTH_MAX 64

/* An alternative of a group, as far as it is read: how its parts repeat. */
struct level {
    unsigned once, pluses, stars;
    bool any_risky; /* an alternative before this one is */
};

struct reader {
    const char *p;
    struct pattern_shape shape;
    struct level levels[DEPTH_MAX];
    int depth;
    size_t literal; /* characters of the run that is being read */
    bool is_part;   /* what was read last can be repeated ... */
    bool is_risky;  /* ... and is a group whose text one repetition can share out in many ways */
};

/* A single repetition and nothing that parts one round from the next. */
static bool is_risky(const struct level *level)
{
    return level->any_risky ||
           (level->once == 0 && (level->pluses == 1 || (level->pluses == 0 && level->stars > 0)));
}

/* Past "[...]"; `p` is at the bracket. */
static const char *skip_class(const char *p)
{
    p++;
    if (*p == '^')
        p++;
    if (*p == ']')
        p++;
    while (*p && *p != ']')
        p += *p == '\\' && p[1] ? 2 : 1;
    return *p ? p + 1 : p;
}

static void end_literal(struct reader *r)
{
    if (r->literal > r->shape.longest_literal)
        r->shape.longest_literal = r->literal;
    r->literal = 0;
}

/* "{2,5}": its length, or 0 when it is no quantifier. */
static size_t read_counts(struct reader *r, bool *ret_unbounded)
{
    size_t length = strspn(r->p + 1, "0123456789,");
    if (!length || r->p[length + 1] != '}' || !isdigit((unsigned char)r->p[1]))
        return 0;
    for (const char *p = r->p + 1; p < r->p + 1 + length; p++) {
        long number = strtol(p, NULL, 10);
        if (number > r->shape.largest_repeat)
            r->shape.largest_repeat = number;
    }
    *ret_unbounded = r->p[length] == ',';
    return length + 2;
}

/* What was read last, now that its quantifier is known. */
static void count_part(struct reader *r, bool unbounded, bool optional, bool possessive)
{
    struct level *level = &r->levels[r->depth];
    if (!r->is_part)
        return;
    r->shape.repeats_repetition |= unbounded && r->is_risky && !possessive;
    if (possessive)
        level->once++;
    else if (unbounded && optional)
        level->stars++;
    else if (unbounded || (r->is_risky && !optional))
        level->pluses++;
    else if (!optional)
        level->once++;
}

/* A quantifier, if one stands here. */
static void read_quantifier(struct reader *r)
{
    char c = *r->p;
    bool unbounded = c == '*' || c == '+', optional = c == '*' || c == '?', possessive = false;
    size_t length = unbounded || optional ? 1 : c == '{' ? read_counts(r, &unbounded) : 0;
    if (length) {
        if (r->literal > 0)
            r->literal--; /* the last character is not one of the run */
        end_literal(r);
        r->p += length;
        possessive = *r->p == '+';
        if (*r->p == '+' || *r->p == '?')
            r->p++;
    }
    count_part(r, unbounded, optional, possessive);
}

static void open_group(struct reader *r)
{
    r->depth += r->depth + 1 < DEPTH_MAX;
    r->levels[r->depth] = (struct level){0};
    r->is_part = false;
}

static void close_group(struct reader *r)
{
    r->is_risky = is_risky(&r->levels[r->depth]);
    r->depth -= r->depth > 0;
}

static void next_alternative(struct reader *r)
{
    bool risky = is_risky(&r->levels[r->depth]);
    r->levels[r->depth] = (struct level){.any_risky = risky};
    r->is_part = false;
}

static void read_atom(struct reader *r)
{
    char c = *r->p;
    bool is_escape = c == '\\' && r->p[1];
    r->is_part = true;
    r->is_risky = false;
    if (is_escape ? !isalnum((unsigned char)r->p[1]) : !strchr("[().|^$", c)) {
        r->literal++;
    } else {
        end_literal(r);
        if (c == '(')
            open_group(r);
        else if (c == ')')
            close_group(r);
        else if (c == '|')
            next_alternative(r);
        else
            r->is_part = c != '^' && c != '$';
    }
    r->p = c == '[' && !is_escape ? skip_class(r->p) : r->p + 1 + is_escape;
}

/* "?:", "?<name>", "?=" and the like behind a parenthesis are no quantifiers. */
static void skip_group_kind(struct reader *r)
{
    if (r->p[-1] != '(' || *r->p != '?')
        return;
    r->p++;
    if (*r->p == '<' && r->p[1] != '=' && r->p[1] != '!')
        r->p += strcspn(r->p, ">");
    if (*r->p)
        r->p++;
}

struct pattern_shape pattern_shape_of(const char *pattern)
{
    struct reader r = {.p = pattern};
    while (*r.p) {
        bool opens = *r.p == '(';
        read_atom(&r);
        if (opens)
            skip_group_kind(&r);
        else
            read_quantifier(&r);
    }
    end_literal(&r);
    return r.shape;
}
