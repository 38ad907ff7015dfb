/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * One pass over the bytes, without a parse tree, so that a damaged value does not hide what follows
 * it.
 *
 * The arithmetic of nesting: if quotes of one level are preceded by n backslashes, those of the
 * next are by 2n + 1, and a backslash of this level's text is written as 2(n + 1) of them. So a
 * quote after r backslashes closes a string of this level when r mod 2(n + 1) is n, belongs to its
 * text when it is 2n + 1, and is the end of an outer string (the text is damaged) in every other
 * case.
 */
#include "collector/redact/pairs.h"

#include "collector/redact/filter.h"
#include "collector/redact/secrets.h"

/*
 * Keys are short words; the limit keeps the search for their ends from costing more than linear
 * time.
 */
#define MAX_KEY 256

struct quoted {
    const char *text; /* after the opening quote */
    size_t length;    /* without the backslashes of the closing quote */
    const char *after;
};

/* Number of backslashes from p on. */
static size_t count_backslashes(const char *p, const char *end)
{
    size_t count = 0;
    while (p + count < end && p[count] == '\\')
        count++;
    return count;
}

/* Reads an opening quote with its backslashes at *p. False when there is none. */
static bool open_quote(const char **p, const char *end, size_t *ret_level)
{
    size_t level = count_backslashes(*p, end);
    if (*p + level >= end || (*p)[level] != '\'')
        return false;
    *p += level + 1;
    *ret_level = level;
    return true;
}

/* Finds the end of a string that was opened with `level` backslashes, before `end`. */
static bool close_quote(const char *start, const char *end, size_t level, struct quoted *ret)
{
    const size_t period = 2 * (level + 1);
    for (const char *p = start; p < end;) {
        const char *special = p;
        while (special < end && *special != '\\' && *special != '\'')
            special++;
        size_t run = count_backslashes(special, end);
        p = special + run;
        if (p >= end)
            return false;
        if (*p != '\'')
            continue;
        if (run % period != 2 * level + 1) {
            size_t own = run < level ? run : level;
            *ret = (struct quoted){start, (size_t)(p - start) - own, p + 1};
            return true;
        }
        p++;
    }
    return false;
}

/* Skips what stands between the words of a pair: blanks, as they are or protected. */
static const char *skip_separator(const char *p, const char *end)
{
    for (;;) {
        if (p < end && (*p == ' ' || *p == '\t' || *p == '\n' || *p == '\r'))
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
    size_t level, value_level;
    struct quoted key, value;
    p = skip_separator(p, end);
    if (!open_quote(&p, end, &level))
        return false;
    const char *key_end = (size_t)(end - p) > MAX_KEY ? p + MAX_KEY : end;
    if (!close_quote(p, key_end, level, &key) || !is_secret_key(&key))
        return false;
    p = skip_separator(key.after, end);
    if (p == end || *p == ')')
        return false;
    const char *start = p;
    if (!open_quote(&p, end, &value_level) || value_level != level) {
        const char *bracket = memchr(start, ')', (size_t)(end - start));
        const char *stop = bracket ? bracket : end;
        *ret = (struct quoted){start, (size_t)(stop - start), stop};
        return true;
    }
    if (!close_quote(p, end, level, &value))
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
