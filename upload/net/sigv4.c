/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * libcurl signs too (CURLOPT_AWS_SIGV4), but 7.88 takes path and query as they stand, unsorted and
 * with characters that S3 escapes, later versions escape them in other ways, and it keeps copies of
 * the keys that nobody wipes.
 *
 * The server takes the request apart and signs what it understood. So path and query are decoded
 * and encoded again here in the one way of the specification, however they are sent.
 */
#include "upload/net/sigv4.h"

#include <openssl/evp.h>
#include <openssl/hmac.h>

#include "common/hex.h"
#include "common/secret.h"

#define DIGEST 32 /* of SHA-256 */
#define HEX    (2 * DIGEST + 1)

#define MAX_CANONICAL   (64 << 10) /* our heads and URLs are far smaller */
#define USUAL_CANONICAL (16 << 10) /* at once, so that growing leaves no copies behind */

struct pair {
    char *name, *value; /* of the query, encoded; or a header, trimmed, its name in small letters */
};

static void free_pairs(struct pair *pairs, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        free(pairs[i].name);
        secret_free(pairs[i].value); /* the session token is one */
    }
}

static int compare_pairs(const void *a, const void *b)
{
    const struct pair *x = a, *y = b;
    int by_name = strcmp(x->name, y->name);
    return by_name ? by_name : strcmp(x->value, y->value);
}

