/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * Only begins of words are looked at. An escape in front hides one: in "\nhost7" the word is host7.
 * So behind a backslash or a percent sign the places are tried too where an escape may end.
 *
 * Labels in front of a domain are found looking back, so what was passed is put out late.
 */
#include "collector/obfuscate/scan.h"

#define AHEAD     (NAME_FORM_MAX + RECOGNISE_BEHIND) /* needed behind a place to judge it */
#define BACK      256 /* kept back from the output: three labels of a host's name */
#define HISTORY   64  /* kept for looking at: RECOGNISE_BEFORE */
#define PIECE     ((size_t)64 * 1024)
#define MAX_LABEL 63
#define MAX_WORD  NAME_FORM_MAX /* a longer word is no name: base64, say */

_Static_assert(SCAN_REPLACEMENT >= RECOGNISE_TEXT, "the longest form has room");
_Static_assert(HISTORY >= RECOGNISE_BEFORE, "addresses are judged by what is in front of them");

void scanner_init(struct scanner *s)
{
    s->input = s->output = (struct strbuf)STRBUF_INIT;
    s->from = s->at = 0;
    s->in_word = false;
}

void scanner_release(struct scanner *s)
{
    strbuf_release(&s->input);
    strbuf_release(&s->output);
}

static void put_out(struct scanner *s, size_t until)
{
    if (s->sink && until > s->from)
        strbuf_add(&s->output, s->input.data + s->from, until - s->from);
    s->from = until > s->from ? until : s->from;
}

static void replace(struct scanner *s, size_t begin, size_t end, const struct match *match)
{
    char text[SCAN_REPLACEMENT];
    size_t length = s->visit(s->visit_context, match, text);
    if (length == SCAN_KEEP)
        return;
    put_out(s, begin);
    if (s->sink)
        strbuf_add(&s->output, text, length);
    s->from = end;
}

static bool is_label(unsigned char c)
{
    return (c < 0x80 && names_is_word(c)) || c == '-' || c == '_';
}

/* The labels in "host.sub.example.com" when example.com was found at `at`. */
static void replace_labels(struct scanner *s, size_t at)
{
    const char *text = s->input.data;
    size_t begins[3], ends[3], count = 0;
    while (count < ARRAY_SIZE(begins) && at > s->from + 1 && text[at - 1] == '.') {
        size_t end = at - 1, begin = end;
        while (begin > s->from && end - begin < MAX_LABEL &&
               is_label((unsigned char)text[begin - 1]))
            begin--;
        if (begin == end)
            break;
        begins[count] = begin;
        ends[count++] = end;
        at = begin;
    }
    while (count-- > 0) {
        const struct match match = {.kind = MATCH_LABEL,
                                    .text = text + begins[count],
                                    .length = ends[count] - begins[count]};
        replace(s, begins[count], ends[count], &match);
    }
}

/* In "web 10.0.0.1" there is no "web 10". */
static bool ends_in_address(const struct scanner *s, size_t end)
{
    const char *text = s->input.data;
    struct found_address address;
    size_t begin = end;
    while (begin > 0 && text[begin - 1] >= '0' && text[begin - 1] <= '9')
        begin--;
    return begin < end && begin > 0 && !names_is_word((unsigned char)text[begin - 1]) &&
           recognise_address(text, s->input.length, begin, s->versions_only, &address);
}

/* What begins at `at` is replaced; returns where it ends, or 0. */
static size_t try_at(struct scanner *s, size_t at, size_t word_end)
{
    const char *text = s->input.data;
    struct found_address address;
    if (recognise_address(text, s->input.length, at, s->versions_only, &address)) {
        const struct match match = {.kind = MATCH_ADDRESS, .address = &address};
        replace(s, at, at + address.length, &match);
        return at + address.length;
    }
    struct name_match found;
    if (!names_match(s->names, text, s->input.length, at, word_end, &found) ||
        at - found.lead < s->from || ends_in_address(s, at + found.length))
        return 0;
    if (found.name->class == NAME_DOMAIN)
        replace_labels(s, at - found.lead);
    const struct match match = {.kind = MATCH_NAME, .name = found.name};
    replace(s, at - found.lead, at + found.length, &match);
    return at + found.length;
}

