/* SPDX-License-Identifier: LGPL-2.1-only */
#include "analyzer/verify/pattern_shape.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

/* As in regex.h; deeper groups are not looked into. */
#define DEPTH_MAX 64

struct reader {
    const char *p;
    struct pattern_shape shape;
    struct level {
        bool tail; /* what was read so far ends with an unbounded repetition */
        bool any;  /* an alternative before this one does */
    } levels[DEPTH_MAX];
    int depth;
    size_t literal;    /* characters of the run that is being read */
    bool last_repeats; /* what was read last is a group that ends with one */
    bool tail_before;  /* `tail` before what was read last */
};

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

/* A quantifier, if one stands here. */
static void read_quantifier(struct reader *r)
{
    bool unbounded = *r->p == '*' || *r->p == '+', optional = *r->p == '?';
    size_t length = unbounded || optional ? 1 : *r->p == '{' ? read_counts(r, &unbounded) : 0;
    if (!length)
        return;
    if (r->literal > 0)
        r->literal--; /* the last character is not one of the run */
    end_literal(r);
    r->p += length;
    bool possessive = *r->p == '+';
    if (*r->p == '+' || *r->p == '?')
        r->p++;
    struct level *level = &r->levels[r->depth];
    if (optional)
        level->tail |= r->tail_before;
    if (!unbounded)
        return;
    r->shape.repeats_repetition |= r->last_repeats && !possessive;
    level->tail = !possessive;
}

static void read_atom(struct reader *r)
{
    char c = *r->p;
    struct level *level = &r->levels[r->depth];
    r->last_repeats = false;
    r->tail_before = level->tail;
    level->tail = false;
    if (c == '\\' && r->p[1]) {
        bool is_literal = !isalnum((unsigned char)r->p[1]);
        r->p += 2;
        if (is_literal)
            r->literal++;
        else
            end_literal(r);
    } else if (c == '[') {
        end_literal(r);
        r->p = skip_class(r->p);
    } else if (c == '(') {
        end_literal(r);
        bool is_deeper = r->depth + 1 < DEPTH_MAX;
        r->depth += is_deeper;
        r->levels[r->depth] = (struct level){false, false};
        r->p++;
    } else if (c == ')') {
        end_literal(r);
        r->last_repeats = r->tail_before || level->any;
        r->depth -= r->depth > 0;
        r->levels[r->depth].tail = r->last_repeats;
        r->p++;
    } else {
        level->any |= c == '|' && r->tail_before;
        if (strchr(".|^$", c))
            end_literal(r);
        else
            r->literal++;
        r->p++;
    }
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
