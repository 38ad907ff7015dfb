/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * A reader of patterns that understands as much of PCRE2's syntax as is needed to find texts that
 * cannot be missing. Of a sequence the best part counts; of alternatives all do. What is not
 * understood makes the whole pattern unknown, which costs time but is never wrong.
 */
#include "analyzer/match/literals.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "common/compiler.h"
#include "common/hex.h"

/* Shorter texts stand in too many lines that do not match. */
#define SHORTEST 4

/* More texts for one pattern are no search for rare texts any more. */
#define TEXTS_MAX 64

/* Groups in groups; regex.h allows as many. */
#define DEPTH_MAX 32

/* One of these texts is in every match; none: nothing is known. */
struct literals {
    struct strbuf texts; /* each with its NUL */
    size_t count, shortest;
};

struct reader {
    const char *p;
    unsigned depth;
    bool failed; /* the pattern is not understood */
};

static void literals_release(struct literals *literals)
{
    strbuf_release(&literals->texts);
}

static bool is_better(const struct literals *a, const struct literals *b)
{
    return a->shortest > b->shortest || (a->shortest == b->shortest && a->count < b->count);
}

static void replace(struct literals *best, struct literals *other)
{
    strbuf_release(&best->texts);
    *best = *other;
    *other = (struct literals){.texts = STRBUF_INIT};
}

/* The end of a run of fixed characters: is it better than what there was? */
static void close_run(struct strbuf *run, struct literals *best)
{
    if (strbuf_ok(run) && run->length > best->shortest) {
        strbuf_clear(&best->texts);
        strbuf_add(&best->texts, run->data, run->length + 1);
        best->count = 1;
        best->shortest = run->length;
    }
    strbuf_clear(run);
}

/* "{2}", "{2,}", "{2,5}": its end, or NULL. */
static const char *counted_quantifier(const char *p, unsigned long *ret_least)
{
    char *end;
    *ret_least = strtoul(p + 1, &end, 10);
    if (*end == ',')
        for (end++; isdigit((unsigned char)*end);)
            end++;
    return isdigit((unsigned char)p[1]) && *end == '}' ? end + 1 : NULL;
}

/* How often at least the atom before stands there; *ret_once: it has no quantifier. */
static unsigned long read_quantifier(struct reader *reader, bool *ret_once)
{
    unsigned long least = 1;
    const char *p = reader->p;
    *ret_once = false;
    if (*p == '*' || *p == '?') {
        least = 0;
        p++;
    } else if (*p == '+') {
        p++;
    } else if (*p == '{') {
        /* Other braces are texts to some versions of PCRE2 and quantifiers to others. */
        if (!(p = counted_quantifier(p, &least))) {
            reader->failed = true;
            return 0;
        }
    } else {
        *ret_once = true;
        return 1;
    }
    if (*p == '?' || *p == '+')
        p++;
    reader->p = p;
    return least;
}

static void skip_class(struct reader *reader)
{
    const char *p = reader->p + 1;
    if (*p == '^')
        p++;
    if (*p == ']')
        p++;
    while (*p && *p != ']') {
        if (*p == '\\' &&
            (p[1] == 'Q' || p[1] == 'E')) /* texts in quotes: brackets may be in them */
            break;
        if (*p == '\\' && p[1]) {
            p += 2;
        } else if (*p == '[' && (p[1] == ':' || p[1] == '.' || p[1] == '=')) {
            const char close[] = {p[1], ']', '\0'}, *end = strstr(p + 2, close);
            p = end ? end + 2 : p + 1;
        } else {
            p++;
        }
    }
    if (*p == ']')
        reader->p = p + 1;
    else
        reader->failed = true;
}

/* After the backslash. A fixed character goes to *ret; false: it is something else. */
static bool read_escape(struct reader *reader, char *ret, bool *ret_is_empty)
{
    char c = *reader->p;
    *ret_is_empty = false;
    if (c && !isalnum((unsigned char)c)) {
        *ret = c;
        reader->p++;
        return true;
    }
    *ret_is_empty = c && strchr("bBAzZG", c);
    if (c == '\0' || !strchr("bBAzZGdDwWsShHvVRN", c))
        reader->failed = true;
    else
        reader->p++;
    return false;
}

static void read_alternatives(struct reader *reader, struct literals *ret);

/* What stands between the parenthesis and the group's content. */
enum group_kind { GROUP_PLAIN, GROUP_LOOKAROUND, GROUP_CASELESS, GROUP_UNKNOWN };

