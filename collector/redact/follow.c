/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * A stream gives no look ahead, so whether the lines to come really are the value is judged one by
 * one; in doubt the first that looks like something else ends it. What could go on without end is
 * bounded, for a quote that is never closed must not cost the rest of a log.
 */
#include "collector/redact/follow.h"

#include <ctype.h>
#include <string.h>

#include "collector/redact/quoting.h"

#define MAX_BLOCK_LINES  400 /* a private key in a block of YAML */
#define MAX_STRING_LINES 8
#define MAX_HERE_LINES   64
#define MIN_ANSWER       4 /* bytes of Base64 */

static const char *skip_blanks(const char *p, const char *end)
{
    while (p < end && (*p == ' ' || *p == '\t'))
        p++;
    return p;
}

static const char *trimmed_end(const char *from, const char *end)
{
    while (end > from && isspace((unsigned char)end[-1]))
        end--;
    return end;
}

static size_t indent_of(const struct passage *line)
{
    return (size_t)(skip_blanks(line->begin, line->end) - line->begin);
}

static struct follow begin(enum follow_kind kind, const struct passage *line)
{
    return (struct follow){.kind = kind, .indent = indent_of(line)};
}

/* "|", ">-", "|2", "!vault |": what opens a block of YAML. */
static bool opens_block(const char *from, const char *to)
{
    if (from < to && *from == '!')
        while (from < to && !isblank((unsigned char)*from))
            from++;
    from = skip_blanks(from, to);
    if (from == to || (*from != '|' && *from != '>'))
        return false;
    for (from++; from < to; from++)
        if (!isdigit((unsigned char)*from) && *from != '-' && *from != '+')
            return false;
    return true;
}

/* Whether the quote before `from` is not closed: what was found reaches to the end of the line. */
static char open_quote_of(const struct passage *line, const struct finding *found)
{
    char quote = found->from > line->begin ? found->from[-1] : '\0';
    if (quote != '"' && quote != '\'')
        return '\0';
    bool open = false;
    for (const char *q = line->begin; q < found->from; q++)
        open ^= *q == quote;
    const char *p = memchr(found->from, quote, (size_t)(line->end - found->from));
    return p || !open || (found->from - line->begin > 1 && found->from[-2] == '\\') ? '\0' : quote;
}

void follow_after(struct follow *follow, const struct passage *line, struct finding *found)
{
    const char *end = trimmed_end(line->begin, line->end);
    if (found->to < end && !(end[-1] == '\\' && found->to + 1 == end))
        return;
    size_t length = (size_t)(found->to - found->from);
    char quote = open_quote_of(line, found);
    if (opens_block(found->from, found->to)) {
        *follow = begin(FOLLOW_BLOCK, line);
        found->to = found->from;
    } else if (length == 1 && (*found->from == '[' || *found->from == '(')) {
        *follow = begin(FOLLOW_LIST, line);
        found->to = found->from;
    } else if (length == 1 && *found->from == '\\') {
        *follow = begin(FOLLOW_CONTINUED, line);
        found->to = found->from;
    } else if (quote) {
        *follow = begin(FOLLOW_STRING, line);
        follow->quote = quote;
    } else if (end[-1] == '\\') {
        *follow = begin(FOLLOW_CONTINUED, line);
    }
}

bool follow_begin(struct follow *follow, const struct passage *line, const char *at)
{
    const char *end = trimmed_end(line->begin, line->end);
    if (end == line->begin || !strchr(":=>", end[-1]))
        return false;
    struct passage trimmed = {.begin = line->begin, .end = end};
    struct announcement name;
    if (!detect_announcement(&trimmed, at, &name) || name.end != end)
        return false;
    *follow = begin(name.element ? FOLLOW_TEXT : FOLLOW_VALUE, line);
    follow->quoted = name.quoted;
    return true;
}

