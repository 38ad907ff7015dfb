/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * Line by line, so that text and HTML can each do with it what they do best.
 */
#include "analyzer/render/prose.h"

#include <ctype.h>

#define CODE_INDENT 4

static bool is_blank(const char *line, size_t length)
{
    for (size_t i = 0; i < length; i++)
        if (!isspace((unsigned char)line[i]))
            return false;
    return true;
}

/* Length of "- ", "* " or "12. " in front of an item, 0 if there is none. */
static size_t marker_length(const char *line, size_t length, struct prose_line *ret)
{
    if (length > 2 && (line[0] == '-' || line[0] == '*') && line[1] == ' ') {
        ret->kind = PROSE_BULLET;
        return 2;
    }
    size_t digits = 0;
    int number = 0;
    for (; digits < length && digits < 2 && isdigit((unsigned char)line[digits]); digits++)
        number = number * 10 + (line[digits] - '0');
    if (digits == 0 || digits + 2 >= length || line[digits + 1] != ' ' ||
        (line[digits] != '.' && line[digits] != ')'))
        return 0;
    ret->kind = PROSE_NUMBER;
    ret->number = number;
    return digits + 2;
}

static void classify(struct prose *prose, const char *line, size_t length, struct prose_line *ret)
{
    size_t indent = 0;
    while (indent < length && line[indent] == ' ')
        indent++;
    *ret = (struct prose_line){.text = line + indent, .length = length - indent};
    if (is_blank(line, length)) {
        ret->kind = PROSE_BLANK;
        prose->in_list = false;
        return;
    }
    size_t marker = indent < CODE_INDENT ? marker_length(ret->text, ret->length, ret) : 0;
    if (marker > 0) {
        ret->text += marker;
        ret->length -= marker;
        prose->in_list = true;
        return;
    }
    ret->continues = prose->in_list && indent > 0;
    if (indent >= CODE_INDENT && !ret->continues)
        ret->kind = PROSE_CODE;
    if (indent == 0)
        prose->in_list = false;
}

bool prose_next(struct prose *prose, struct prose_line *ret)
{
    while (prose->rest && !is_blank(prose->rest, strlen(prose->rest))) {
        const char *end = strchrnul(prose->rest, '\n');
        classify(prose, prose->rest, (size_t)(end - prose->rest), ret);
        prose->rest = *end ? end + 1 : end;
        if (prose->has_begun || ret->kind != PROSE_BLANK) {
            prose->has_begun = true;
            return true;
        }
    }
    return false;
}

bool prose_span_next(const char **rest, const char *end, struct prose_span *ret)
{
    const char *text = *rest;
    const char *open = memchr(text, '`', (size_t)(end - text));
    const char *close = open ? memchr(open + 1, '`', (size_t)(end - open - 1)) : NULL;
    bool has_code = close && close > open + 1;
    if (text == end)
        return false;
    if (has_code && open == text) {
        *ret = (struct prose_span){true, open + 1, (size_t)(close - open - 1)};
        *rest = close + 1;
    } else {
        *rest = has_code ? open : end;
        *ret = (struct prose_span){false, text, (size_t)(*rest - text)};
    }
    return true;
}
