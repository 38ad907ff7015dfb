/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * Lines of a key are of one length, some 64 bytes, but for the last one, and for the first one of
 * the stream, which may be cut. In a log something stands before each; its last word counts then.
 */
#include "collector/redact/headless.h"

#include <ctype.h>
#include <string.h>

#define MAX_LINES 400 /* 16384 bits take some 200 */
#define MAX_LINE  512 /* bytes of a line: a key's, and what a log puts in front */
#define MIN_WORD  40  /* bytes of Base64 in a line that is not the last one */
#define MAX_WORD  80

enum verdict { UNKNOWN, NO_KEY, A_KEY };

static bool is_key_byte(char c)
{
    return isalnum((unsigned char)c) || c == '+' || c == '/' || c == '=';
}

/* "-----END RSA PRIVATE KEY-----" in the line, or NULL. */
static const char *find_end_marker(const char *from, const char *to)
{
    static const char marker[] = "-----END ", kind[] = "PRIVATE KEY-----";
    const char *end = memmem(from, (size_t)(to - from), marker, sizeof marker - 1);
    return end && memmem(end, (size_t)(to - end), kind, sizeof kind - 1) ? end : NULL;
}

/* Length of the last word when it is Base64, else 0. */
static size_t last_word(const char *from, const char *to)
{
    while (to > from && isspace((unsigned char)to[-1]))
        to--;
    const char *word = to;
    while (word > from && is_key_byte(word[-1]))
        word--;
    bool alone = word == from || isspace((unsigned char)word[-1]);
    return alone && to - word <= MAX_WORD ? (size_t)(to - word) : 0;
}

static enum verdict judge_line(struct headless *h, const char *from, const char *to)
{
    if (to - from > MAX_LINE || memchr(from, '\0', (size_t)(to - from)))
        return NO_KEY;
    if (find_end_marker(from, to))
        return A_KEY;
    size_t length = last_word(from, to);
    if (length == 0 || h->short_line || ++h->lines > MAX_LINES)
        return NO_KEY;
    h->short_line = h->lines > 1 && length < MIN_WORD;
    return UNKNOWN;
}

/* Judges the whole lines that have come, and at the stream's end the rest as well. */
static enum verdict judge(struct headless *h, bool last)
{
    const char *text = h->held.data, *end = text + h->held.length;
    enum verdict verdict = UNKNOWN;
    while (verdict == UNKNOWN && h->judged < h->held.length) {
        const char *from = text + h->judged;
        const char *newline = memchr(from, '\n', (size_t)(end - from));
        if (!newline && !last)
            return end - from > MAX_LINE ? NO_KEY : UNKNOWN;
        verdict = judge_line(h, from, newline ? newline : end);
        if (verdict != A_KEY)
            h->judged = newline ? (size_t)(newline + 1 - text) : h->held.length;
    }
    return verdict == UNKNOWN && last ? NO_KEY : verdict;
}

static bool is_bare(const char *from, const char *to)
{
    while (from < to && is_key_byte(*from))
        from++;
    while (from < to && isspace((unsigned char)*from))
        from++;
    return from == to;
}

/* Where the key begins in front of the line with the end marker, which begins at `line`. */
static const char *key_begin(const char *text, const char *line, const char *marker)
{
    const char *first_end = memchr(text, '\n', (size_t)(marker - text));
    if (!first_end) { /* all is on one line */
        const char *from = marker;
        while (from > text && (is_key_byte(from[-1]) || from[-1] == '\\'))
            from--;
        return from;
    }
    bool same_form = is_bare(text, first_end) == (line == marker);
    return same_form ? text : first_end + 1;
}

static void remove_key(struct headless *h, int64_t *replaced)
{
    const char *text = h->held.data, *end = text + h->held.length, *line = text + h->judged;
    const char *newline = memchr(line, '\n', (size_t)(end - line));
    const char *marker = find_end_marker(line, newline ? newline : end);
    const char *from = key_begin(text, line, marker), *to = line > text ? line : marker;
    if (to <= from)
        return;
    struct strbuf out = STRBUF_INIT;
    strbuf_add(&out, text, (size_t)(from - text));
    strbuf_adds(&out, line > text ? REMOVED "\n" : REMOVED);
    strbuf_add(&out, to, (size_t)(end - to));
    strbuf_release(&h->held);
    h->held = out;
    ++*replaced;
}

static bool decide(struct headless *h, bool last, int64_t *replaced)
{
    enum verdict verdict = judge(h, last);
    if (verdict == A_KEY)
        remove_key(h, replaced);
    h->over = verdict != UNKNOWN;
    return h->over;
}

bool headless_take(struct headless *h, const char *bytes, size_t length, int64_t *replaced)
{
    strbuf_add(&h->held, bytes, length);
    return !strbuf_ok(&h->held) || decide(h, false, replaced);
}

void headless_finish(struct headless *h, int64_t *replaced)
{
    if (strbuf_ok(&h->held))
        decide(h, true, replaced);
    h->over = true;
}
