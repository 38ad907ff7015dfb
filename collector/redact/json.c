/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * A push-down automaton over the bytes, with one bit a level: memory does not depend on the size of
 * the document, and what is not replaced stays byte for byte as it was (a parse and a new print
 * would not keep that).
 *
 * Keys count at any depth: where a secret sits has changed between releases, its name has not.
 */
#include "collector/redact/json.h"

#include "collector/redact/secrets.h"

#define MAX_DEPTH 64
#define MAX_KEY   1024 /* a longer key is refused: it could not be judged */

enum expect {
    EXPECT_VALUE,
    EXPECT_VALUE_OR_END, /* after [ */
    EXPECT_KEY_OR_END,   /* after { */
    EXPECT_KEY,          /* after , in an object */
    EXPECT_COLON,
    EXPECT_COMMA_OR_END,
    EXPECT_NOTHING, /* after the top value */
};

enum inside { BETWEEN, STRING, ESCAPE, UNICODE, SCALAR };

struct json_filter {
    bool (*is_secret)(const char *key, size_t length);
    enum expect expect;
    enum inside inside;
    bool in_key, next_is_secret, started;
    unsigned unicode_digits, unicode;
    struct strbuf key;
    bool hiding;        /* within a secret value: nothing is put out */
    unsigned hidden_at; /* depth of that value */
    unsigned depth;
    bool is_object[MAX_DEPTH];
};

static bool clusterd_secret(const char *key, size_t length)
{
    static const char *const names[] = {"token", "authkey", "blobs"};
    for (size_t i = 0; i < ARRAY_SIZE(names); i++)
        if (length == strlen(names[i]) && memcmp(key, names[i], length) == 0)
            return true;
    return secret_name(key, length);
}

static bool snmp_secret(const char *key, size_t length)
{
    static const char community[] = "community", suffix[] = "_key";
    size_t n = sizeof suffix - 1;
    return (length == sizeof community - 1 && memcmp(key, community, length) == 0) ||
           (length >= n && memcmp(key + length - n, suffix, n) == 0) || secret_name(key, length);
}

static int open_filter(bool (*is_secret)(const char *key, size_t length), void **ret,
                       struct err *err)
{
    struct json_filter *filter = calloc(1, sizeof *filter);
    if (!filter)
        return err_nomem(err);
    filter->is_secret = is_secret;
    filter->key = (struct strbuf)STRBUF_INIT_MAX(MAX_KEY);
    *ret = filter;
    return 0;
}

int json_open_clusterd(void **ret, struct err *err)
{
    return open_filter(clusterd_secret, ret, err);
}

int json_open_snmp(void **ret, struct err *err)
{
    return open_filter(snmp_secret, ret, err);
}

void json_filter_free(void *filter)
{
    strbuf_release(&((struct json_filter *)filter)->key);
    free(filter);
}

static int fail(struct err *err, const char *what)
{
    return err_set(err, ERR_PARSE, "not valid JSON (%s): secrets cannot be told from the rest",
                   what);
}

static void put(const struct json_filter *f, struct filter_output *out, char c)
{
    if (!f->hiding)
        strbuf_addc(&out->bytes, c);
}

/* A value is complete: what comes next depends on what it stands in. */
static void end_value(struct json_filter *f)
{
    f->inside = BETWEEN;
    f->expect = f->depth > 0 ? EXPECT_COMMA_OR_END : EXPECT_NOTHING;
}

/* To be called after the last byte of a value; a scalar's end shows only in the byte after it. */
static void stop_hiding(struct json_filter *f)
{
    if (f->hiding && f->depth == f->hidden_at)
        f->hiding = false;
}

static void begin_value(struct json_filter *f, struct filter_output *out)
{
    if (f->next_is_secret && !f->hiding) {
        strbuf_adds(&out->bytes, "\"" REMOVED "\"");
        out->replaced++;
        f->hiding = true;
        f->hidden_at = f->depth;
    }
    f->next_is_secret = false;
}

static int open_level(struct json_filter *f, bool is_object, struct err *err)
{
    if (f->depth == MAX_DEPTH)
        return err_set(err, ERR_LIMIT, "JSON nested more than %d levels deep", MAX_DEPTH);
    f->is_object[f->depth++] = is_object;
    f->expect = is_object ? EXPECT_KEY_OR_END : EXPECT_VALUE_OR_END;
    return 0;
}

static int close_level(struct json_filter *f, bool is_object, struct err *err)
{
    bool may_end = f->expect == EXPECT_COMMA_OR_END ||
                   f->expect == (is_object ? EXPECT_KEY_OR_END : EXPECT_VALUE_OR_END);
    if (f->depth == 0 || f->is_object[f->depth - 1] != is_object || !may_end)
        return fail(err, "a bracket that closes nothing");
    f->depth--;
    end_value(f);
    return 0;
}

