/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * A key that announces a secret, and its value: key=value, "key": "value", 'key': u'value',
 * <key>value</key>, --key value, name="key" value="value", ('key' 'value') and what else people
 * write.
 *
 * The form is found around the key: its quotes, what stands before it, what separates it from the
 * value (find_value). Values that only blanks or words separate are in loose.c, where a value
 * without quotes ends is in value.c.
 */
#include <ctype.h>
#include <string.h>
#include <strings.h>

#include "collector/redact/assignment.h"
#include "collector/redact/cursor.h"
#include "collector/redact/quoting.h"
#include "collector/redact/value.h"
#include "common/compiler.h"

#define MAX_KEY    128
#define MAX_PREFIX 32             /* name space of an XML element */
#define MAX_TAG    256            /* attributes of an XML element before its text */
#define MAX_COOKIE ((size_t)4096) /* bytes; browsers take no more */

static bool is_name_byte(char c)
{
    return isalnum((unsigned char)c) || c == '_' || c == '-' || c == '.';
}

static bool ends_with(const char *begin, const char *end, const char *text)
{
    size_t n = strlen(text);
    return (size_t)(end - begin) >= n && memcmp(end - n, text, n) == 0;
}

/* &amp; in front of a key belongs to a URL inside of XML. */
static bool is_query_mark(const char *begin, const char *at)
{
    return ends_with(begin, at, "?") || ends_with(begin, at, "&") || ends_with(begin, at, "&amp;");
}

/* <key or <prefix:key, and the same inside of an attribute. */
static bool begins_element(const char *begin, const char *at)
{
    const char *p = at;
    if (p > begin && p[-1] == ':')
        for (p--; p > begin && isalnum((unsigned char)p[-1]) && at - p < MAX_PREFIX; p--)
            ;
    return ends_with(begin, p, "<") || ends_with(begin, p, "lt;");
}

/* $password = "x" sets it; ${password} and $password elsewhere only use it. */
static bool uses_variable(const struct passage *line, const struct key *key)
{
    const char *p = key->from, *to = key->to;
    char before = p > line->begin ? p[-1] : '\0';
    bool brace = before == '{' && p - line->begin > 1 && p[-2] == '$';
    if (before != '$' && !brace)
        return false;
    while (to < line->end && (*to == ' ' || *to == '='))
        to++;
    bool literal = to > key->to && memchr(key->to, '=', (size_t)(to - key->to)) &&
                   line->end - to > 1 && (*to == '"' || *to == '\'') && to[1] != '$';
    return brace || !literal;
}

static void look_before(const struct passage *line, struct key *key)
{
    const char *p = key->from;
    key->element = begins_element(line->begin, p);
    key->query = is_query_mark(line->begin, p);
    key->variable = uses_variable(line, key);
    if (p > line->begin && (p[-1] == '\'' || p[-1] == '"'))
        p--;
    while (p > line->begin && p < key->from && (p[-1] == '\\' || p[-1] == 'u'))
        p--;
    key->start = p;
    key->list = p > line->begin && p < key->from && p[-1] == '(';
}

/*
 * /etc/password, but neither "/local/domain/1/vm/password = x" nor "vm-data/password: x", keys of
 * XenStore.
 */
static bool is_path(const struct passage *line, const char *from, const char *to)
{
    if (from == line->begin || from[-1] != '/')
        return false;
    const char *p = from;
    while (p > line->begin && from - p < MAX_KEY && (is_name_byte(p[-1]) || p[-1] == '/'))
        p--;
    bool absolute = *p == '/';
    while (to < line->end && *to == ' ')
        to++;
    return to == line->end || !(*to == '=' || ((*to == ':' || *to == ',') && !absolute));
}

/* passwords[0]=x; but "passwd[12]: x" is a process and its message. */
static void skip_index(const char **after, const char *end)
{
    const char *p = *after;
    if (p == end || *p != '[')
        return;
    for (p++; p < end && isdigit((unsigned char)*p); p++)
        ;
    if (end - p > 1 && p[0] == ']' && p[1] == '=')
        *after = p;
}

