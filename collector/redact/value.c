/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * In doubt a value reaches to the end of its line: secrets hold blanks, commas and equal signs, and
 * half a password is a leak. What proves an earlier end is structure that the value cannot have
 * made itself: its own quotes, or the quotes of the string that holds key and value.
 */
#include "collector/redact/value.h"

#include <ctype.h>
#include <string.h>

#include "collector/redact/quoting.h"
#include "common/compiler.h"

#define LOOK_BACK   1024 /* a string that holds key and value begins no further away */
#define MAX_NESTING 32

static const char *skip_blanks(const char *p, const char *end)
{
    while (p < end && (*p == ' ' || *p == '\t'))
        p++;
    return p;
}

static const char *span_of(const char *from, const char *end, const char *stops)
{
    while (from < end && *from && !strchr(stops, *from))
        from++;
    return from;
}

/* What may stand behind the end of a string. */
static bool ends_string(const char *p, const char *end)
{
    return p >= end || strchr(" \t\r,;:)]}>/?&|%<\\\"'", *p) != NULL;
}

/* 'a'"b"c is one word of the shell; 'it''s' is one string of SQL. */
static const char *continued(const char *p, const char *end, const struct quote *quote)
{
    struct quoted more;
    struct quote next;
    while (quote->level == 0 && quote->length == 1 && p < end) {
        const char *start = p;
        if (*p == '\\' && p + 1 < end && (p[1] == '\'' || p[1] == '"')) {
            p += 2;
        } else if ((*p == '\'' || *p == '"') && quote_open(&p, end, &next)) {
            p = quote_close(p, end, &next, &more) ? more.after : end;
        } else if (ends_string(p, end)) {
            return p;
        } else {
            p++;
        }
        if (p == start)
            break;
    }
    return p;
}

/* The string that is open at `key`: its quote, or false. */
static bool enclosing_quote(const struct passage *line, const char *key, struct quote *ret)
{
    const char *begin = key - line->begin > LOOK_BACK ? key - LOOK_BACK : line->begin;
    bool closed[128] = {false};
    for (const char *p = key; p-- > begin;) {
        if ((*p != '\'' && *p != '"') || closed[(unsigned char)*p])
            continue;
        const char *before = p;
        while (before > begin && before[-1] == '\\')
            before--;
        size_t level = (size_t)(p - before);
        if (before > begin && strchr("ubrfL", before[-1]))
            before--;
        bool closes = p + 1 < key && strchr(" \t,;)]}:", p[1]);
        bool opens = before > begin && strchr("[({,:=", before[-1]);
        if (opens || (!closes && (before == begin || strchr(" \t", before[-1])))) {
            *ret = (struct quote){*p == '"' ? "\"" : "'", 1, level};
            return true;
        }
        if (closes)
            closed[(unsigned char)*p] = true;
    }
    return false;
}

/* <log>password: x</log>: where the element that holds key and value is closed, or `end`. */
static const char *tag_end(const struct passage *line, const char *key, const char *from,
                           const char *end)
{
    const char *begin = key - line->begin > LOOK_BACK ? key - LOOK_BACK : line->begin;
    const char *bracket = memrchr(begin, '>', (size_t)(key - begin));
    const char *tag = bracket ? memrchr(begin, '<', (size_t)(bracket - begin)) : NULL;
    if (!tag || !isalpha((unsigned char)tag[1]))
        return end;
    const char *name_end = span_of(tag + 1, bracket, " /");
    size_t n = (size_t)(name_end - tag - 1);
    for (const char *p = from; (p = memmem(p, (size_t)(end - p), "</", 2)); p += 2)
        if ((size_t)(end - p) > n + 2 && memcmp(p + 2, tag + 1, n) == 0 && p[n + 2] == '>')
            return p;
    return end;
}

const char *value_plain_end(const struct passage *line, const char *key, const char *from)
{
    struct quote quote;
    struct quoted text;
    const char *end = line->end;
    while (end > from && isspace((unsigned char)end[-1]))
        end--;
    end = tag_end(line, key, from, end);
    if (!enclosing_quote(line, key, &quote))
        return end;
    for (const char *p = from; p < end && quote_close(p, end, &quote, &text); p = text.after)
        if (ends_string(text.after, end) && (text.after == end || !strchr("\\\"'", *text.after)))
            return text.text + text.length;
    return end;
}

