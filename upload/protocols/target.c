/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * A URL is taken apart once, here, and strictly: what is no plain URL of a known scheme is refused
 * with what would be right. No text of an error shows more of it than scheme and host, as the rest
 * may be a secret (presigned URLs, passwords).
 */
#include <ctype.h>
#include <strings.h>

#include "common/hex.h"
#include "common/suggest.h"
#include "common/units.h"
#include "upload/protocols/protocol.h"

#define MAX_GIVEN   4096 /* signs; a protocol adds names to it, up to NET_MAX_URL */
#define SCHEMES_MAX 32
#define SHOWN       40 /* signs of a wrong scheme that an error shows */

static int check_signs(const char *url, struct err *err)
{
    if (!*url)
        return err_set(err, ERR_USAGE, "the URL is empty");
    if (strlen(url) > MAX_GIVEN)
        return err_set(err, ERR_USAGE, "the URL has more than %d signs", MAX_GIVEN);
    const char *mark = strstr(url, "://"), *path = mark ? strchr(mark + 3, '/') : NULL;
    for (const char *p = url; *p; p++) {
        if (mark && (unsigned char)*p >= 0x80 && (!path || p < path))
            return err_set(err, ERR_USAGE,
                           "sign %zu of the URL is no ASCII: write the host as it is in DNS, "
                           "xn--...",
                           (size_t)(p - url) + 1);
        if (*p <= ' ' || *p > '~' || strchr("\"<>\\^`{|}", *p))
            return err_set(err, ERR_USAGE,
                           "sign %zu of the URL cannot stand in a URL: write it as %%%02X",
                           (size_t)(p - url) + 1, (unsigned char)*p);
        if (*p == '%' && (hex_value(p[1]) < 0 || hex_value(p[2]) < 0))
            return err_set(err, ERR_USAGE,
                           "sign %zu of the URL is a %% without two hexadecimal digits behind it: "
                           "write a percent sign as %%25",
                           (size_t)(p - url) + 1);
    }
    return 0;
}

static const struct protocol *find(const char *scheme, size_t length)
{
    for (size_t i = 0; protocols[i]; i++)
        for (const char *const *s = protocols[i]->schemes; *s; s++)
            if (strlen(*s) == length && strncasecmp(*s, scheme, length) == 0)
                return protocols[i];
    return NULL;
}

static int unknown_scheme(const char *url, size_t length, struct err *err)
{
    const char *known[SCHEMES_MAX + 1] = {NULL};
    char word[SHOWN + 1], list[256] = "";
    size_t count = 0, used = 0;
    for (size_t i = 0; protocols[i]; i++)
        for (const char *const *s = protocols[i]->schemes; *s && count < SCHEMES_MAX; s++) {
            known[count] = *s;
            int n = snprintf(list + used, sizeof list - used, "%s%s://", count ? ", " : "", *s);
            used = n > 0 && used + (size_t)n < sizeof list ? used + (size_t)n : used;
            count++;
        }
    snprintf(word, sizeof word, "%.*s", length < SHOWN ? (int)length : SHOWN, url);
    const char *near = suggest_nearest(word, known);
    return near ? err_set(err, ERR_USAGE, "'%s://' is not known; do you mean '%s://'?", word, near)
                : err_set(err, ERR_USAGE, "'%s://' is not known; there are %s", word, list);
}

static int no_scheme(const char *url, struct err *err)
{
    const char *colon = strchr(url, ':'), *slash = strchr(url, '/');
    const struct protocol *meant = colon ? find(url, (size_t)(colon - url)) : NULL;
    if (meant)
        return err_set(err, ERR_USAGE, "two slashes belong behind the scheme: %.*s://%s",
                       (int)(colon - url), url,
                       meant == &protocol_file ? "/FOLDER/, three for a folder" : "HOST/PATH");
    if (*url == '/')
        return err_set(err, ERR_USAGE,
                       "the second name is no URL; for a folder of this host write "
                       "file:///FOLDER/");
    if (colon > url && (!slash || colon < slash))
        return err_set(err, ERR_USAGE,
                       "the second name is no URL; for SSH write sftp://HOST/PATH, with the user's "
                       "name in the file given with --credentials");
    return err_set(
        err, ERR_USAGE,
        "the second name is no URL: it needs a scheme, for example tus+https://HOST/PATH");
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

/* `authority` is what stands between "://" and the next slash. */
static int check_authority(const char *authority, size_t length, bool may_be_empty, struct err *err)
{
    const char *end = authority + length, *port = end;
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

/* "https://host:port" of any URL. */
static char *origin_of(const char *url)
{
    const char *authority = strstr(url, "://") + 3;
    return strndup(url, (size_t)(authority - url) + strcspn(authority, "/?#"));
}

/* What people read as the place: the server for S3 is the endpoint, for `file` it is the path. */
static char *describe_place(const struct target *target, const struct transfer_options *options)
{
    if (target->protocol == &protocol_file)
        return strdup(target->url);
    if (!target->http && options && options->s3_endpoint && strstr(options->s3_endpoint, "://") &&
        strncasecmp(target->url, "s3://", 5) == 0)
        return origin_of(options->s3_endpoint);
    return origin_of(target->http ? target->http : target->url);
}

int target_parse(const char *url, const struct transfer_options *options, struct target *ret,
                 struct err *err)
{
    struct target target = {.protocol = NULL};
    int r = check_signs(url, err);
    if (r < 0)
        return r;
    const char *mark = strstr(url, "://");
    size_t scheme = mark ? (size_t)(mark - url) : 0;
    if (!mark || scheme == 0 || strcspn(url, "/?#@") < scheme)
        return no_scheme(url, err);
    target.protocol = find(url, scheme);
    if (!target.protocol)
        return unknown_scheme(url, scheme, err);
    const char *authority = mark + 3;
    r = check_authority(authority, strcspn(authority, "/?#"), target.protocol == &protocol_file,
                        err);
    if (r < 0)
        return r;
    target.url = strndup(url, strcspn(url, "#"));
    const char *plus = memchr(url, '+', scheme);
    if (target.url && target.protocol->is_http)
        target.http = strdup(target.url + (plus ? plus + 1 - url : 0));
    if (target.url && (target.http || !target.protocol->is_http))
        target.origin = describe_place(&target, options);
    r = target.origin ? 0 : err_nomem(err);
    if (r == 0 && target.protocol->check)
        r = target.protocol->check(&target, options, err);
    if (r == 0)
        *ret = target;
    else
        target_release(&target);
    return r;
}

void target_release(struct target *target)
{
    free(target->url);
    free(target->http);
    free(target->origin);
    *target = (struct target){.protocol = NULL};
}