/* Escapes all but unreserved characters and those of `kept`, once, whatever was escaped before. */
static void encode(const char *text, size_t length, const char *kept, struct strbuf *out)
{
    static const char unreserved[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
                                     "0123456789-._~";
    for (size_t i = 0; i < length; i++) {
        unsigned char c = (unsigned char)text[i];
        if (c == '%' && i + 2 < length && hex_value(text[i + 1]) >= 0 &&
            hex_value(text[i + 2]) >= 0) {
            c = (unsigned char)(hex_value(text[i + 1]) << 4 | hex_value(text[i + 2]));
            i += 2;
        }
        if (c && (strchr(unreserved, c) || strchr(kept, c)))
            strbuf_addc(out, (char)c);
        else
            strbuf_addf(out, "%%%02X", c);
    }
}

static char *encoded(const char *text, size_t length)
{
    struct strbuf out = STRBUF_INIT_MAX(MAX_CANONICAL);
    encode(text, length, "", &out);
    return strbuf_take(&out);
}

static int add_query(const char *query, struct strbuf *out, struct err *err)
{
    struct pair pairs[SIGV4_MAX_QUERY];
    size_t count = 0;
    int r = 0;
    for (const char *p = query; r == 0 && p && *p;) {
        size_t length = strcspn(p, "&");
        size_t name = strcspn(p, "=&");
        if (count == SIGV4_MAX_QUERY) {
            r = err_set(err, ERR_BUG, "a query of more than %d parts", SIGV4_MAX_QUERY);
            break;
        }
        const char *value = name < length ? p + name + 1 : p + length;
        pairs[count].name = encoded(p, name);
        pairs[count].value = encoded(value, (size_t)(p + length - value));
        if (!pairs[count].name || !pairs[count].value)
            r = err_nomem(err);
        count++;
        p += length + (p[length] == '&');
    }
    if (r == 0)
        qsort(pairs, count, sizeof *pairs, compare_pairs);
    for (size_t i = 0; r == 0 && i < count; i++)
        strbuf_addf(out, "%s%s=%s", i ? "&" : "", pairs[i].name, pairs[i].value);
    free_pairs(pairs, count);
    return r;
}

/* "Name:  a   b " becomes "name" and "a b". */
static bool split_header(const char *line, struct pair *ret)
{
    const char *colon = strchr(line, ':');
    if (!colon)
        return false;
    ret->name = strndup(line, (size_t)(colon - line));
    struct strbuf value = STRBUF_INIT_MAX(MAX_CANONICAL);
    strbuf_reserve(&value, strlen(colon)); /* it may be a secret: growing would leave copies */
    for (const char *p = colon + 1; *p; p++)
        if (*p != ' ' || (value.length > 0 && p[1] != ' ' && p[1] != '\0'))
            strbuf_addc(&value, *p);
    ret->value = strbuf_take(&value);
    for (char *c = ret->name; c && *c; c++)
        if (*c >= 'A' && *c <= 'Z')
            *c = (char)(*c - 'A' + 'a');
    return ret->name && ret->value;
}

static const char *find(const struct pair *pairs, size_t count, const char *name)
{
    for (size_t i = 0; i < count; i++)
        if (strcmp(pairs[i].name, name) == 0)
            return pairs[i].value;
    return NULL;
}

static int read_headers(const char *const *lines, struct pair *ret, size_t *ret_count,
                        struct err *err)
{
    size_t count = 0;
    for (; lines[count]; count++) {
        if (count == SIGV4_MAX_HEADERS)
            return err_set(err, ERR_BUG, "more than %d headers", SIGV4_MAX_HEADERS);
        ret[count] = (struct pair){NULL, NULL};
        *ret_count = count + 1;
        if (!split_header(lines[count], &ret[count]))
            return err_set(err, ERR_BUG, "a header without a colon");
    }
    qsort(ret, count, sizeof *ret, compare_pairs);
    const char *date = find(ret, count, "x-amz-date");
    if (!find(ret, count, "host") || !find(ret, count, "x-amz-content-sha256") || !date ||
        strlen(date) != SIGV4_DATE_SIZE - 1)
        return err_set(err, ERR_BUG, "a header that must be signed is missing");
    return 0;
}

static void add_names(const struct pair *headers, size_t count, struct strbuf *out)
{
    for (size_t i = 0; i < count; i++)
        strbuf_addf(out, "%s%s", i ? ";" : "", headers[i].name);
}

static int canonical_request(const struct sigv4 *request, const struct pair *headers, size_t count,
                             struct strbuf *out, struct err *err)
{
    strbuf_addf(out, "%s\n", request->method);
    encode(request->path, strlen(request->path), "/", out);
    strbuf_addc(out, '\n');
    int r = add_query(request->query, out, err);
    strbuf_addc(out, '\n');
    for (size_t i = 0; i < count; i++)
        strbuf_addf(out, "%s:%s\n", headers[i].name, headers[i].value);
    strbuf_addc(out, '\n');
    add_names(headers, count, out);
    const char *content = find(headers, count, "x-amz-content-sha256");
    strbuf_addf(out, "\n%s",
                content ? content : ""); /* read_headers() saw to it that it is there */
    return r < 0 ? r : strbuf_ok(out) ? 0 : err_nomem(err);
}

static bool keyed(const unsigned char *key, size_t key_length, const char *text,
                  unsigned char ret[DIGEST])
{
    unsigned int length = 0;
    return HMAC(EVP_sha256(), key, (int)key_length, (const unsigned char *)text, strlen(text), ret,
                &length) &&
           length == DIGEST;
}

/* secret -> day -> region -> service -> what signs. Each key is wiped when the next is made. */
static bool signature(const struct sigv4 *request, const char *day, const char *text,
                      unsigned char ret[DIGEST])
{
    const char *const steps[] = {day, request->region, request->service, "aws4_request", text};
    unsigned char key[4 + 256];
    unsigned char next[DIGEST];
    size_t length = strlen(request->secret_key);
    if (length > sizeof key - 4)
        return false;
    memcpy(key, "AWS4", 4);
    memcpy(key + 4, request->secret_key, length);
    length += 4;
    bool good = true;
    for (size_t i = 0; good && i < ARRAY_SIZE(steps); i++) {
        good = keyed(key, length, steps[i], next);
        memcpy(key, next, DIGEST);
        length = DIGEST;
    }
    memcpy(ret, next, DIGEST);
    secret_forget(key, sizeof key);
    secret_forget(next, sizeof next);
    return good;
}

static int sign(const struct sigv4 *request, const struct pair *headers, size_t count,
                const struct strbuf *canonical, struct strbuf *ret, struct err *err)
{
    unsigned char digest[DIGEST];
    char hex[HEX], day[9], text[512], scope[256];
    const char *date = find(headers, count, "x-amz-date");
    snprintf(day, sizeof day, "%.8s", date);
    snprintf(scope, sizeof scope, "%s/%s/%s/aws4_request", day, request->region, request->service);
    if (!EVP_Digest(canonical->data, canonical->length, digest, NULL, EVP_sha256(), NULL))
        return err_set(err, ERR_UNSUPPORTED, "this system's libcrypto does not compute SHA-256");
    hex_write(digest, sizeof digest, hex);
    snprintf(text, sizeof text, "AWS4-HMAC-SHA256\n%s\n%s\n%s", date, scope, hex);
    if (!signature(request, day, text, digest))
        return err_set(err, ERR_UNSUPPORTED, "this system's libcrypto does not compute HMAC");
    hex_write(digest, sizeof digest, hex);
    strbuf_addf(ret, "AWS4-HMAC-SHA256 Credential=%s/%s,SignedHeaders=", request->access_key,
                scope);
    add_names(headers, count, ret);
    strbuf_addf(ret, ",Signature=%s", hex);
    return strbuf_ok(ret) ? 0 : err_nomem(err);
}

int sigv4_sign(const struct sigv4 *request, struct strbuf *ret, struct err *err)
{
    struct pair headers[SIGV4_MAX_HEADERS];
    size_t count = 0;
    struct strbuf canonical = STRBUF_INIT_MAX(MAX_CANONICAL);
    int r = strbuf_reserve(&canonical, USUAL_CANONICAL) ? 0 : err_nomem(err);
    if (r == 0)
        r = read_headers(request->headers, headers, &count, err);
    if (r == 0)
        r = canonical_request(request, headers, count, &canonical, err);
    if (r == 0)
        r = sign(request, headers, count, &canonical, ret, err);
    secret_release(&canonical);
    free_pairs(headers, count);
    return r;
}
