/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * Decodes values of XAPI's database. A set or map that is broken anywhere is refused as a whole:
 * half a map in valid JSON would look like the truth.
 */
#include "analyzer/tables/xapi_value.h"

#include "common/escape.h"

/* Lists in lists; XAPI writes a map's pairs and nothing deeper, other nesting is inside quotes. */
#define DEPTH_MAX 8

/* The parser's place in a text without `%`-escapes. */
struct reader {
    const char *position, *end;
    struct strbuf *out;
    struct strbuf word; /* the latest atom, without quotes and escapes */
};

static void unprotect(struct strbuf *out, const char *text, size_t length)
{
    const char *end = text + length;
    while (text < end) {
        const char *percent = memchr(text, '%', (size_t)(end - text));
        if (!percent || percent + 1 == end) {
            strbuf_add(out, text, (size_t)(end - text));
            return;
        }
        strbuf_add(out, text, (size_t)(percent - text));
        text = percent + 2;
        switch (percent[1]) {
        case '.':
            strbuf_addc(out, ' ');
            break;
        case '_':
            strbuf_adds(out, "  ");
            break;
        case 't':
            strbuf_addc(out, '\t');
            break;
        case 'n':
            strbuf_addc(out, '\n');
            break;
        case 'r':
            strbuf_addc(out, '\r');
            break;
        case '%':
            strbuf_addc(out, '%');
            break;
        default:
            /* Not written by XAPI: keep it, and look at the next character on its own. */
            strbuf_addc(out, '%');
            text = percent + 1;
        }
    }
}

/* Bytes that stand in JSON as they are; the rest is looked at more closely. */
static bool is_plain(char c)
{
    return c >= 0x20 && c < 0x7f && c != '"' && c != '\\';
}

void xapi_value_quote(struct strbuf *out, const char *text, size_t length)
{
    const char *end = text + length;
    strbuf_addc(out, '"');
    while (text < end) {
        const char *run = text;
        while (text < end && is_plain(*text))
            text++;
        strbuf_add(out, run, (size_t)(text - run));
        if (text == end)
            break;
        unsigned point;
        unsigned size = escape_utf8_length(text, (size_t)(end - text), &point);
        if (size == 0)
            strbuf_adds(out, "\xef\xbf\xbd"); /* U+FFFD */
        else if (*text == '"' || *text == '\\')
            strbuf_addf(out, "\\%c", *text);
        else if (point < 0x20)
            strbuf_addf(out, "\\u%04x", point);
        else
            strbuf_add(out, text, size);
        text += size ? size : 1;
    }
    strbuf_addc(out, '"');
}

static bool is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

static void skip_blanks(struct reader *reader)
{
    while (reader->position < reader->end && is_blank(*reader->position))
        reader->position++;
}

/* True and one step on when the next character that is no blank is `c`. */
static bool take(struct reader *reader, char c)
{
    skip_blanks(reader);
    if (reader->position == reader->end || *reader->position != c)
        return false;
    reader->position++;
    return true;
}

static bool read_quoted(struct reader *reader, char quote)
{
    const char *p = reader->position, *end = reader->end;
    for (;;) {
        const char *run = p;
        while (p < end && *p != quote && *p != '\\')
            p++;
        strbuf_add(&reader->word, run, (size_t)(p - run));
        if (p == end)
            return false;
        if (*p == quote)
            break;
        if (++p == end)
            return false;
        strbuf_addc(&reader->word, *p++);
    }
    reader->position = p + 1;
    return true;
}

/* Reads an atom into reader->word. */
static bool read_atom(struct reader *reader)
{
    strbuf_clear(&reader->word);
    if (take(reader, '\''))
        return read_quoted(reader, '\'');
    if (take(reader, '"'))
        return read_quoted(reader, '"');
    const char *start = reader->position, *p = start;
    while (p < reader->end && !is_blank(*p) && !strchr("()'\"", *p))
        p++;
    strbuf_add(&reader->word, start, (size_t)(p - start));
    reader->position = p;
    return p > start;
}

static bool at_list(struct reader *reader)
{
    skip_blanks(reader);
    return reader->position < reader->end && *reader->position == '(';
}

static bool read_set(struct reader *reader, int depth)
{
    if (depth == DEPTH_MAX || !take(reader, '('))
        return false;
    strbuf_addc(reader->out, '[');
    for (bool first = true; !take(reader, ')'); first = false) {
        if (!first)
            strbuf_addc(reader->out, ',');
        if (at_list(reader)) {
            if (!read_set(reader, depth + 1))
                return false;
        } else if (read_atom(reader)) {
            xapi_value_quote(reader->out, reader->word.data, reader->word.length);
        } else {
            return false;
        }
    }
    strbuf_addc(reader->out, ']');
    return true;
}

/* The S-expression inside the word, as a set; as a string when it is none. */
static void write_inner_set(struct reader *reader)
{
    struct reader inner = {
        .position = reader->word.data,
        .end = reader->word.data + reader->word.length,
        .out = reader->out,
        .word = STRBUF_INIT,
    };
    size_t length = reader->out->length;
    bool good = read_set(&inner, 0);
    skip_blanks(&inner);
    strbuf_release(&inner.word);
    if (good && inner.position == inner.end)
        return;
    strbuf_truncate(reader->out, length);
    xapi_value_quote(reader->out, reader->word.data, reader->word.length);
}

static bool read_pair(struct reader *reader, bool of_sets)
{
    if (!take(reader, '(') || !read_atom(reader))
        return false;
    xapi_value_quote(reader->out, reader->word.data, reader->word.length);
    strbuf_addc(reader->out, ':');
    if (at_list(reader)) {
        if (!read_set(reader, 0))
            return false;
    } else if (!read_atom(reader)) {
        return false;
    } else if (of_sets) {
        write_inner_set(reader);
    } else {
        xapi_value_quote(reader->out, reader->word.data, reader->word.length);
    }
    return take(reader, ')');
}

static bool read_map(struct reader *reader, bool of_sets)
{
    if (!take(reader, '('))
        return false;
    strbuf_addc(reader->out, '{');
    for (bool first = true; !take(reader, ')'); first = false) {
        if (!first)
            strbuf_addc(reader->out, ',');
        if (!read_pair(reader, of_sets))
            return false;
    }
    strbuf_addc(reader->out, '}');
    return true;
}

/* The whole of `text` as one set or map. */
static bool decode_list(enum xapi_kind kind, const char *text, size_t length, struct strbuf *out)
{
    struct reader reader = {
        .position = text, .end = text + length, .out = out, .word = STRBUF_INIT};
    size_t before = out->length;
    bool good =
        kind == XAPI_SET ? read_set(&reader, 0) : read_map(&reader, kind == XAPI_MAP_OF_SETS);
    skip_blanks(&reader);
    good = good && reader.position == reader.end && strbuf_ok(&reader.word);
    strbuf_release(&reader.word);
    if (!good)
        strbuf_truncate(out, before);
    return good;
}

bool xapi_value_decode(enum xapi_kind kind, const char *text, size_t length, struct strbuf *out,
                       struct strbuf *scratch)
{
    if (kind == XAPI_PLAIN) {
        unprotect(out, text, length);
        return true;
    }
    strbuf_clear(scratch);
    unprotect(scratch, text, length);
    if (kind != XAPI_ANY)
        return decode_list(kind, scratch->data, scratch->length, out);
    if (!decode_list(XAPI_MAP, scratch->data, scratch->length, out) &&
        !decode_list(XAPI_SET, scratch->data, scratch->length, out))
        xapi_value_quote(out, scratch->data, scratch->length);
    return true;
}