static enum group_kind read_group_head(struct reader *reader)
{
    static const struct {
        const char *head;
        enum group_kind kind;
    } heads[] = {
        {"?:", GROUP_PLAIN},      {"?>", GROUP_PLAIN},       {"?=", GROUP_LOOKAROUND},
        {"?!", GROUP_LOOKAROUND}, {"?<=", GROUP_LOOKAROUND}, {"?<!", GROUP_LOOKAROUND},
        {"?i:", GROUP_CASELESS},
    };
    if (*reader->p == '*')
        return GROUP_UNKNOWN;
    if (*reader->p != '?')
        return GROUP_PLAIN;
    for (size_t i = 0; i < ARRAY_SIZE(heads); i++) {
        size_t length = strlen(heads[i].head);
        if (strncmp(reader->p, heads[i].head, length) == 0) {
            reader->p += length;
            return heads[i].kind;
        }
    }
    const char *name = reader->p + 1 + (reader->p[1] == 'P');
    const char *close = *name == '<' ? strchr(name, '>') : NULL;
    if (!close)
        return GROUP_UNKNOWN;
    reader->p = close + 1;
    return GROUP_PLAIN;
}

/* A group; the texts of its content are weighed against the best so far. */
static void read_group(struct reader *reader, struct strbuf *run, struct literals *best)
{
    CLEANUP(literals_release) struct literals content = {.texts = STRBUF_INIT};
    bool once;
    reader->p++;
    enum group_kind kind = read_group_head(reader);
    if (kind == GROUP_UNKNOWN || ++reader->depth > DEPTH_MAX) {
        reader->failed = true;
        return;
    }
    read_alternatives(reader, &content);
    reader->depth--;
    if (reader->failed || *reader->p != ')') {
        reader->failed = true;
        return;
    }
    reader->p++;
    unsigned long least = read_quantifier(reader, &once);
    if (kind == GROUP_LOOKAROUND)
        return; /* it is empty: the run goes on behind it */
    close_run(run, best);
    if (least > 0 && kind == GROUP_PLAIN && is_better(&content, best))
        replace(best, &content);
}

/* A character that stands for itself. */
static void take_character(struct reader *reader, char c, struct strbuf *run, struct literals *best)
{
    bool once;
    unsigned long least = read_quantifier(reader, &once);
    if (least > 0)
        strbuf_addc(run, c);
    if (!once)
        close_run(run, best);
}

/* Something that stands for many characters. */
static void pass_over(struct reader *reader, struct strbuf *run, struct literals *best)
{
    bool once;
    read_quantifier(reader, &once);
    close_run(run, best);
}

static void read_sequence(struct reader *reader, struct literals *best)
{
    CLEANUP(strbuf_release) struct strbuf run = STRBUF_INIT;
    bool is_empty, once;
    while (!reader->failed && *reader->p && *reader->p != '|' && *reader->p != ')') {
        char c = *reader->p;
        switch (c) {
        case '(':
            read_group(reader, &run, best);
            break;
        case '[':
            skip_class(reader);
            pass_over(reader, &run, best);
            break;
        case '.':
            reader->p++;
            pass_over(reader, &run, best);
            break;
        case '^':
        case '$':
            reader->p++;
            read_quantifier(reader, &once);
            break;
        case '\\':
            reader->p++;
            if (read_escape(reader, &c, &is_empty))
                take_character(reader, c, &run, best);
            else if (is_empty)
                read_quantifier(reader, &once);
            else
                pass_over(reader, &run, best);
            break;
        default:
            reader->p++;
            take_character(reader, c, &run, best);
        }
    }
    close_run(&run, best);
    reader->failed = reader->failed || !strbuf_ok(&best->texts);
}

/* One of the alternatives is there, so the texts of all of them are needed. */
static void read_alternatives(struct reader *reader, struct literals *ret)
{
    bool is_first = true;
    for (;; is_first = false) {
        CLEANUP(literals_release) struct literals one = {.texts = STRBUF_INIT};
        read_sequence(reader, &one);
        if (is_first) {
            replace(ret, &one);
        } else {
            if (one.shortest < ret->shortest)
                ret->shortest = one.shortest;
            ret->count += one.count;
            strbuf_add(&ret->texts, one.texts.data, one.texts.length);
        }
        if (reader->failed || *reader->p != '|')
            return;
        reader->p++;
    }
}

/* As "\x20": no character of it means anything in a pattern. */
static void add_escaped(struct strbuf *out, unsigned char c)
{
    char text[5] = "\\x";
    hex_write(&c, 1, text + 2);
    strbuf_add(out, text, 4);
}

bool literals_find(const char *pattern, struct strbuf *ret)
{
    CLEANUP(literals_release) struct literals found = {.texts = STRBUF_INIT};
    struct reader reader = {.p = pattern};
    read_alternatives(&reader, &found);
    if (reader.failed || *reader.p || found.shortest < SHORTEST || found.count > TEXTS_MAX ||
        !strbuf_ok(&found.texts))
        return false;
    const char *text = found.texts.data;
    for (size_t i = 0; i < found.count; i++, text += strlen(text) + 1) {
        if (i > 0)
            strbuf_addc(ret, '|');
        for (const char *c = text; *c; c++)
            if (isalnum((unsigned char)*c))
                strbuf_addc(ret, *c);
            else
                add_escaped(ret, (unsigned char)*c);
    }
    return strbuf_ok(ret);
}