/* The whole name around the anchor. False when there is none or it is a path. */
static bool find_key(const struct passage *line, const char *at, struct key *ret)
{
    const char *from = at, *to = at;
    while (from > line->begin && is_name_byte(from[-1]) && at - from < MAX_KEY)
        from--;
    while (to < line->end && is_name_byte(*to) && to - at < MAX_KEY)
        to++;
    const char *dashes = from;
    while (from < to && *from == '-')
        from++;
    while (to > from && (to[-1] == '-' || to[-1] == '.'))
        to--;
    if (from == to || is_path(line, from, to) || at >= to)
        return false;
    *ret = (struct key){.from = from, .to = to, .option = from > dashes, .after = to};
    look_before(line, ret);
    const char *p = to;
    struct quote quote;
    if (quote_open(&p, line->end, &quote)) {
        ret->quoted = true;
        ret->after = p;
    }
    if (!ret->quoted)
        ret->start = from;
    skip_index(&ret->after, line->end);
    cursor_take(&ret->after, line->end, " string"); /* "SNMP Community String : x" */
    if (ret->after < line->end && *ret->after == ']')
        ret->after++;
    return true;
}

/* =, :, => and so on. */
static bool take_separator(const char **p, const char *end)
{
    static const char *const separators[] = {":=", "=>", "->", "==", "+=", "=", ":", "%3D", "%3A"};
    const char *start = *p;
    if (cursor_take(p, end, "::")) { /* a name of C++; in LDIF Base64 follows */
        bool ldif = *p < end && **p == ' ';
        *p = ldif ? *p : start;
        return ldif;
    }
    return cursor_take_one_of(p, end, separators, ARRAY_SIZE(separators));
}

/* name="key" value="x", {"name": "key", "value": "x"}, -n key -v x: what leads to x. */
static bool take_value_word(const char **p, const char *end)
{
    static const char *const words[] = {"--value", "-v", "value", "val", "data"};
    struct quote quote;
    const char *start = *p;
    while (*p < end && (**p == ' ' || **p == ',' || **p == '\t'))
        ++*p;
    quote_open(p, end, &quote);
    if (*p > start && cursor_take_one_of(p, end, words, ARRAY_SIZE(words))) {
        bool dash = (*p)[-1] == 'v' || memchr(start, '-', (size_t)(*p - start));
        quote_open(p, end, &quote);
        *p = cursor_skip_blanks(*p, end);
        if (take_separator(p, end) || (dash && (cursor_take(p, end, ",") || (*p)[-1] == ' ')))
            return true;
    }
    *p = start;
    return false;
}

/* <key a="b">: behind the bracket. */
static bool take_tag(const char **p, const char *end)
{
    const char *limit = end - *p > MAX_TAG ? *p + MAX_TAG : end;
    const char *bracket = memchr(*p, '>', (size_t)(limit - *p));
    const char *entity = memmem(*p, (size_t)(limit - *p), "gt;", 3); /* &gt; or &amp;gt; */
    if (entity && (!bracket || entity < bracket))
        bracket = entity + 2;
    if (!bracket || bracket[-1] == '/' || bracket[-1] == '?')
        return false;
    *p = bracket + 1;
    return true;
}

/* <value><string> and the like, which hold a value and are none. */
static bool skip_openings(const char **p, const char *end)
{
    static const char *const openings[] = {"<value>",    "<string>",    "<data>",
                                           "&lt;value>", "&lt;string>", "&lt;data>"};
    bool found = false;
    while (cursor_take_one_of(p, end, openings, ARRAY_SIZE(openings)))
        found = true;
    return found;
}

/* <name>key</name> <value><string>: behind the last one. */
static bool take_elements(const char **p, const char *end)
{
    static const char *const closings[] = {"</", "&lt;/"};
    const char *start = *p;
    if (!cursor_take_one_of(p, end, closings, ARRAY_SIZE(closings)) || !take_tag(p, end)) {
        *p = start;
        return false;
    }
    *p = cursor_skip_blanks(*p, end);
    bool found = skip_openings(p, end);
    if (!found)
        *p = start;
    return found;
}

static bool take_pair_separator(const struct key *key, const char **p, const char *end)
{
    const char *start = *p;
    struct quote quote;
    if (!key->quoted)
        return false;
    if (cursor_take(p, end, "%.")) /* a blank in XAPI's database */
        return true;
    *p = cursor_skip_blanks(*p, end);
    bool dot = cursor_take(p, end, ". "),
         comma = !dot && (key->list || key->option) && cursor_take(p, end, ",");
    *p = cursor_skip_blanks(*p, end);
    const char *value = *p;
    bool string = quote_open(&value, end, &quote) || (value < end && (*value == 'u'));
    if (string && (dot || comma || (key->list && *p > start)))
        return true;
    *p = start;
    return false;
}

/* [name,value;name,value], a map of OCaml's in a log: where the item begins, `from` is in it. */
static bool is_item(const struct passage *line, const char *from)
{
    const char *p = from;
    while (p > line->begin && from - p < MAX_KEY && (is_name_byte(p[-1]) || p[-1] == '/'))
        p--;
    while (p > line->begin && p[-1] == ' ')
        p--;
    return p > line->begin && (p[-1] == '[' || p[-1] == ';');
}