static int begin_string(struct json_filter *f, struct filter_output *out, struct err *err)
{
    f->in_key = f->expect == EXPECT_KEY || f->expect == EXPECT_KEY_OR_END;
    if (!f->in_key && f->expect != EXPECT_VALUE && f->expect != EXPECT_VALUE_OR_END)
        return fail(err, "a string where none may be");
    if (f->in_key)
        strbuf_clear(&f->key);
    else
        begin_value(f, out);
    f->inside = STRING;
    return 0;
}

static int end_string(struct json_filter *f, struct err *err)
{
    if (!f->in_key) {
        end_value(f);
        return 0;
    }
    if (!strbuf_ok(&f->key))
        return fail(err, "a key of more than 1 KiB");
    f->next_is_secret = f->is_secret(f->key.data, f->key.length);
    f->inside = BETWEEN;
    f->expect = EXPECT_COLON;
    return 0;
}

static void add_to_key(struct json_filter *f, char c)
{
    if (f->in_key)
        strbuf_addc(&f->key, c);
}

static int string_byte(struct json_filter *f, char c, struct err *err)
{
    if ((unsigned char)c < ' ')
        return fail(err, "a control character in a string");
    if (c == '"')
        return end_string(f, err);
    if (c == '\\')
        f->inside = ESCAPE;
    else
        add_to_key(f, c);
    return 0;
}

static int escape_byte(struct json_filter *f, char c, struct err *err)
{
    if (!c || !strchr("\"\\/bfnrtu", c))
        return fail(err, "an unknown escape");
    f->inside = c == 'u' ? UNICODE : STRING;
    f->unicode_digits = f->unicode = 0;
    if (c != 'u')
        add_to_key(f, c);
    return 0;
}

/* "\u0074oken" is a token too. */
static int unicode_byte(struct json_filter *f, char c, struct err *err)
{
    static const char digits[] = "0123456789abcdef0123456789ABCDEF";
    const char *digit = c ? strchr(digits, c) : NULL;
    if (!digit)
        return fail(err, "a broken \\u escape");
    f->unicode = f->unicode << 4 | (unsigned)((digit - digits) & 15);
    if (++f->unicode_digits == 4) {
        add_to_key(f, f->unicode < 0x80 ? (char)f->unicode : '?');
        f->inside = STRING;
    }
    return 0;
}

static bool is_scalar_byte(char c)
{
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '-' ||
           c == '+' || c == '.';
}

static int between_byte(struct json_filter *f, char c, struct filter_output *out, struct err *err)
{
    bool may_be_value = f->expect == EXPECT_VALUE || f->expect == EXPECT_VALUE_OR_END;
    switch (c) {
    case ' ':
    case '\t':
    case '\r':
    case '\n':
        return 0;
    case '"':
        return begin_string(f, out, err);
    case '{':
    case '[':
        if (!may_be_value)
            return fail(err, "a bracket where none may be");
        begin_value(f, out);
        return open_level(f, c == '{', err);
    case '}':
    case ']':
        return close_level(f, c == '}', err);
    case ':':
        if (f->expect != EXPECT_COLON)
            return fail(err, "a stray colon");
        f->expect = EXPECT_VALUE;
        return 0;
    case ',':
        if (f->expect != EXPECT_COMMA_OR_END)
            return fail(err, "a stray comma");
        f->expect = f->is_object[f->depth - 1] ? EXPECT_KEY : EXPECT_VALUE;
        return 0;
    default:
        if (!may_be_value || !is_scalar_byte(c))
            return fail(err, "an unexpected character");
        begin_value(f, out);
        f->inside = SCALAR;
        return 0;
    }
}

static int take_byte(struct json_filter *f, char c, struct filter_output *out, struct err *err)
{
    switch (f->inside) {
    case STRING:
        return string_byte(f, c, err);
    case ESCAPE:
        return escape_byte(f, c, err);
    case UNICODE:
        return unicode_byte(f, c, err);
    case BETWEEN:
    case SCALAR:
        break;
    }
    return between_byte(f, c, out, err);
}

int json_filter_write(void *filter, const char *bytes, size_t length, struct filter_output *out,
                      struct err *err)
{
    struct json_filter *f = filter;
    for (size_t i = 0; i < length; i++) {
        char c = bytes[i];
        if (f->inside == SCALAR && !is_scalar_byte(c)) {
            end_value(f);
            stop_hiding(f);
        }
        int r = f->inside == SCALAR ? 0 : take_byte(f, c, out, err);
        if (r < 0)
            return r;
        f->started |= c != ' ' && c != '\t' && c != '\r' && c != '\n';
        put(f, out, c);
        if (f->inside == BETWEEN)
            stop_hiding(f);
    }
    return 0;
}

int json_filter_finish(void *filter, struct filter_output *out, struct err *err)
{
    (void)out;
    struct json_filter *f = filter;
    if (f->inside == SCALAR)
        end_value(f);
    if (f->started && f->expect != EXPECT_NOTHING)
        return fail(err, "it ends too early");
    return 0;
}
