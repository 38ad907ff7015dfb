/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * Escaping comes first and measuring second: an escaped control character is four columns wide, and
 * a line must not be cut inside one of our own colour sequences, so colours are put around finished
 * pieces only.
 */
#include "analyzer/render/text_writer.h"

#include "analyzer/render/prose.h"
#include "analyzer/verdict/excerpt.h"
#include "common/escape.h"

#define NARROWEST 20 /* columns of text; a terminal that is narrower wraps by itself */

static const char *const sequences[] = {
    [STYLE_NONE] = "",
    [STYLE_HEADING] = "\033[1m",
    [STYLE_FAINT] = "\033[2m",
    [STYLE_CRITICAL] = "\033[1;37;41m",
    [STYLE_ERROR] = "\033[1;31m",
    [STYLE_WARNING] = "\033[33m",
    [STYLE_INFO] = "\033[36m",
    [STYLE_GOOD] = "\033[32m",
    [STYLE_STRONG] = "\033[1m",
};

static void begin_style(const struct text_writer *writer, enum text_style style)
{
    if (writer->colour)
        strbuf_adds(writer->out, sequences[style]);
}

static void end_style(const struct text_writer *writer, enum text_style style)
{
    if (writer->colour && style != STYLE_NONE)
        strbuf_adds(writer->out, "\033[0m");
}

static size_t columns(const char *text, size_t length)
{
    size_t count = 0;
    for (size_t i = 0; i < length; i++)
        count += ((unsigned char)text[i] & 0xc0) != 0x80;
    return count;
}

/* Bytes of the first `count` characters. */
static size_t bytes_of(const char *text, size_t length, size_t count)
{
    size_t i = 0;
    while (i < length && (count > 0 || ((unsigned char)text[i] & 0xc0) == 0x80)) {
        count -= ((unsigned char)text[i] & 0xc0) != 0x80;
        i++;
    }
    return i;
}

static size_t room_behind(const struct text_writer *writer, const char *first)
{
    size_t used = columns(first, strlen(first));
    if (writer->width <= 0)
        return (size_t)-1;
    return (size_t)writer->width > used + NARROWEST ? (size_t)writer->width - used : NARROWEST;
}

void textw_styled(const struct text_writer *writer, enum text_style style, const char *format, ...)
{
    va_list arguments;
    begin_style(writer, style);
    va_start(arguments, format);
    strbuf_vaddf(writer->out, format, arguments);
    va_end(arguments);
    end_style(writer, style);
}

/* How much of the text goes on a line of `room` columns: up to a blank if there is one. */
static size_t line_length(const char *text, size_t length, size_t room)
{
    size_t fits = bytes_of(text, length, room);
    if (fits == length || text[fits] == ' ')
        return fits;
    for (size_t i = fits; i > 0; i--)
        if (text[i - 1] == ' ')
            return i - 1 > 0 ? i - 1 : fits;
    return fits;
}

void textw_wrapped(const struct text_writer *writer, enum text_style style, const char *first,
                   const char *text, size_t length)
{
    CLEANUP(strbuf_release) struct strbuf safe = STRBUF_INIT;
    escape_terminal(&safe, text, length, false);
    size_t room = room_behind(writer, first);
    size_t indent = columns(first, strlen(first));
    strbuf_adds(writer->out, first);
    for (size_t start = 0;;) {
        size_t n = line_length(safe.data + start, safe.length - start, room);
        begin_style(writer, style);
        strbuf_add(writer->out, safe.data + start, n);
        end_style(writer, style);
        strbuf_addc(writer->out, '\n');
        start += n;
        while (start < safe.length && safe.data[start] == ' ')
            start++;
        if (start >= safe.length)
            break;
        strbuf_addf(writer->out, "%*s", (int)indent, "");
    }
    if (!strbuf_ok(&safe))
        writer->out->failed = true;
}

void textw_cut(const struct text_writer *writer, enum text_style style, const char *first,
               const char *text)
{
    CLEANUP(strbuf_release) struct strbuf safe = STRBUF_INIT;
    escape_terminal(&safe, text, strlen(text), false);
    size_t room = room_behind(writer, first);
    strbuf_adds(writer->out, first);
    begin_style(writer, style);
    if (columns(safe.data, safe.length) > room) {
        strbuf_add(writer->out, safe.data, bytes_of(safe.data, safe.length, room - 3));
        strbuf_adds(writer->out, "...");
    } else {
        strbuf_add(writer->out, safe.data, safe.length);
    }
    end_style(writer, style);
    strbuf_addc(writer->out, '\n');
    if (!strbuf_ok(&safe))
        writer->out->failed = true;
}

/* Columns of what the first `count` bytes become. */
static size_t escaped_columns(const char *text, size_t count)
{
    CLEANUP(strbuf_release) struct strbuf safe = STRBUF_INIT;
    escape_terminal(&safe, text, count, false);
    return columns(safe.data, safe.length);
}

/* Columns `from` up to `to` of an escaped text. */
static void add_columns(const struct text_writer *writer, enum text_style style,
                        const struct strbuf *safe, size_t from, size_t to)
{
    size_t start = bytes_of(safe->data, safe->length, from);
    size_t end = bytes_of(safe->data, safe->length, to);
    if (end <= start)
        return;
    begin_style(writer, style);
    strbuf_add(writer->out, safe->data + start, end - start);
    end_style(writer, style);
}

void textw_around(const struct text_writer *writer, const char *first, const char *text,
                  size_t start, size_t length)
{
    CLEANUP(strbuf_release) struct strbuf safe = STRBUF_INIT;
    escape_terminal(&safe, text, strlen(text), false);
    size_t total = columns(safe.data, safe.length);
    size_t from = escaped_columns(text, start), to = escaped_columns(text, start + length);
    struct excerpt part = excerpt_around(total, from, to - from, room_behind(writer, first));
    from = from < part.from ? part.from : from > part.to ? part.to : from;
    to = to > part.to ? part.to : to < from ? from : to;
    strbuf_adds(writer->out, first);
    strbuf_adds(writer->out, part.from > 0 ? EXCERPT_MARK : "");
    add_columns(writer, STYLE_NONE, &safe, part.from, from);
    add_columns(writer, STYLE_STRONG, &safe, from, to);
    add_columns(writer, STYLE_NONE, &safe, to, part.to);
    strbuf_adds(writer->out, part.to < total ? EXCERPT_MARK : "");
    strbuf_addc(writer->out, '\n');
    if (!strbuf_ok(&safe))
        writer->out->failed = true;
}

void textw_prose(const struct text_writer *writer, const char *label, const char *text)
{
    struct prose prose = {.rest = text};
    struct prose_line line;
    char first[64];
    int indent = (int)strlen(label);
    for (bool is_first = true; prose_next(&prose, &line); is_first = false) {
        char marker[16] = "";
        if (line.kind == PROSE_BLANK) {
            strbuf_addc(writer->out, '\n');
            continue;
        }
        if (line.kind == PROSE_BULLET || line.kind == PROSE_CODE || line.continues)
            snprintf(marker, sizeof marker, "%s", line.kind == PROSE_BULLET ? "- " : "  ");
        else if (line.kind == PROSE_NUMBER)
            snprintf(marker, sizeof marker, "%d. ", line.number);
        snprintf(first, sizeof first, "%*s%s", indent, is_first ? label : "", marker);
        textw_wrapped(writer, STYLE_NONE, first, line.text, line.length);
    }
}