static bool is_digits(const char *text, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (!((text[i] >= '0' && text[i] <= '9') ||
              ((text[i] | 0x20) >= 'a' && (text[i] | 0x20) <= 'f')))
            return false;
    return true;
}

/* How much of the word behind a backslash, percent sign or bracket may be an escape. */
static size_t escapes(const char *text, size_t at, size_t end, size_t ret[3])
{
    size_t n = 0, length = end - at;
    char mark = text[at - 1];
    if (mark == '\\' && length > 5 && text[at] == 'u' && is_digits(text + at + 1, 4))
        ret[n++] = 5;
    if (mark == '\\' && length > 3 && is_digits(text + at + 1, 2))
        ret[n++] = 3; /* \x20, \040 */
    if (mark == '%' && length > 2 && is_digits(text + at, 2))
        ret[n++] = 2;
    if ((mark == '\\' || mark == '%') && length > 1 && memchr("nrtbfav_", text[at], 8))
        ret[n++] = 1;
    if (mark == '[' && at > 1 && text[at - 2] == '\033')
        for (size_t i = 0; i < 3 && i + 1 < length; i++)
            if (text[at + i] == 'm')
                ret[n++] = i + 1;
    return n;
}

static size_t try_word(struct scanner *s, size_t at, size_t end)
{
    size_t done = try_at(s, at, end), skips[3];
    char mark = at > 0 ? s->input.data[at - 1] : ' ';
    if (done || (mark != '\\' && mark != '%' && mark != '['))
        return done;
    size_t count = escapes(s->input.data, at, end, skips);
    for (size_t i = 0; !done && i < count && i < ARRAY_SIZE(skips); i++)
        done = try_at(s, at + skips[i], end);
    return done;
}

/* Punctuation and line drawings in UTF-8; the text ends with a NUL. */
static size_t symbol_length(const unsigned char *text)
{
    return text[1] < 0x80 || text[1] >= 0xc0 ? 1 : text[2] < 0x80 || text[2] >= 0xc0 ? 2 : 3;
}

/* Looks at all places before `limit`. */
static void scan(struct scanner *s, size_t limit)
{
    const unsigned char *word = names_word_bytes;
    const unsigned char *text = (const unsigned char *)s->input.data;
    size_t length = s->input.length, at = s->at;
    while (at < limit) {
        if (s->in_word) {
            while (at < limit && word[text[at]])
                at++;
            s->in_word = at == limit;
            continue;
        }
        while (at < limit && !word[text[at]])
            at += text[at] == 0xe2 ? symbol_length(text + at) : 1;
        if (at >= limit)
            break;
        size_t end = at + 1, stop = length - at > MAX_WORD ? at + MAX_WORD : length;
        while (end < stop && word[text[end]])
            end++;
        size_t done = end - at < MAX_WORD ? try_word(s, at, end) : 0;
        s->in_word = !done && end - at >= MAX_WORD;
        at = done ? done : end;
    }
    s->at = at;
}

static int flush(struct scanner *s, struct err *err)
{
    if (!strbuf_ok(&s->output) || !strbuf_ok(&s->input))
        return err_nomem(err);
    int r = s->sink && s->output.length
                ? s->sink(s->sink_context, s->output.data, s->output.length, err)
                : 0;
    strbuf_clear(&s->output);
    return r;
}

/* Forgets what is put out and too far back to matter. */
static void forget(struct scanner *s)
{
    if (s->at > BACK)
        put_out(s, s->at - BACK);
    if (s->from <= HISTORY)
        return;
    size_t count = s->from - HISTORY;
    strbuf_consume(&s->input, count);
    s->from -= count;
    s->at -= count;
}

int scanner_write(struct scanner *s, const void *bytes, size_t length, struct err *err)
{
    const char *rest = bytes;
    int r = 0;
    while (r == 0 && length > 0) {
        size_t n = length < PIECE ? length : PIECE;
        strbuf_add(&s->input, rest, n);
        if (!strbuf_ok(&s->input))
            return err_nomem(err);
        if (s->input.length > AHEAD + s->at) {
            scan(s, s->input.length - AHEAD);
            forget(s);
            r = flush(s, err);
        }
        rest += n;
        length -= n;
    }
    return r;
}

int scanner_finish(struct scanner *s, struct err *err)
{
    scan(s, s->input.length);
    put_out(s, s->input.length);
    return flush(s, err);
}
