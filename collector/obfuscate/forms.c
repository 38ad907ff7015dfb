/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * A form is a row of a table: what becomes of a blank, of XML's special characters, of quotes and
 * backslashes, of what is not ASCII.
 */
#include "collector/obfuscate/forms.h"

#include "common/escape.h"

enum foreign {
    FOREIGN_KEPT,
    FOREIGN_JSON,
    FOREIGN_DECIMAL,
    FOREIGN_HEX,
    FOREIGN_PERCENT,
    FOREIGN_ENTITY,
    FOREIGN_HEX_ENTITY
};

#define BASE64_FORM (FORM_COUNT - 1)
#define MIN_BASE64  5 /* bytes of a name: a shorter one's Base64 could be any word */

struct form {
    const char *blank;
    bool xml;       /* entities */
    bool backslash; /* before quotes and backslashes */
    bool percent;   /* %% for a percent sign (XAPI) */
    enum foreign foreign;
    bool url; /* everything unusual as %XX */
};

static const struct form forms[BASE64_FORM] = {
    {" ", .xml = true},
    {"%.", .percent = true},
    {"%.", .percent = true, .xml = true},
    {"%.", .percent = true, .xml = true, .backslash = true},
    {" ", .backslash = true},
    {" ", .backslash = true, .foreign = FOREIGN_JSON},
    {" ", .backslash = true, .foreign = FOREIGN_DECIMAL},
    {"\\x20", .backslash = true, .foreign = FOREIGN_HEX},
    {"%20", .url = true, .foreign = FOREIGN_PERCENT},
    {"\\040", .xml = false},
    {"_", .xml = false},
    {"&#32;", .foreign = FOREIGN_ENTITY},
    {"&#x20;", .foreign = FOREIGN_HEX_ENTITY},
};

static void write_entity(unsigned char c, struct strbuf *out)
{
    strbuf_adds(out, c == '&'   ? "&amp;"
                     : c == '<' ? "&lt;"
                     : c == '>' ? "&gt;"
                     : c == '"' ? "&quot;"
                                : "&apos;");
}

static void write_ascii(const struct form *form, unsigned char c, struct strbuf *out)
{
    bool usual =
        (c >= '0' && c <= '9') || ((c | 0x20) >= 'a' && (c | 0x20) <= 'z') || memchr("-._~", c, 4);
    bool quoted = form->backslash && (c == '"' || c == '\'' || c == '\\');
    if (quoted)
        strbuf_addc(out, '\\');
    bool entity = form->foreign == FOREIGN_ENTITY || form->foreign == FOREIGN_HEX_ENTITY;
    if (c == ' ')
        strbuf_adds(out, form->blank);
    else if (entity && !usual)
        strbuf_addf(out, form->foreign == FOREIGN_ENTITY ? "&#%u;" : "&#x%x;", c);
    else if (c < ' ' && (form->percent || form->backslash) && memchr("\n\t\r", c, 3))
        strbuf_addf(out, "%c%c", form->percent ? '%' : '\\',
                    c == '\n'   ? 'n'
                    : c == '\t' ? 't'
                                : 'r');
    else if (form->xml && memchr("&<>\"'", c, 5))
        write_entity(c, out);
    else if (form->percent && c == '%')
        strbuf_adds(out, "%%");
    else if (form->url && !usual)
        strbuf_addf(out, "%%%02X", c);
    else
        strbuf_addc(out, (char)c);
}

static void write_foreign(const struct form *form, const char *bytes, size_t n, unsigned point,
                          struct strbuf *out)
{
    if (form->foreign == FOREIGN_KEPT) {
        strbuf_add(out, bytes, n);
        return;
    }
    if (form->foreign == FOREIGN_ENTITY || form->foreign == FOREIGN_HEX_ENTITY)
        strbuf_addf(out, form->foreign == FOREIGN_ENTITY ? "&#%u;" : "&#x%x;", point);
    else if (form->foreign == FOREIGN_JSON && point > 0xffff)
        strbuf_addf(out, "\\u%04x\\u%04x", 0xd800 + ((point - 0x10000) >> 10),
                    0xdc00 + ((point - 0x10000) & 0x3ff));
    else if (form->foreign == FOREIGN_JSON)
        strbuf_addf(out, "\\u%04x", point);
    else
        for (size_t i = 0; i < n; i++)
            strbuf_addf(out,
                        form->foreign == FOREIGN_DECIMAL ? "\\%03u"
                        : form->foreign == FOREIGN_HEX   ? "\\x%02x"
                                                         : "%%%02X",
                        (unsigned char)bytes[i]);
}

/* Without the equal signs at its end, which belong to no word. */
static bool write_base64(const char *name, size_t length, struct strbuf *out)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    unsigned bits = 0, count = 0;
    for (size_t i = 0; i < length; i++) {
        bits = bits << 8 | (unsigned char)name[i];
        for (count += 8; count >= 6; count -= 6)
            strbuf_addc(out, digits[bits >> (count - 6) & 63]);
    }
    if (count)
        strbuf_addc(out, digits[bits << (6 - count) & 63]);
    return length >= MIN_BASE64;
}

bool form_write(int number, const char *name, size_t length, struct strbuf *out)
{
    if (number == BASE64_FORM)
        return write_base64(name, length, out);
    const struct form *form = &forms[number];
    size_t begin = out->length;
    for (size_t i = 0; i < length;) {
        unsigned point = (unsigned char)name[i];
        unsigned n = escape_utf8_length(name + i, length - i, &point);
        n = n ? n : 1;
        if ((unsigned char)name[i] < 0x80)
            write_ascii(form, (unsigned char)name[i], out);
        else
            write_foreign(form, name + i, n, point, out);
        i += n;
    }
    return out->length - begin != length || memcmp(out->data + begin, name, length) != 0;
}