/* Where the value begins. */
static bool find_value(const struct passage *line, const struct key *key, const char **ret,
                       enum value_style *ret_style)
{
    const char *p = cursor_skip_blanks(key->after, line->end), *end = line->end;
    *ret_style = key->query ? VALUE_QUERY : VALUE_PLAIN;
    if (take_separator(&p, end)) {
        *ret_style = key->query ? VALUE_QUERY : key->quoted ? VALUE_LITERAL : VALUE_PLAIN;
        *ret = p;
        return true;
    }
    p = key->after;
    if (key->element) {
        *ret_style = VALUE_ELEMENT;
        if (!take_tag(&p, end))
            return false;
        skip_openings(&p, end);
        *ret = p;
        return true;
    }
    if (take_pair_separator(key, &p, end) || take_value_word(&p, end)) {
        *ret_style = key->quoted ? VALUE_LITERAL : *ret_style;
        *ret = p;
        return true;
    }
    if (take_elements(&p, end)) {
        *ret_style = VALUE_ELEMENT;
        *ret = p;
        return true;
    }
    if (!key->quoted && p < end && *p == ',' && is_item(line, key->from)) {
        *ret_style = VALUE_ITEM;
        *ret = p + 1;
        return true;
    }
    if (key->option && p < end && (*p == ' ' || *p == '\t')) {
        *ret = p;
        return true;
    }
    return false;
}

bool detect_announcement(const struct passage *line, const char *at, struct announcement *ret)
{
    static const char *const closings[] = {"</", "&lt;/"};
    struct key key;
    if (!find_key(line, at, &key) || key.variable)
        return false;
    enum secret_kind kind = secret_kind(key.from, (size_t)(key.to - key.from));
    if (kind == SECRET_NONE || kind == SECRET_SESSION || kind == SECRET_HEADER ||
        kind == SECRET_QUERY || kind == SECRET_SHAPED)
        return false;
    const char *p = key.after, *end = line->end;
    *ret = (struct announcement){.quoted = key.quoted, .element = true};
    if (key.element || cursor_take_one_of(&p, end, closings, ARRAY_SIZE(closings))) {
        if (!take_tag(&p, end))
            return false;
        p = cursor_skip_blanks(p, end);
        skip_openings(&p, end);
        ret->end = p;
        return true;
    }
    ret->element = false;
    p = cursor_skip_blanks(p, end);
    bool found = take_separator(&p, end);
    ret->end = cursor_skip_blanks(p, end);
    return found;
}

/* "Authorization: Basic ..." and "Cookie: a=b"; elsewhere these words are harmless. */
static bool is_header(const struct key *key, const char *value, const char *end)
{
    bool cookie = memchr(key->from, 'k', (size_t)(key->to - key->from)) != NULL;
    for (const char *p = key->to; p < value; p++)
        if (*p == ':')
            return !cookie ||
                   memchr(value, '=',
                          (size_t)(end - value) < MAX_COOKIE ? (size_t)(end - value) : MAX_COOKIE);
    return key->quoted || (!cookie && value > key->to);
}

bool detect_assignment(const struct passage *line, const char *at, struct finding *ret)
{
    struct key key;
    struct finding value;
    enum value_style style;
    if (!find_key(line, at, &key))
        return false;
    const char *name = key.from;
    size_t length = (size_t)(key.to - key.from);
    enum secret_kind kind = secret_kind(name, length);
    if (kind == SECRET_NONE || key.variable || (kind == SECRET_QUERY && !key.query))
        return false;
    if (!find_value(line, &key, &value.from, &style)) {
        style = VALUE_PLAIN;
        if (loose_value_find_ended(line, &key, kind, ret))
            return !secret_value_is_harmless(kind, name, length, ret->from,
                                             (size_t)(ret->to - ret->from));
        if (!loose_value_find(line, &key, kind, &value.from))
            return false;
    }
    if (kind == SECRET_HEADER && !is_header(&key, value.from, line->end))
        return false;
    /* That needs no look at where the value ends, and a line may have many of them. */
    if (kind == SECRET_UNLESS_PATH && secret_begins_path(value.from, line->end))
        return false;
    if (kind == SECRET_SESSION && style != VALUE_ELEMENT)
        style = VALUE_SESSION;
    if (!value_find_end(line, key.start, style, &value))
        return false;
    if (secret_value_is_harmless(kind, name, length, value.from, (size_t)(value.to - value.from)))
        return false;
    *ret = value;
    return true;
}
