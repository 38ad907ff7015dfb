/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * Three things make a field secret: its place (a table of them), its name, or a pair inside its
 * value.
 */
#include "collector/redact/fields.h"

#include "collector/redact/filter.h"
#include "collector/redact/pairs.h"
#include "collector/redact/secrets.h"

struct place {
    const char *table, *field;
    const char *only_with; /* a text that must occur in the value, or NULL */
    const char *becomes;
};

static const struct place places[] = {
    {"secret", "value", NULL, REMOVED},
    {"Cluster", "cluster_token", NULL, REMOVED},
    {"VM", "NVRAM", "EFI-variables", "(('EFI-variables'%.'" REMOVED "'))"},
};

static const struct entity {
    const char *name; /* with the semicolon */
    char c;
} entities[] = {{"lt;", '<'}, {"gt;", '>'}, {"amp;", '&'}, {"quot;", '"'}, {"apos;", '\''}};

/* The character number that "#65;" or "#x41;" means, and its length; 0 when it is none. */
static size_t number_entity(const char *p, size_t length, unsigned *ret)
{
    static const char digits[] = "0123456789abcdef0123456789ABCDEF";
    bool hex = length > 1 && p[1] == 'x';
    unsigned value = 0;
    size_t start = hex ? 2 : 1, i = start;
    for (; i < length && p[i] != ';'; i++) {
        const char *digit = p[i] ? strchr(digits, p[i]) : NULL;
        unsigned n = digit ? (unsigned)((digit - digits) & 15) : 16;
        if (n >= (hex ? 16u : 10u) || value > 0x10ffff)
            return 0;
        value = value * (hex ? 16 : 10) + n;
    }
    *ret = value;
    return i < length && i > start && value <= 0x10ffff ? i + 1 : 0;
}

static void add_code_point(struct strbuf *out, unsigned code)
{
    if (code < 0x80) {
        strbuf_addc(out, (char)code);
    } else if (code < 0x800) {
        strbuf_addc(out, (char)(0xc0 | code >> 6));
        strbuf_addc(out, (char)(0x80 | (code & 0x3f)));
    } else if (code < 0x10000) {
        strbuf_addc(out, (char)(0xe0 | code >> 12));
        strbuf_addc(out, (char)(0x80 | (code >> 6 & 0x3f)));
        strbuf_addc(out, (char)(0x80 | (code & 0x3f)));
    } else {
        strbuf_addc(out, (char)(0xf0 | code >> 18));
        strbuf_addc(out, (char)(0x80 | (code >> 12 & 0x3f)));
        strbuf_addc(out, (char)(0x80 | (code >> 6 & 0x3f)));
        strbuf_addc(out, (char)(0x80 | (code & 0x3f)));
    }
}

/* Appends what the entity after a & means; returns its length, or 0 when it is unknown. */
static size_t add_entity(const char *p, size_t length, struct strbuf *out)
{
    unsigned code;
    if (length > 0 && *p == '#') {
        size_t n = number_entity(p, length, &code);
        if (n > 0)
            add_code_point(out, code);
        return n;
    }
    for (size_t i = 0; i < ARRAY_SIZE(entities); i++) {
        size_t n = strlen(entities[i].name);
        if (length >= n && memcmp(p, entities[i].name, n) == 0) {
            strbuf_addc(out, entities[i].c);
            return n;
        }
    }
    return 0;
}

int field_unescape(const char *raw, size_t length, struct strbuf *out, struct err *err)
{
    for (const char *end = raw + length; raw < end;) {
        const char *ampersand = memchr(raw, '&', (size_t)(end - raw));
        const char *stop = ampersand ? ampersand : end;
        strbuf_add(out, raw, (size_t)(stop - raw));
        raw = stop;
        if (!ampersand)
            break;
        size_t n = add_entity(raw + 1, (size_t)(end - raw) - 1, out);
        if (n == 0)
            return err_set(err, ERR_PARSE, "an entity in the database that is not XML's own");
        raw += 1 + n;
    }
    return strbuf_ok(out) ? 0 : err_nomem(err);
}

static void escape(const struct strbuf *text, char quote, struct strbuf *out)
{
    for (size_t i = 0; i < text->length; i++) {
        char c = text->data[i];
        if (c == '<')
            strbuf_adds(out, "&lt;");
        else if (c == '>')
            strbuf_adds(out, "&gt;");
        else if (c == '&')
            strbuf_adds(out, "&amp;");
        else if (c == quote)
            strbuf_adds(out, quote == '"' ? "&quot;" : "&apos;");
        else if (c == '\n' || c == '\r' || c == '\t')
            strbuf_addf(out, "&#%d;", c); /* as themselves they would be read as blanks */
        else
            strbuf_addc(out, c);
    }
}

static const char *by_place(const char *table, const char *field, const struct strbuf *value)
{
    for (size_t i = 0; i < ARRAY_SIZE(places); i++) {
        const struct place *place = &places[i];
        if (strcmp(table, place->table) == 0 && strcmp(field, place->field) == 0 &&
            (!place->only_with ||
             memmem(value->data, value->length, place->only_with, strlen(place->only_with))))
            return place->becomes;
    }
    bool secret = secret_name(field, strlen(field)) && value->length > 0 &&
                  !secret_is_reference(value->data, value->length);
    return secret ? REMOVED : NULL;
}

int field_redact(const char *table, const char *field, const struct strbuf *value, char quote,
                 struct strbuf *out, int64_t *ret_replaced, struct err *err)
{
    CLEANUP(strbuf_release) struct strbuf plain = STRBUF_INIT;
    CLEANUP(strbuf_release) struct strbuf redacted = STRBUF_INIT;
    const struct strbuf *text = value;
    if (memchr(value->data, '&', value->length)) {
        int r = field_unescape(value->data, value->length, &plain, err);
        if (r < 0)
            return r;
        text = &plain;
    }
    int64_t replaced = 1;
    const char *fixed = by_place(table, field, text);
    if (fixed)
        strbuf_adds(&redacted, fixed);
    else
        replaced = pairs_redact(text->data, text->length, &redacted);
    if (!strbuf_ok(&redacted))
        return err_nomem(err);
    if (replaced > 0)
        escape(&redacted, quote, out);
    *ret_replaced = replaced;
    return 0;
}
