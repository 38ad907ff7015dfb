/* SPDX-License-Identifier: LGPL-2.1-only */
#include "analyzer/render/html.h"

#include "analyzer/render/prose.h"
#include "analyzer/verdict/excerpt.h"
#include "common/escape.h"

void html_text(struct strbuf *out, const char *text)
{
    escape_markup(out, text, strlen(text));
}

void html_texts(struct strbuf *out, const char *const *texts, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        strbuf_adds(out, i ? ", " : "");
        html_text(out, texts[i]);
    }
}

void html_cut(struct strbuf *out, const char *text, size_t limit)
{
    html_around(out, text, 0, 0, limit);
}

void html_around(struct strbuf *out, const char *text, size_t start, size_t length, size_t limit)
{
    size_t total = strlen(text);
    struct excerpt part = excerpt_of(text, total, start, length, limit);
    size_t from = part.from, end = start + length < part.to ? start + length : part.to;
    strbuf_adds(out, from > 0 ? "<span class=\"cut\">…</span> " : "");
    if (length && from <= start && start < end) {
        escape_markup(out, text + from, start - from);
        strbuf_adds(out, "<b>");
        escape_markup(out, text + start, end - start);
        strbuf_adds(out, "</b>");
        from = end;
    }
    escape_markup(out, text + from, part.to - from);
    size_t left = total - (part.to - part.from);
    if (left)
        strbuf_addf(out, " <span class=\"cut\">… and %zu bytes more</span>", left);
}

void html_abbreviate(struct strbuf *out, const char *text, size_t characters)
{
    size_t length = 0;
    for (; text[length]; length++)
        if (((unsigned char)text[length] & 0xc0) != 0x80 && characters-- == 0)
            break;
    escape_markup(out, text, length);
    strbuf_adds(out, text[length] ? "…" : "");
}

/* Which element is open while prose is written. */
enum prose_block { BLOCK_NONE, BLOCK_PARAGRAPH, BLOCK_CODE, BLOCK_BULLETS, BLOCK_NUMBERS };

static const char *const block_ends[] = {
    [BLOCK_NONE] = "",
    [BLOCK_PARAGRAPH] = "</p>\n",
    [BLOCK_CODE] = "</pre>\n",
    [BLOCK_BULLETS] = "</li></ul>\n",
    [BLOCK_NUMBERS] = "</li></ol>\n",
};

static enum prose_block block_of(const struct prose_line *line, enum prose_block open)
{
    switch (line->kind) {
    case PROSE_BULLET:
        return BLOCK_BULLETS;
    case PROSE_NUMBER:
        return BLOCK_NUMBERS;
    case PROSE_CODE:
        return BLOCK_CODE;
    case PROSE_BLANK:
        return BLOCK_NONE;
    case PROSE_PARAGRAPH:
        break;
    }
    bool is_list = open == BLOCK_BULLETS || open == BLOCK_NUMBERS;
    return line->continues && is_list ? open : BLOCK_PARAGRAPH;
}

static void begin_line(struct strbuf *out, const struct prose_line *line, enum prose_block block,
                       bool is_new)
{
    if (line->kind == PROSE_BULLET)
        strbuf_adds(out, is_new ? "<ul><li>" : "</li><li>");
    else if (line->kind == PROSE_NUMBER)
        strbuf_addf(out, "%s<li value=\"%d\">", is_new ? "<ol>" : "</li>", line->number);
    else if (is_new)
        strbuf_adds(out, block == BLOCK_CODE ? "<pre>" : "<p>");
    else
        strbuf_adds(out, block == BLOCK_CODE ? "\n" : "<br>");
}

/* One line, in which `this` is code. A lone backtick is itself. */
static void add_line(struct strbuf *out, const char *text, size_t length)
{
    struct prose_span span;
    for (const char *rest = text; prose_span_next(&rest, text + length, &span);) {
        strbuf_adds(out, span.is_code ? "<code>" : "");
        escape_markup(out, span.text, span.length);
        strbuf_adds(out, span.is_code ? "</code>" : "");
    }
}

void html_prose(struct strbuf *out, const char *text)
{
    struct prose prose = {.rest = text};
    struct prose_line line;
    enum prose_block open = BLOCK_NONE;
    while (prose_next(&prose, &line)) {
        enum prose_block block = block_of(&line, open);
        if (block != open)
            strbuf_adds(out, block_ends[open]);
        if (block != BLOCK_NONE) {
            begin_line(out, &line, block, block != open);
            if (block == BLOCK_CODE)
                escape_markup(out, line.text, line.length);
            else
                add_line(out, line.text, line.length);
        }
        open = block;
    }
    strbuf_adds(out, block_ends[open]);
}

void html_time(struct strbuf *out, int64_t time)
{
    char machine[32], people[32];
    if (*verdict_time(time, machine))
        strbuf_addf(out, "<time datetime=\"%s\">%s</time>", machine, view_time(time, people));
}

void html_period(struct strbuf *out, int64_t first, int64_t last)
{
    char start[32], end[32];
    view_time(first, start);
    view_time(last, end);
    if (!*start || !*end || first == last) {
        html_time(out, *start ? first : last);
        return;
    }
    html_time(out, first);
    strbuf_adds(out, " – ");
    html_time(out, last);
}

void html_link(struct strbuf *out, const char *url)
{
    bool is_link = view_is_address(url);
    if (is_link) {
        strbuf_adds(out, "<a rel=\"noreferrer\" href=\"");
        html_text(out, url);
        strbuf_adds(out, "\">");
    }
    html_text(out, url);
    if (is_link)
        strbuf_adds(out, "</a>");
}

void html_badge(struct strbuf *out, enum severity severity)
{
    const char *name = severity_name(severity);
    strbuf_addf(out, "<span class=\"badge %s\">%s</span>", name, name);
}