/* A string that is not closed ends like a value without quotes. */
static void end_quoted(const struct passage *line, const char *key, const struct quote *quote,
                       struct finding *value)
{
    struct quoted text;
    if (!quote_close(value->from, line->end, quote, &text)) {
        value->to = value_plain_end(line, key, value->from);
        return;
    }
    const char *after = continued(text.after, line->end, quote);
    value->to = after > text.after ? after : text.text + text.length;
}

/*
 * The text of an element, to its closing tag or the end of the line. "<password> FILE" is none, but
 * what a program says about its arguments.
 */
static bool find_element_text(const char *end, struct finding *value)
{
    static const char cdata[] = "<![CDATA[";
    size_t n = sizeof cdata - 1, left = (size_t)(end - value->from);
    bool is_cdata = left >= n && memcmp(value->from, cdata, n) == 0;
    value->from += is_cdata ? n : 0;
    left = (size_t)(end - value->from);
    const char *stop =
        is_cdata ? memmem(value->from, left, "]]>", 3) : memchr(value->from, '<', left);
    static const char *const entities[] = {"&lt;/", "&amp;lt;/"};
    for (size_t i = 0; !is_cdata && i < ARRAY_SIZE(entities); i++) {
        size_t before = stop ? (size_t)(stop - value->from) : left;
        const char *entity = memmem(value->from, before, entities[i], strlen(entities[i]));
        stop = entity ? entity : stop;
    }
    value->to = stop ? stop : end;
    bool blank = value->to > value->from && isblank((unsigned char)*value->from);
    return value->to > value->from &&
           !(blank && (!stop || (*stop == '<' && !is_cdata && stop + 1 < end && stop[1] != '/')));
}

static const char *session_end(const char *from, const char *end)
{
    while (from < end && (isalnum((unsigned char)*from) || strchr(":_-%", *from)))
        from++;
    return from;
}

/* A list or map as a value, to its closing bracket. False when it is neither. */
static bool brackets_end(const char *from, const char *end, const char **ret)
{
    char closers[MAX_NESTING];
    size_t depth = 0;
    struct quote quote;
    struct quoted text;
    for (const char *p = from; p < end;) {
        char closer = *p == '{' ? '}' : *p == '[' ? ']' : *p == '(' ? ')' : '\0';
        if (closer && depth == MAX_NESTING)
            return false;
        if (closer)
            closers[depth++] = closer;
        else if (depth > 0 && *p == closers[depth - 1])
            depth--;
        if (depth == 0) {
            *ret = p + 1;
            return p > from && ends_string(p + 1, end);
        }
        if (!quote_open(&p, end, &quote))
            p++;
        else if (!quote_close(p, end, &quote, &text))
            return false;
        else
            p = text.after;
    }
    return false;
}

/* A number or a word, and then what may follow a value in JSON or Python. */
static bool literal_end(const char *from, const char *end, const char **ret)
{
    const char *p = from;
    while (p < end && (isalnum((unsigned char)*p) || strchr("+-._", *p)))
        p++;
    const char *next = skip_blanks(p, end);
    *ret = p;
    return p > from && (next == end || strchr(",}])\r", *next));
}

static const char *unquoted_end(const struct passage *line, const char *key, enum value_style style,
                                const char *from)
{
    const char *end = line->end, *stop;
    switch (style) {
    case VALUE_QUERY:
        return span_of(from, end, "& \t\r\"'<>\\");
    case VALUE_SESSION:
        return session_end(from, end);
    case VALUE_ITEM:
        return span_of(from, end, ";]");
    case VALUE_LITERAL:
        if (literal_end(from, end, &stop))
            return stop;
        break;
    case VALUE_ELEMENT:
    case VALUE_PLAIN:
        break;
    }
    end = value_plain_end(line, key, from);
    return brackets_end(from, end, &stop) ? stop : end;
}

bool value_find_end(const struct passage *line, const char *key, enum value_style style,
                    struct finding *value)
{
    struct quote quote;
    const char *p = style == VALUE_QUERY || style == VALUE_ELEMENT
                        ? value->from
                        : skip_blanks(value->from, line->end);
    value->from = p;
    if (p == line->end)
        return false;
    if (style == VALUE_ELEMENT)
        return find_element_text(line->end, value);
    if (p + 1 < line->end && strchr("ubrfL", *p) && (p[1] == '\'' || p[1] == '"'))
        p++;
    if (quote_open(&p, line->end, &quote)) {
        value->from = p;
        end_quoted(line, key, &quote, value);
        return value->to > value->from;
    }
    value->to = unquoted_end(line, key, style, value->from);
    return value->to > value->from;
}