/* A line that begins with a date is another record of a log. */
static bool begins_record(const struct passage *line)
{
    const char *p = line->begin;
    if (line->end - p < 8)
        return false;
    bool month = isupper((unsigned char)p[0]) && islower((unsigned char)p[1]) &&
                 islower((unsigned char)p[2]) && p[3] == ' ' &&
                 (p[4] == ' ' || isdigit((unsigned char)p[4]));
    bool year = isdigit((unsigned char)p[0]) && isdigit((unsigned char)p[1]) &&
                isdigit((unsigned char)p[2]) && isdigit((unsigned char)p[3]) && p[4] == '-';
    return month || year || *p == '[';
}

static bool set(const char *from, const char *to, struct finding *ret)
{
    *ret = (struct finding){from, to};
    return to > from;
}

/* A string in quotes, or one word that is not a name with a value of its own. */
static bool string_or_word(const char *from, const char *end, struct finding *ret)
{
    if (from < end && (*from == '"' || *from == '\'')) {
        struct quote quote;
        struct quoted text;
        if (quote_open(&from, end, &quote) && quote_close(from, end, &quote, &text))
            end = text.text + text.length;
        return set(from, end, ret);
    }
    for (const char *p = from; p < end; p++)
        if (isblank((unsigned char)*p) || (p + 1 == end && strchr(":{[(", *p)))
            return false;
    return set(from, end, ret);
}

/* "list: |" below "chpasswd:". */
static bool opens_nested_block(const char *from, const char *end)
{
    const char *colon = memrchr(from, ':', (size_t)(end - from));
    return colon && opens_block(skip_blanks(colon + 1, end), end);
}

/* "list:" below "chpasswd:", and then its items. */
static bool is_list_name(const char *from, const char *end)
{
    static const char list[] = "list:";
    return (size_t)(end - from) == sizeof list - 1 && memcmp(from, list, sizeof list - 1) == 0;
}

static bool value_line(struct follow *follow, const struct passage *line, struct finding *ret)
{
    const char *from = skip_blanks(line->begin, line->end);
    const char *end = trimmed_end(from, line->end);
    bool string = from < end && (*from == '"' || *from == '\'');
    bool item = end - from > 2 && from[0] == '-' && from[1] == ' ';
    size_t indent = (size_t)(from - line->begin);
    bool below =
        indent > follow->indent || (item && indent == follow->indent) || (follow->quoted && string);
    if (below && opens_nested_block(from, end)) {
        *follow = begin(FOLLOW_BLOCK, line);
        return false;
    }
    if (below && is_list_name(from, end)) {
        follow->indent = indent;
        return false;
    }
    if (!below || !string_or_word(item ? skip_blanks(from + 1, end) : from, end, ret)) {
        follow->kind = FOLLOW_NOTHING;
        return false;
    }
    if (!item)
        follow->kind = FOLLOW_NOTHING;
    return true;
}

static bool list_line(struct follow *follow, const struct passage *line, struct finding *ret)
{
    const char *from = skip_blanks(line->begin, line->end);
    const char *end = trimmed_end(from, line->end);
    if (end > from && end[-1] == ',')
        end--;
    if (from == end || strchr("])}{", *from) || !string_or_word(from, end, ret)) {
        follow->kind = FOLLOW_NOTHING;
        return false;
    }
    return true;
}

static bool block_line(struct follow *follow, const struct passage *line, struct finding *ret)
{
    const char *from = skip_blanks(line->begin, line->end);
    const char *end = trimmed_end(from, line->end);
    if (from < end && (size_t)(from - line->begin) <= follow->indent)
        follow->kind = FOLLOW_NOTHING;
    return follow->kind && set(from, end, ret);
}

static bool string_line(struct follow *follow, const struct passage *line, struct finding *ret)
{
    if (begins_record(line)) {
        follow->kind = FOLLOW_NOTHING;
        return false;
    }
    const char *quote = memchr(line->begin, follow->quote, (size_t)(line->end - line->begin));
    if (quote)
        follow->kind = FOLLOW_NOTHING;
    return set(line->begin, quote ? quote : trimmed_end(line->begin, line->end), ret);
}

static bool continued_line(struct follow *follow, const struct passage *line, struct finding *ret)
{
    const char *from = skip_blanks(line->begin, line->end);
    const char *end = trimmed_end(from, line->end);
    if (end > from && end[-1] == '\\')
        end--;
    else
        follow->kind = FOLLOW_NOTHING;
    return set(from, trimmed_end(from, end), ret);
}

