/* SPDX-License-Identifier: LGPL-2.1-only */
#include "common/escape.h"

unsigned escape_utf8_length(const char *text, size_t length, unsigned *ret)
{
    const unsigned char *b = (const unsigned char *)text;
    unsigned need, point, lowest;
    if (length == 0)
        return 0;
    if (b[0] < 0x80) {
        *ret = b[0];
        return 1;
    }
    if (b[0] >= 0xc2 && b[0] <= 0xdf)
        need = 2, point = b[0] & 0x1f, lowest = 0x80;
    else if ((b[0] & 0xf0) == 0xe0)
        need = 3, point = b[0] & 0x0f, lowest = 0x800;
    else if (b[0] >= 0xf0 && b[0] <= 0xf4)
        need = 4, point = b[0] & 0x07, lowest = 0x10000;
    else
        return 0;
    if (length < need)
        return 0;
    for (unsigned i = 1; i < need; i++) {
        if ((b[i] & 0xc0) != 0x80)
            return 0;
        point = point << 6 | (b[i] & 0x3f);
    }
    if (point < lowest || point > 0x10ffff || (point >= 0xd800 && point <= 0xdfff))
        return 0;
    *ret = point;
    return need;
}

bool escape_is_dangerous(unsigned point)
{
    return point < 0x20 || (point >= 0x7f && point <= 0x9f) ||
           (point >= 0x202a && point <= 0x202e) || (point >= 0x2066 && point <= 0x2069) ||
           point == 0x061c || point == 0x200e || point == 0x200f || point == 0x2028 ||
           point == 0x2029 || point == 0xfeff;
}

static void add_hex(struct strbuf *out, const char *bytes, size_t length)
{
    for (size_t i = 0; i < length; i++)
        strbuf_addf(out, "\\x%02x", (unsigned char)bytes[i]);
}

void escape_terminal(struct strbuf *out, const char *text, size_t length, bool multiline)
{
    for (size_t i = 0; i < length;) {
        unsigned point;
        unsigned n = escape_utf8_length(text + i, length - i, &point);
        if (n == 1 && multiline && (point == '\n' || point == '\t'))
            strbuf_addc(out, (char)point);
        else if (n == 0 || escape_is_dangerous(point))
            add_hex(out, text + i, n ? n : 1);
        else
            strbuf_add(out, text + i, n);
        i += n ? n : 1;
    }
}

/* Code points that are no characters: XML forbids two of them, HTML warns of all. */
static bool is_noncharacter(unsigned point)
{
    return (point & 0xfffe) == 0xfffe || (point >= 0xfdd0 && point <= 0xfdef);
}

void escape_markup(struct strbuf *out, const char *text, size_t length)
{
    for (size_t i = 0; i < length;) {
        unsigned point;
        unsigned n = escape_utf8_length(text + i, length - i, &point);
        const char *entity = NULL;
        if (n == 1)
            entity = point == '&'    ? "&amp;"
                     : point == '<'  ? "&lt;"
                     : point == '>'  ? "&gt;"
                     : point == '"'  ? "&quot;"
                     : point == '\'' ? "&#39;"
                                     : NULL;
        if (entity)
            strbuf_adds(out, entity);
        else if (n == 1 && (point == '\n' || point == '\t'))
            strbuf_addc(out, (char)point);
        else if (n == 0 || escape_is_dangerous(point) || is_noncharacter(point))
            add_hex(out, text + i, n ? n : 1);
        else
            strbuf_add(out, text + i, n);
        i += n ? n : 1;
    }
}

void escape_shell(struct strbuf *out, const char *word)
{
    static const char safe[] =
        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-/+=:,@%";
    if (*word && !word[strspn(word, safe)]) {
        strbuf_adds(out, word);
        return;
    }
    strbuf_addc(out, '\'');
    for (; *word; word++)
        if (*word == '\'')
            strbuf_adds(out, "'\\''");
        else
            strbuf_addc(out, *word);
    strbuf_addc(out, '\'');
}

void escape_utf8(struct strbuf *out, const char *text, size_t length)
{
    for (size_t i = 0; i < length;) {
        unsigned point;
        unsigned n = escape_utf8_length(text + i, length - i, &point);
        if (n == 0)
            strbuf_adds(out, "\xef\xbf\xbd");
        else
            strbuf_add(out, text + i, n);
        i += n ? n : 1;
    }
}
