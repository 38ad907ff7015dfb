/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * One pass over the bytes, without a parse tree, so that a damaged value does not hide what follows
 * it.
 */
#include "collector/redact/pairs.h"

#include "collector/redact/filter.h"
#include "collector/redact/quoting.h"
#include "collector/redact/secrets.h"

/*
 * Keys are short words; the limit keeps the search for their ends from costing more than linear
 * time.
 */
#define MAX_KEY 256

/* Reads an opening quote with its backslashes at *p. False when there is none. */
static bool open_quote(const char **p, const char *end, struct quote *ret)
{
    const char *start = *p;
    if (quote_open(p, end, ret) && *ret->token == '\'')
        return true;
    *p = start;
    return false;
}

/* Skips what stands between the words of a pair: blanks, as they are or protected. A comma is
 * Python's. */
static const char *skip_separator(const char *p, const char *end)
{
    for (;;) {
        if (p < end && strchr(" \t\n\r,", *p))
            p++;
        else if (end - p >= 2 && *p == '%' && memchr(".tnr_", p[1], 5))
            p += 2;
        else
            return p;
    }
}

static bool keeps_reference(const struct quoted *key, const struct quoted *value)
{
    static const char suffix[] = "_secret";
    size_t n = sizeof suffix - 1;
    return key->length >= n && memcmp(key->text + key->length - n, suffix, n) == 0 &&
           secret_is_reference(value->text, value->length);
}

/*
 * A first word with a bracket in it is no key but text with pairs of its own, which are looked at
 * later.
 */
static bool is_secret_key(const struct quoted *key)
{
    return !memchr(key->text, '(', key->length) && secret_name(key->text, key->length);
}

/*
 * Looks at the pair whose bracket ends before p. Sets the part that must go and returns true, or
 * returns false. Fails closed: a value that does not end reaches to the end of the text, one
 * without quotes to the next bracket.
 */
static bool find_secret(const char *p, const char *end, struct quoted *ret)
{
    struct quote quote, value_quote;
    struct quoted key, value;
    p = skip_separator(p, end);
    if (!open_quote(&p, end, &quote))
        return false;
    const char *key_end = (size_t)(end - p) > MAX_KEY ? p + MAX_KEY : end;
    if (!quote_close(p, key_end, &quote, &key) || !is_secret_key(&key))
        return false;
    p = skip_separator(key.after, end);
    if (p == end || *p == ')')
        return false;
    const char *start = p;
    if (!open_quote(&p, end, &value_quote) || value_quote.level != quote.level) {
        const char *bracket = memchr(start, ')', (size_t)(end - start));
        const char *stop = bracket ? bracket : end;
        *ret = (struct quoted){start, (size_t)(stop - start), stop};
        return true;
    }
    if (!quote_close(p, end, &quote, &value))
        value = (struct quoted){p, (size_t)(end - p), end};
    if (keeps_reference(&key, &value))
        return false;
    *ret = value;
    return true;
}

int64_t pairs_redact(const char *text, size_t length, struct strbuf *out)
{
    int64_t count = 0;
    const char *end = text + length, *copied = text;
    for (const char *p = text; (p = memchr(p, '(', (size_t)(end - p)));) {
        struct quoted secret;
        p++;
        if (!find_secret(p, end, &secret))
            continue;
        strbuf_add(out, copied, (size_t)(secret.text - copied));
        strbuf_adds(out, REMOVED);
        copied = secret.text + secret.length;
        p = secret.after;
        count++;
    }
    if (count > 0)
        strbuf_add(out, copied, (size_t)(end - copied));
    return count;
}
