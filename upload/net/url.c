/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * libcurl's parser is lenient in places (backslashes, several slashes, blanks); browsers and other
 * parsers are lenient in others. So only what all of them read alike comes in: the characters of
 * RFC 3986, no user or password.
 */
#include "upload/net/url.h"

#include <arpa/inet.h>
#include <netinet/in.h>

#include "common/url_text.h"
#include "upload/net/net.h"

/* A part of the URL into a buffer. False when it has none, or it does not fit. */
static bool get_part(CURLU *handle, CURLUPart part, unsigned flags, char *buffer, size_t size)
{
    char *text = NULL;
    bool there = curl_url_get(handle, part, &text, flags) == CURLUE_OK && strlen(text) < size;
    if (there)
        snprintf(buffer, size, "%s", text);
    curl_free(text);
    return there;
}

static bool take_apart(struct url *url)
{
    char port[sizeof url->port];
    if (!get_part(url->handle, CURLUPART_SCHEME, 0, url->scheme, sizeof url->scheme) ||
        !get_part(url->handle, CURLUPART_HOST, 0, url->host, sizeof url->host) ||
        !get_part(url->handle, CURLUPART_PORT, CURLU_DEFAULT_PORT, url->port, sizeof url->port))
        return false;
    url->has_default_port =
        !get_part(url->handle, CURLUPART_PORT, CURLU_NO_DEFAULT_PORT, port, sizeof port);
    size_t length = strlen(url->host);
    if (length > 2 && url->host[0] == '[') {
        memmove(url->host, url->host + 1, length - 2);
        url->host[length - 2] = '\0';
    }
    return length > 0;
}

static bool names_user(CURLU *handle)
{
    char *text = NULL;
    bool user = curl_url_get(handle, CURLUPART_USER, &text, 0) == CURLUE_OK;
    curl_free(text);
    text = NULL;
    bool password = curl_url_get(handle, CURLUPART_PASSWORD, &text, 0) == CURLUE_OK;
    curl_free(text);
    return user || password;
}

int url_parse(const char *text, struct url *ret, struct err *err)
{
    struct url url = {.handle = NULL};
    if (strlen(text) > NET_MAX_URL)
        return err_set(err, ERR_USAGE, "the URL is longer than %d characters", NET_MAX_URL);
    if (!url_text_has_only_signs(text))
        return err_set(err, ERR_USAGE,
                       "the URL has characters that no URL has: write them as %%XX, and a host's "
                       "name as xn--");
    url.handle = curl_url();
    if (!url.handle)
        return err_nomem(err);
    /* Any scheme: who asks looks at it; of a proxy it may be "socks5h". */
    if (curl_url_set(url.handle, CURLUPART_URL, text, CURLU_NON_SUPPORT_SCHEME) != CURLUE_OK ||
        !take_apart(&url)) {
        url_release(&url);
        return err_set(err, ERR_USAGE, "that is no URL of a server");
    }
    if (names_user(url.handle)) {
        url_release(&url);
        return err_set(err, ERR_USAGE,
                       "the URL has a user or a password in it: they belong into a file "
                       "(--credentials FILE, and --proxy-credentials FILE for a proxy)");
    }
    *ret = url;
    return 0;
}

void url_release(struct url *url)
{
    curl_url_cleanup(url->handle);
    url->handle = NULL;
}

void url_origin(const struct url *url, char *buffer, size_t size)
{
    bool six = strchr(url->host, ':');
    snprintf(buffer, size, "%s://%s%s%s:%s", url->scheme, six ? "[" : "", url->host, six ? "]" : "",
             url->port);
}

void url_authority(const struct url *url, char *buffer, size_t size)
{
    bool six = strchr(url->host, ':');
    snprintf(buffer, size, "%s%s%s%s%s", six ? "[" : "", url->host, six ? "]" : "",
             url->has_default_port ? "" : ":", url->has_default_port ? "" : url->port);
}

bool url_host_is_address(const struct url *url)
{
    struct in6_addr address;
    return inet_pton(AF_INET, url->host, &address) == 1 ||
           inet_pton(AF_INET6, url->host, &address) == 1;
}

bool url_is_loopback(const struct url *url)
{
    struct in_addr four;
    struct in6_addr six;
    if (inet_pton(AF_INET, url->host, &four) == 1)
        return ntohl(four.s_addr) >> 24 == 127;
    return inet_pton(AF_INET6, url->host, &six) == 1 && IN6_IS_ADDR_LOOPBACK(&six);
}

bool url_host(const char *text, char ret[URL_HOST_SIZE])
{
    CURLU *handle = curl_url();
    bool there = handle && url_text_has_only_signs(text) &&
                 curl_url_set(handle, CURLUPART_URL, text, 0) == CURLUE_OK &&
                 get_part(handle, CURLUPART_HOST, 0, ret, URL_HOST_SIZE);
    curl_url_cleanup(handle);
    return there;
}

static bool same_origin(const struct url *a, const struct url *b)
{
    return strcasecmp(a->scheme, b->scheme) == 0 && strcasecmp(a->host, b->host) == 0 &&
           strcmp(a->port, b->port) == 0;
}

static int resolve(const struct url *base, const char *location, struct url *ret, struct err *err)
{
    struct url url = {.handle = curl_url_dup(base->handle)};
    if (!url.handle)
        return err_nomem(err);
    if (curl_url_set(url.handle, CURLUPART_URL, location, 0) != CURLUE_OK ||
        curl_url_set(url.handle, CURLUPART_FRAGMENT, NULL, 0) != CURLUE_OK || !take_apart(&url) ||
        names_user(url.handle)) {
        url_release(&url);
        return err_set(err, ERR_PARSE, "the server's answer leads to a place that is no URL");
    }
    *ret = url;
    return 0;
}

static int give_text(const struct url *url, struct strbuf *ret, struct err *err)
{
    char *text = NULL;
    if (curl_url_get(url->handle, CURLUPART_URL, &text, 0) != CURLUE_OK)
        return err_nomem(err);
    strbuf_adds(ret, text);
    curl_free(text);
    return strbuf_ok(ret) ? 0 : err_nomem(err);
}

int net_same_origin(const char *base, const char *location, struct strbuf *ret, struct err *err)
{
    struct url from, to;
    if (strlen(location) > NET_MAX_URL || location[0] == '\0' || !url_text_has_only_signs(location))
        return err_set(err, ERR_PARSE, "the server's answer leads to a place that is no URL");
    int r = url_parse(base, &from, err);
    if (r < 0)
        return r;
    r = resolve(&from, location, &to, err);
    if (r == 0) {
        r = same_origin(&from, &to)
                ? give_text(&to, ret, err)
                : err_set(err, ERR_DENIED,
                          "the server's answer leads to another server, '%s:%s': refused, because "
                          "what is sent there could be read there",
                          to.host, to.port);
        url_release(&to);
    }
    url_release(&from);
    return r;
}
