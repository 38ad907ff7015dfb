/* SPDX-License-Identifier: LGPL-2.1-only */
#include "analyzer/render/json_writer.h"

#include <inttypes.h>

#include "common/escape.h"

static void new_line(struct json_writer *writer)
{
    strbuf_addc(writer->out, '\n');
    for (unsigned i = 0; i < writer->depth; i++)
        strbuf_add(writer->out, "  ", 2);
}

static void add_code_unit(struct strbuf *out, unsigned unit)
{
    strbuf_addf(out, "\\u%04x", unit);
}

/* How many characters at its start stand for themselves, for sure. */
static size_t plain_length(const char *text)
{
    size_t length = 0;
    for (unsigned char c; (c = (unsigned char)text[length]) >= ' ' && c < 0x7f && c != '"' &&
                          c != '\\' && c != '<' && c != '>' && c != '&';)
        length++;
    return length;
}

static void add_text(struct strbuf *out, const char *text)
{
    size_t length = strlen(text);
    strbuf_addc(out, '"');
    for (size_t i = 0; i < length;) {
        unsigned point;
        size_t plain = plain_length(text + i);
        strbuf_add(out, text + i, plain);
        i += plain;
        if (i == length)
            break;
        unsigned n = escape_utf8_length(text + i, length - i, &point);
        if (n == 0)
            strbuf_adds(out, "\xef\xbf\xbd");
        else if (point == '"' || point == '\\')
            strbuf_addf(out, "\\%c", (char)point);
        else if (point == '\n')
            strbuf_adds(out, "\\n");
        else if (point == '\t')
            strbuf_adds(out, "\\t");
        else if (escape_is_dangerous(point) || point == '<' || point == '>' || point == '&')
            add_code_unit(out, point); /* none of them is above U+FFFF */
        else
            strbuf_add(out, text + i, n);
        i += n ? n : 1;
    }
    strbuf_addc(out, '"');
}

/* Everything that stands before a value: comma, line break, key. */
static void begin_value(struct json_writer *writer, const char *key)
{
    bool *has_items = &writer->has_items[writer->depth];
    if (*has_items)
        strbuf_addc(writer->out, ',');
    if (writer->depth > 0)
        new_line(writer);
    *has_items = true;
    if (key) {
        add_text(writer->out, key);
        strbuf_adds(writer->out, ": ");
    }
}

static void open_value(struct json_writer *writer, const char *key, char bracket)
{
    begin_value(writer, key);
    strbuf_addc(writer->out, bracket);
    if (writer->depth + 1 < JSON_WRITER_DEPTH)
        writer->depth++;
    else
        writer->out->failed = true;
    writer->has_items[writer->depth] = false;
}

static void close_value(struct json_writer *writer, char bracket)
{
    bool was_filled = writer->has_items[writer->depth];
    writer->depth--;
    if (was_filled)
        new_line(writer);
    strbuf_addc(writer->out, bracket);
}

void jsonw_object(struct json_writer *writer, const char *key)
{
    open_value(writer, key, '{');
}

void jsonw_list(struct json_writer *writer, const char *key)
{
    open_value(writer, key, '[');
}

void jsonw_end_object(struct json_writer *writer)
{
    close_value(writer, '}');
}

void jsonw_end_list(struct json_writer *writer)
{
    close_value(writer, ']');
}

void jsonw_string(struct json_writer *writer, const char *key, const char *text)
{
    begin_value(writer, key);
    add_text(writer->out, text);
}

void jsonw_string_or_null(struct json_writer *writer, const char *key, const char *text)
{
    begin_value(writer, key);
    if (text)
        add_text(writer->out, text);
    else
        strbuf_adds(writer->out, "null");
}

void jsonw_integer(struct json_writer *writer, const char *key, int64_t value)
{
    begin_value(writer, key);
    strbuf_addf(writer->out, "%" PRId64, value);
}

void jsonw_boolean(struct json_writer *writer, const char *key, bool value)
{
    begin_value(writer, key);
    strbuf_adds(writer->out, value ? "true" : "false");
}
