/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * Strict where parsers differ (backslashes, blanks, a user's name, letters beyond ASCII): two of
 * them must not see two hosts in what passes.
 */
#include "common/url_text.h"

#include <ctype.h>
#include <stdint.h>

#include "common/hex.h"
#include "common/units.h"

static bool is_sign(char c)
{
    return c > ' ' && c <= '~' && !strchr("\"<>\\^`{|}", c);
}

bool url_text_has_only_signs(const char *text)
{
    while (*text && is_sign(*text))
        text++;
    return *text == '\0';
}

int url_text_check_signs(const char *text, struct err *err)
{
    if (!*text)
        return err_set(err, ERR_USAGE, "the URL is empty");
    if (strlen(text) > URL_TEXT_MAX)
        return err_set(err, ERR_USAGE, "the URL has more than %d signs", URL_TEXT_MAX);
    const char *mark = strstr(text, "://"), *path = mark ? strchr(mark + 3, '/') : NULL;
    for (const char *p = text; *p; p++) {
        if (mark && (unsigned char)*p >= 0x80 && (!path || p < path))
            return err_set(err, ERR_USAGE,
                           "sign %zu of the URL is no ASCII: write the host as it is in DNS, "
                           "xn--...",
                           (size_t)(p - text) + 1);
        if (!is_sign(*p))
            return err_set(err, ERR_USAGE,
                           "sign %zu of the URL cannot stand in a URL: write it as %%%02X",
                           (size_t)(p - text) + 1, (unsigned char)*p);
        if (*p == '%' && (hex_value(p[1]) < 0 || hex_value(p[2]) < 0))
            return err_set(err, ERR_USAGE,
                           "sign %zu of the URL is a %% without two hexadecimal digits behind it: "
                           "write a percent sign as %%25",
                           (size_t)(p - text) + 1);
    }
    return 0;
}

bool url_text_split(const char *text, struct url_text *ret)
{
    const char *mark = strstr(text, "://");
    size_t scheme = mark ? (size_t)(mark - text) : 0;
    if (scheme == 0 || strcspn(text, "/?#@") < scheme)
        return false;
    *ret = (struct url_text){scheme, mark + 3, strcspn(mark + 3, "/?#")};
    return true;
}

static bool is_host(const char *host, size_t length)
{
    if (length > 2 && host[0] == '[')
        return host[length - 1] == ']' &&
               strspn(host + 1, "0123456789abcdefABCDEF:.") == length - 2;
    for (size_t i = 0; i < length; i++)
        if (!isalnum((unsigned char)host[i]) && !strchr("-._~", host[i]))
            return false;
    return length > 0;
}

static bool is_port(const char *port, size_t length)
{
    char text[6];
    int64_t number;
    if (length == 0 || length >= sizeof text)
        return false;
    snprintf(text, sizeof text, "%.*s", (int)length, port);
    return units_integer(text, &number) && number >= 1 && number <= 65535;
}

int url_text_check_authority(const struct url_text *url, bool may_be_empty, struct err *err)
{
    size_t length = url->authority_length;
    const char *authority = url->authority, *end = authority + length, *port = end;
    const char *at = memchr(authority, '@', length);
    if (at && memchr(authority, ':', (size_t)(at - authority)))
        return err_set(err, ERR_USAGE,
                       "the URL has a password in it, which others can read: write username= and "
                       "password= into a file of mode 0600 and name it with --credentials");
    if (at)
        return err_set(err, ERR_USAGE,
                       "the URL has a user's name in it: write username= into a file of mode 0600 "
                       "and name it with --credentials");
    if (length == 0 && may_be_empty)
        return 0;
    for (const char *p = end; p > authority && p[-1] != ']'; p--)
        if (p[-1] == ':')
            port = p - 1;
    if (!is_host(authority, (size_t)(port - authority)))
        return err_set(err, ERR_USAGE, "the URL has no host, or one that cannot be");
    if (port < end && !is_port(port + 1, (size_t)(end - port - 1)))
        return err_set(err, ERR_USAGE, "the URL's port is no number from 1 to 65535");
    return 0;
}

size_t url_text_origin_length(const char *text)
{
    const char *mark = strstr(text, "://"), *authority = mark ? mark + 3 : text;
    return (size_t)(authority - text) + strcspn(authority, "/?#");
}

/* Behind "tus+" and its like: what is connected to is the same. */
static const char *skip_protocol(const char *text)
{
    size_t letters = strspn(text, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789");
    return text[letters] == '+' ? text + letters + 1 : text;
}

bool url_text_same_origin(const char *a, const char *b)
{
    a = skip_protocol(a);
    b = skip_protocol(b);
    size_t length = url_text_origin_length(a);
    return url_text_origin_length(b) == length && strncasecmp(a, b, length) == 0;
}

size_t url_text_public_length(const char *text)
{
    return strcspn(text, "?#");
}
