/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * libcurl is given finished headers instead of user, password, token or keys: so there is one copy
 * less that we cannot wipe, and no way in which it could take them to another host. What remains
 * is the request as libcurl puts it together for sending, which it frees without wiping.
 */
#include "upload/net/authorize.h"

#include <time.h>

#include "common/secret.h"
#include "upload/net/sigv4.h"

#define MAX_LINE 4096 /* the longest token with its prefix, and Base64 of the longest password */

static bool is_one_line(const char *text)
{
    for (const char *p = text; *p; p++)
        if ((unsigned char)*p < ' ' || *p == 0x7f)
            return false;
    return true;
}

static int add_line(struct curl_slist **list, const char *line, struct err *err)
{
    if (!is_one_line(line))
        return err_set(err, ERR_USAGE, "a header has control characters in it");
    struct curl_slist *longer = curl_slist_append(*list, line);
    if (!longer)
        return err_nomem(err);
    *list = longer;
    return 0;
}

void authorize_forget(struct curl_slist **list)
{
    for (struct curl_slist *node = *list; node; node = node->next)
        secret_forget(node->data, strlen(node->data));
    curl_slist_free_all(*list);
    *list = NULL;
}

static void add_base64(const char *text, struct strbuf *out)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    const unsigned char *p = (const unsigned char *)text;
    for (size_t left = strlen(text); left > 0;) {
        size_t n = left < 3 ? left : 3;
        unsigned bits =
            (unsigned)p[0] << 16 | (n > 1 ? (unsigned)p[1] << 8 : 0) | (n > 2 ? p[2] : 0);
        for (size_t i = 0; i < 4; i++)
            strbuf_addc(out, i <= n ? digits[bits >> (18 - 6 * i) & 63] : '=');
        p += n;
        left -= n;
    }
}

/* "Authorization: ...", or nothing when we have nothing to show. */
static void write_authorization(const struct net_secrets *secrets, enum net_auth auth,
                                struct strbuf *line)
{
    if (auth == NET_AUTH_BT && secrets->token[0]) {
        strbuf_addf(line, "Authorization: BT %s", secrets->token);
    } else if (auth == NET_AUTH_BEARER && secrets->token[0]) {
        strbuf_addf(line, "Authorization: Bearer %s", secrets->token);
    } else if (auth == NET_AUTH_BEARER && secrets->user[0]) {
        char both[sizeof secrets->user + sizeof secrets->password];
        snprintf(both, sizeof both, "%s:%s", secrets->user, secrets->password);
        strbuf_adds(line, "Authorization: Basic ");
        add_base64(both, line);
        secret_forget(both, sizeof both);
    }
}

static int add_token(const struct net *net, enum net_auth auth, struct curl_slist **list,
                     struct err *err)
{
    char memory[MAX_LINE]; /* a strbuf on the stack: nothing is left behind by growing */
    struct strbuf line = {memory, 0, sizeof memory, sizeof memory - 1, false};
    memory[0] = '\0';
    write_authorization(&net->secrets, auth, &line);
    int r = !strbuf_ok(&line) ? err_set(err, ERR_USAGE, "the token or password is too long")
            : line.length > 0 ? add_line(list, line.data, err)
                              : 0;
    secret_forget(memory, sizeof memory);
    return r;
}

static bool has_header(const struct curl_slist *list, const char *name)
{
    size_t length = strlen(name);
    for (; list; list = list->next)
        if (strncasecmp(list->data, name, length) == 0 && list->data[length] == ':')
            return true;
    return false;
}

static int add_pair(struct curl_slist **list, const char *name, const char *value, struct err *err)
{
    char line[MAX_LINE];
    snprintf(line, sizeof line, "%s: %s", name, value);
    int r = add_line(list, line, err);
    secret_forget(line, sizeof line);
    return r;
}

