/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * Secrets that are known by their own form, wherever they stand: hashes of passwords, web tokens,
 * keys of vendors, the schemes of HTTP's authorization, private keys.
 */
#include <ctype.h>
#include <string.h>
#include <strings.h>

#include "collector/redact/cursor.h"
#include "collector/redact/detect.h"
#include "common/compiler.h"

#define MIN_WEB_TOKEN 10 /* bytes of each part; the smallest header is longer */
#define MAX_METHOD    16 /* "{SSHA512}" */
#define MIN_HASH      8
#define MAX_HEADER    512 /* bytes of a web token's first part; most have less than 200 */
#define MIN_BEARER    16
#define MAX_BASIC     512 /* user and password, encoded */
#define MAX_KEY_LINES 400 /* of a private key: 16384 bits take some 200 */
#define MAX_HEAD      128 /* "-----BEGIN ... PRIVATE KEY-----" */

typedef bool (*is_member)(char c);

static bool is_url64(char c)
{
    return isalnum((unsigned char)c) || c == '-' || c == '_';
}

static bool is_upper_or_digit(char c)
{
    return isupper((unsigned char)c) || isdigit((unsigned char)c);
}

static bool is_base64(char c)
{
    return isalnum((unsigned char)c) || c == '+' || c == '/' || c == '=';
}

static bool is_hash_byte(char c)
{
    return is_base64(c) || c == '.' || c == '$' || c == ',';
}

static bool is_bearer_byte(char c)
{
    return is_base64(c) || is_url64(c) || c == '.' || c == '~';
}

static const char *run(const char *p, const char *end, is_member member)
{
    while (p < end && member(*p))
        p++;
    return p;
}

static bool stands_alone(const struct passage *line, const char *at)
{
    return at == line->begin || !isalnum((unsigned char)at[-1]);
}

/* $6$salt$hash, {SSHA}..., grub.pbkdf2.sha512.10000...: what follows the name of the method. */
bool detect_hash(const struct passage *line, const char *at, struct finding *ret)
{
    const char *from = at;
    size_t left = (size_t)(line->end - at), near = left < MAX_METHOD ? left : MAX_METHOD;
    if (*at == '$')
        from = memchr(at + 1, '$', near - 1);
    else if (*at == '{')
        from = memchr(at, '}', near);
    else
        from = at + strlen("grub.pbkdf2");
    if (!from || ++from >= line->end)
        return false;
    const char *to = run(from, line->end, is_hash_byte);
    if (to - from < MIN_HASH)
        return false;
    *ret = (struct finding){from, to};
    return true;
}

/* Three parts in Base64 with dots between; the last one may be missing. */
bool detect_web_token(const struct passage *line, const char *at, struct finding *ret)
{
    if (!stands_alone(line, at))
        return false;
    /* Within a word there may be many beginnings, so not each of them may look through all of it.
     */
    bool inside = at > line->begin && is_url64(at[-1]);
    const char *end = inside && line->end - at > MAX_HEADER ? at + MAX_HEADER : line->end;
    const char *dot = run(at, end, is_url64);
    if (dot - at < MIN_WEB_TOKEN || dot == line->end || *dot != '.')
        return false;
    const char *to = run(dot + 1, line->end, is_url64);
    if (to - dot <= MIN_WEB_TOKEN)
        return false;
    if (to < line->end && *to == '.')
        to = run(to + 1, line->end, is_url64);
    *ret = (struct finding){at, to};
    return true;
}

static int digit64(char c)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    const char *digit = c ? strchr(digits, c) : NULL;
    return digit ? (int)(digit - digits) : -1;
}

enum content {
    HAS_COLON = 1,
    HAS_MARK = 2,    /* NUL or 1, the separators of SASL */
    HAS_CONTROL = 4, /* another control character: it is no text */
};

/* What is in Base64, or HAS_CONTROL when it is none. */
static unsigned decode(const char *from, const char *to)
{
    unsigned bits = 0, count = 0, found = 0;
    for (; from < to && *from != '='; from++) {
        int digit = digit64(*from);
        if (digit < 0)
            return HAS_CONTROL;
        bits = bits << 6 | (unsigned)digit;
        count += 6;
        if (count < 8)
            continue;
        count -= 8;
        unsigned char c = (unsigned char)(bits >> count);
        found |= c <= 1 ? HAS_MARK : c < ' ' || c == 0x7f ? HAS_CONTROL : c == ':' ? HAS_COLON : 0;
    }
    return found;
}

/* "authentication" is none. */
bool shape_is_user_and_password(const char *from, const char *to)
{
    return decode(from, to) == HAS_COLON;
}

bool shape_is_plain_login(const char *from, const char *to)
{
    return (decode(from, to) & ~(unsigned)HAS_COLON) == HAS_MARK;
}