/* The opening tags that stand before the text (<value><string>) are none of it. */
static bool text_line(struct follow *follow, const struct passage *line, struct finding *ret)
{
    const char *from = skip_blanks(line->begin, line->end);
    const char *end = trimmed_end(from, line->end);
    while (end - from > 1 && *from == '<' && from[1] != '/') {
        const char *tag = memchr(from, '>', (size_t)(end - from));
        if (!tag)
            break;
        from = tag + 1;
    }
    const char *closing = memmem(from, (size_t)(end - from), "</", 2);
    if (closing)
        follow->kind = FOLLOW_NOTHING;
    return set(from, closing ? closing : end, ret);
}

bool follow_here(struct follow *follow, const struct passage *line, const char *at)
{
    struct finding word;
    if (!detect_here_word(line, at, &word) || (size_t)(word.to - word.from) >= sizeof follow->word)
        return false;
    *follow = begin(FOLLOW_HERE, line);
    memcpy(follow->word, word.from, (size_t)(word.to - word.from));
    return true;
}

bool follow_answer(struct follow *follow, const struct passage *line, const char *at)
{
    if (!detect_login_begins(line, at))
        return false;
    *follow = begin(FOLLOW_ANSWER, line);
    return true;
}

static bool here_line(struct follow *follow, const struct passage *line, struct finding *ret)
{
    const char *from = skip_blanks(line->begin, line->end), *end = trimmed_end(from, line->end);
    size_t n = strlen(follow->word);
    bool closed = (size_t)(end - from) >= n && memcmp(end - n, follow->word, n) == 0 &&
                  ((size_t)(end - from) == n || isblank((unsigned char)end[-1 - (long)n]));
    if (closed || begins_record(line))
        follow->kind = FOLLOW_NOTHING;
    return follow->kind && set(from, end, ret);
}

static bool is_base64_byte(char c)
{
    return isalnum((unsigned char)c) || c == '+' || c == '/' || c == '=';
}

/* The last word, when nothing but a mark stands before it. What the server says is passed. */
static bool answer_line(struct follow *follow, const struct passage *line, struct finding *ret)
{
    const char *end = trimmed_end(line->begin, line->end), *word = end;
    while (word > line->begin && is_base64_byte(word[-1]))
        word--;
    const char *before = trimmed_end(line->begin, word);
    bool marked = before == line->begin || strchr(">:]", before[-1]);
    bool answer = marked && end - word >= MIN_ANSWER && (end - word) % 4 == 0;
    if (!answer && !memmem(line->begin, (size_t)(end - line->begin), "334", 3))
        follow->kind = FOLLOW_NOTHING;
    return answer && set(word, end, ret);
}

bool follow_line(struct follow *follow, const struct passage *line, struct finding *ret)
{
    bool many = follow->kind == FOLLOW_BLOCK || follow->kind == FOLLOW_LIST;
    bool found = false;
    unsigned limit = many                          ? MAX_BLOCK_LINES
                     : follow->kind == FOLLOW_HERE ? MAX_HERE_LINES
                                                   : MAX_STRING_LINES;
    if (++follow->lines > limit) {
        follow->kind = FOLLOW_NOTHING;
        return false;
    }
    switch (follow->kind) {
    case FOLLOW_NOTHING:
        break;
    case FOLLOW_VALUE:
        found = value_line(follow, line, ret);
        break;
    case FOLLOW_LIST:
        found = list_line(follow, line, ret);
        break;
    case FOLLOW_BLOCK:
        found = block_line(follow, line, ret);
        break;
    case FOLLOW_STRING:
        found = string_line(follow, line, ret);
        break;
    case FOLLOW_CONTINUED:
        found = continued_line(follow, line, ret);
        break;
    case FOLLOW_TEXT:
        found = text_line(follow, line, ret);
        break;
    case FOLLOW_HERE:
        found = here_line(follow, line, ret);
        break;
    case FOLLOW_ANSWER:
        found = answer_line(follow, line, ret);
        break;
    }
    return found;
}