static int add_amazon_headers(const struct net *net, const struct url *url,
                              struct curl_slist **list, struct err *err)
{
    char authority[URL_HOST_SIZE + 16], date[SIGV4_DATE_SIZE];
    url_authority(url, authority, sizeof authority);
    time_t now = time(NULL);
    struct tm utc;
    strftime(date, sizeof date, "%Y%m%dT%H%M%SZ", gmtime_r(&now, &utc));
    int r = add_pair(list, "Host", authority, err);
    if (r == 0)
        r = add_pair(list, "x-amz-date", date, err);
    if (r == 0 && !has_header(*list, "x-amz-content-sha256"))
        r = add_pair(list, "x-amz-content-sha256", "UNSIGNED-PAYLOAD", err);
    if (r == 0 && net->secrets.session_token[0])
        r = add_pair(list, "x-amz-security-token", net->secrets.session_token, err);
    return r;
}

static int add_signature(const struct net *net, const struct net_request *request,
                         const struct url *url, struct curl_slist **list, struct err *err)
{
    const char *lines[SIGV4_MAX_HEADERS + 1];
    size_t count = 0;
    for (struct curl_slist *node = *list; node && count < SIGV4_MAX_HEADERS; node = node->next)
        lines[count++] = node->data;
    lines[count] = NULL;
    char *path = NULL, *query = NULL;
    struct strbuf value = STRBUF_INIT_MAX(MAX_LINE);
    strbuf_adds(&value, "Authorization: ");
    int r = curl_url_get(url->handle, CURLUPART_PATH, &path, 0) == CURLUE_OK ? 0 : err_nomem(err);
    curl_url_get(url->handle, CURLUPART_QUERY, &query, 0);
    if (r == 0) {
        const struct sigv4 sigv4 = {
            .access_key = net->secrets.access_key,
            .secret_key = net->secrets.secret_key,
            .region = request->region ? request->region : "us-east-1",
            .service = "s3",
            .method = request->method,
            .path = path,
            .query = query,
            .headers = lines,
        };
        r = sigv4_sign(&sigv4, &value, err);
    }
    if (r == 0)
        r = add_line(list, value.data, err);
    strbuf_release(&value);
    curl_free(path);
    curl_free(query);
    return r;
}

int authorize_check(const struct net *net, enum net_auth auth, struct err *err)
{
    const struct net_secrets *has = &net->secrets;
    if (auth == NET_AUTH_SIGV4 && (!has->access_key[0] || !has->secret_key[0]))
        return err_set(err, ERR_USAGE,
                       "there are no keys to sign with: give access_key= and secret_key= in the "
                       "file of --credentials");
    if (auth == NET_AUTH_SSH && !net->options.identity && !has->password[0])
        return err_set(err, ERR_USAGE,
                       "SFTP needs a private key (--identity FILE) or a password (password= in "
                       "the file of --credentials)");
    if (auth == NET_AUTH_BT && !has->token[0] && has->user[0])
        return err_set(err, ERR_DENIED,
                       "a Health Check service takes files with a token only: --grant URL gets one "
                       "for this user and password, --token FILE uses it");
    return 0;
}

static int add_keys(const struct net *net, const struct net_request *request, const struct url *url,
                    struct curl_slist **list, struct err *err)
{
    int r = authorize_check(net, NET_AUTH_SIGV4, err);
    if (r == 0)
        r = add_amazon_headers(net, url, list, err);
    return r < 0 ? r : add_signature(net, request, url, list, err);
}

int authorize_headers(const struct net *net, const struct net_request *request,
                      const struct url *url, bool expects, struct curl_slist **ret, struct err *err)
{
    struct curl_slist *list = NULL;
    int r = 0;
    for (const char *const *line = request->headers; r == 0 && line && *line; line++)
        r = add_line(&list, *line, err);
    if (r == 0 && request->auth == NET_AUTH_SIGV4)
        r = add_keys(net, request, url, &list, err);
    else if (r == 0)
        r = add_token(net, request->auth, &list, err);
    if (r == 0) /* without a value libcurl leaves it out */
        r = add_line(&list, expects ? "Expect: 100-continue" : "Expect:", err);
    if (r < 0)
        authorize_forget(&list);
    else
        *ret = list;
    return r;
}