/* "Bearer x" and "Basic x". */
bool detect_scheme(const struct passage *line, const char *at, struct finding *ret)
{
    bool basic = strncasecmp(at, "basic", 5) == 0;
    const char *from = at + (basic ? 5 : 6), *word = from;
    while (from < line->end && *from == ' ')
        from++;
    const char *to = run(from, line->end, basic ? is_base64 : is_bearer_byte);
    if (from == word || to == from)
        return false;
    if (basic ? to - from > MAX_BASIC || !shape_is_user_and_password(from, to)
              : to - from < MIN_BEARER)
        return false;
    *ret = (struct finding){from, to};
    return true;
}

/* In place of the vendor's prefix and what follows it. */
bool detect_vendor_key(const struct passage *line, const char *at, struct finding *ret)
{
    static const struct {
        const char *prefix;
        size_t length; /* of the rest, at least */
    } vendors[] = {{"AKIA", 16},
                   {"ASIA", 16},
                   {"ghp_", 30},
                   {"gho_", 30},
                   {"ghs_", 30},
                   {"ghu_", 30},
                   {"ghr_", 30},
                   {"glpat-", 20},
                   {"glrt-", 20},
                   {"gldt-", 20},
                   {"xoxa-", 20},
                   {"xoxb-", 20},
                   {"xoxp-", 20},
                   {"xoxr-", 20},
                   {"xoxs-", 20},
                   {"xapp-", 20},
                   {"github_pat_", 22},
                   {"AIza", 30},
                   {"ya29.", 20},
                   {"GOCSPX-", 20},
                   {"hvs.", 20},
                   {"npm_", 30},
                   {"sk_live_", 16},
                   {"sk_test_", 16},
                   {"AGE-SECRET-KEY-1", 20}};
    for (size_t i = 0; i < ARRAY_SIZE(vendors); i++) {
        size_t n = strlen(vendors[i].prefix);
        if ((size_t)(line->end - at) < n || memcmp(at, vendors[i].prefix, n) != 0)
            continue;
        if (!stands_alone(line, at))
            return false;
        bool upper = i < 2;
        const char *to = run(at + n, line->end, upper ? is_upper_or_digit : is_url64);
        bool goes_on = upper && to < line->end && is_url64(*to);
        if (goes_on || (size_t)(to - at) - n < vendors[i].length)
            return false;
        *ret = (struct finding){at, to};
        return true;
    }
    return false;
}

/* A key in PEM form that was put into Base64 as a whole. Certificates are public. */
bool detect_encoded_key(const struct passage *line, const char *at, struct finding *ret)
{
    static const char certificate[] = "LS0tLS1CRUdJTiBDRVJU", beginning[] = "LS0tLS1CRUdJTi";
    if (memcmp(at, beginning, sizeof beginning - 1) != 0)
        return false;
    if ((size_t)(line->end - at) >= sizeof certificate - 1 &&
        memcmp(at, certificate, sizeof certificate - 1) == 0)
        return false;
    *ret = (struct finding){at, run(at, line->end, is_base64)};
    return true;
}

/* hooks.slack.com/services/T.../B.../...: who knows the path may write. */
bool detect_web_hook(const struct passage *line, const char *at, struct finding *ret)
{
    static const char *const hooks[] = {"hooks.slack.com/services/", "api.telegram.org/bot",
                                        "/api/webhooks/", "/IncomingWebhook/"};
    const char *from = at;
    for (size_t i = 0; i < ARRAY_SIZE(hooks); i++)
        if (cursor_take(&from, line->end, hooks[i]))
            break;
    const char *to = from;
    while (to < line->end && (is_url64(*to) || strchr("/:", *to)))
        to++;
    *ret = (struct finding){from, to};
    return to - from >= MIN_BEARER;
}

/* "Private-Lines: 14", in a file of PuTTY. */
static unsigned putty_lines(const struct passage *line, const char *at)
{
    unsigned lines = 0;
    const char *p = at + strlen("Private-Lines:");
    while (p < line->end && *p == ' ')
        p++;
    for (; p < line->end && isdigit((unsigned char)*p) && lines <= MAX_KEY_LINES; p++)
        lines = lines * 10 + (unsigned)(*p - '0');
    return lines < MAX_KEY_LINES ? lines : MAX_KEY_LINES;
}

bool detect_private_key(const struct passage *line, const char *at, struct finding *ret,
                        unsigned *ret_lines)
{
    static const char kind[] = "PRIVATE KEY", dashes[] = "----", end_marker[] = "-----END ";
    if (*at != '-') {
        *ret = (struct finding){line->end, line->end};
        *ret_lines = putty_lines(line, at);
        return *ret_lines > 0;
    }
    size_t left = (size_t)(line->end - at), near = left < MAX_HEAD ? left : MAX_HEAD;
    const char *name = memmem(at, near, kind, sizeof kind - 1);
    const char *head = name ? memmem(name, (size_t)(at + near - name), dashes, 4) : NULL;
    if (!head)
        return false;
    const char *from = head;
    while (from < line->end && *from == '-')
        from++;
    const char *to = memmem(from, (size_t)(line->end - from), end_marker, sizeof end_marker - 1);
    *ret_lines = to ? 0 : MAX_KEY_LINES;
    *ret = (struct finding){from, to ? to : line->end};
    return true;
}
