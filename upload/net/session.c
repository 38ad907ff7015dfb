/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * HTTP/1.1 only. Our requests go one after another, so HTTP/2 has nothing to share a connection
 * for, and costs: its windows slow a single upload down on long lines, and what ends an upload
 * early (an answer before the body is through) is plain in 1.1.
 *
 * The multi interface is used for one transfer only: it comes back several times a second, so that
 * we can look at the clock and at whoever wants to stop. libcurl's own limit of slowness also
 * counts the wait for the answer, and kills uploads with a limit of rate; ours does not.
 */
#include "upload/net/session.h"

#include "common/io.h"
#include "common/secret.h"
#include "common/version.h"
#include "upload/net/authorize.h"
#include "upload/net/failure.h"
#include "upload/net/trust.h"
#include "upload/net/url.h"

#define LOOK_MS           200
#define USUAL_PATIENCE_S  60
#define CONNECT_S         30
#define SLOWEST           1000 /* bytes a second */
#define ANSWER_PATIENCES  5    /* a server may sort and check a large file before it answers */
#define SEND_BUFFER_BYTES (256L << 10)

/* Variables that libcurl and OpenSSL obey and that we must not. */
static const char *const obeyed[] = {
    "http_proxy", "https_proxy", "HTTPS_PROXY", "all_proxy",     "ALL_PROXY",
    "no_proxy",   "NO_PROXY",    "ftp_proxy",   "SSLKEYLOGFILE", "SSH_AUTH_SOCK",
};

static int read_proxy_credentials(struct net *net, struct err *err)
{
    const struct secret_field fields[] = {
        {"username", net->proxy_user, sizeof net->proxy_user},
        {"password", net->proxy_password, sizeof net->proxy_password},
        {NULL, NULL, 0},
    };
    if (!net->options.proxy_credentials)
        return 0;
    return secret_read_fields(net->options.proxy_credentials, fields, err);
}

static int start_curl(struct net *net, struct err *err)
{
    net->global = curl_global_init(CURL_GLOBAL_DEFAULT) == CURLE_OK;
    net->easy = net->global ? curl_easy_init() : NULL;
    net->multi = net->global ? curl_multi_init() : NULL;
    if (!net->easy || !net->multi)
        return err_nomem(err);
    const curl_version_info_data *version = curl_version_info(CURLVERSION_NOW);
    if (!version->ssl_version || strncmp(version->ssl_version, "OpenSSL/", 8) != 0)
        return err_set(err, ERR_UNSUPPORTED,
                       "the libcurl of this system does not use OpenSSL: its certificates cannot "
                       "be checked as they must be");
    return 0;
}

int net_new(const struct net_options *options, const struct net_secrets *secrets, struct net **ret,
            struct err *err)
{
    CLEANUP(net_cleanup) struct net *net = calloc(1, sizeof *net);
    if (!net)
        return err_nomem(err);
    net->options = *options;
    net->secrets = *secrets;
    for (size_t i = 0; i < ARRAY_SIZE(obeyed); i++)
        unsetenv(obeyed[i]);
    int r = start_curl(net, err);
    if (r == 0)
        r = trust_check_options(options, err);
    if (r == 0)
        r = read_proxy_credentials(net, err);
    if (r == 0)
        *ret = TAKE(net);
    return r;
}

void *net_free(struct net *net)
{
    if (!net)
        return NULL;
    curl_easy_cleanup(net->easy);
    curl_multi_cleanup(net->multi);
    if (net->global)
        curl_global_cleanup();
    secret_forget(net, sizeof *net);
    free(net);
    return NULL;
}

static size_t give_body(char *buffer, size_t size, size_t count, void *user)
{
    struct exchange *exchange = user;
    int64_t left = exchange->length - exchange->given;
    size_t room = size * count;
    /* In small pieces when there is a limit: libcurl pauses after each for as long as it was. */
    int64_t rate = exchange->net->options.rate;
    if (rate > 0 && (int64_t)room > rate / 4 + 1)
        room = (size_t)(rate / 4 + 1);
    size_t length = left < (int64_t)room ? (size_t)left : room;
    int64_t from = exchange->offset + exchange->given;
    if (exchange->source) {
        if (source_read(exchange->source, from, buffer, length, &exchange->err) < 0)
            return CURL_READFUNC_ABORT;
    } else {
        memcpy(buffer, exchange->body + from, length);
    }
    exchange->given += (int64_t)length;
    return length;
}

/* When a connection that was kept turns out to be closed, libcurl begins again on a new one. */
static int rewind_body(void *user, curl_off_t offset, int origin)
{
    struct exchange *exchange = user;
    if (origin != SEEK_SET || offset < 0 || offset > exchange->length)
        return CURL_SEEKFUNC_FAIL;
    exchange->given = offset;
    return CURL_SEEKFUNC_OK;
}

static bool set_proxy(struct net *net)
{
    const struct net_options *options = &net->options;
    bool good = true;
    /* Empty texts are not the same as none: with none libcurl asks the environment. */
    SESSION_SET(net, CURLOPT_PROXY, options->proxy ? options->proxy : "", good);
    SESSION_SET(net, CURLOPT_NOPROXY, "", good);
    SESSION_SET(net, CURLOPT_HTTPPROXYTUNNEL, 1L, good);
    SESSION_SET(net, CURLOPT_SUPPRESS_CONNECT_HEADERS, 1L, good);
    SESSION_SET(net, CURLOPT_PROXYAUTH, (long)(CURLAUTH_BASIC | CURLAUTH_DIGEST), good);
    SESSION_SET(net, CURLOPT_SOCKS5_AUTH, (long)CURLAUTH_BASIC, good);
    if (options->proxy && net->proxy_user[0]) {
        SESSION_SET(net, CURLOPT_PROXYUSERNAME, net->proxy_user, good);
        SESSION_SET(net, CURLOPT_PROXYPASSWORD, net->proxy_password, good);
    }
    return good;
}

static int64_t patience_s(const struct net *net)
{
    return net->options.patience_s > 0 ? net->options.patience_s : USUAL_PATIENCE_S;
}

static bool set_common(struct net *net, struct exchange *exchange, const char *url,
                       const char *scheme)
{
    int64_t connect_s = patience_s(net) < CONNECT_S ? patience_s(net) : CONNECT_S;
    bool good = true;
    SESSION_SET(net, CURLOPT_URL, url, good);
    SESSION_SET(net, CURLOPT_PROTOCOLS_STR, scheme, good);
    SESSION_SET(net, CURLOPT_PATH_AS_IS, 1L, good);
    SESSION_SET(net, CURLOPT_DISALLOW_USERNAME_IN_URL, 1L, good);
    SESSION_SET(net, CURLOPT_FOLLOWLOCATION, 0L, good);
    SESSION_SET(net, CURLOPT_MAXREDIRS, 0L, good);
    SESSION_SET(net, CURLOPT_UNRESTRICTED_AUTH, 0L, good);
    SESSION_SET(net, CURLOPT_NETRC, (long)CURL_NETRC_IGNORED, good);
    SESSION_SET(net, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1, good);
    SESSION_SET(net, CURLOPT_HTTP09_ALLOWED, 0L, good);
    SESSION_SET(net, CURLOPT_USERAGENT, "xen-upload/" XENHEALTH_VERSION, good);
    SESSION_SET(net, CURLOPT_NOSIGNAL, 1L, good);
    SESSION_SET(net, CURLOPT_NOPROGRESS, 1L, good);
    SESSION_SET(net, CURLOPT_QUICK_EXIT, 1L, good);
    SESSION_SET(net, CURLOPT_CONNECTTIMEOUT, (long)connect_s, good);
    SESSION_SET(net, CURLOPT_TCP_KEEPALIVE, 1L, good);
    SESSION_SET(net, CURLOPT_UPLOAD_BUFFERSIZE, SEND_BUFFER_BYTES, good);
    if (net->options.rate > 0)
        SESSION_SET(net, CURLOPT_MAX_SEND_SPEED_LARGE, (curl_off_t)net->options.rate, good);
    SESSION_SET(net, CURLOPT_ERRORBUFFER, net->reason, good);
    SESSION_SET(net, CURLOPT_PRIVATE, exchange, good);
    return good && set_proxy(net);
}

/* Plain connections never leave this machine, whoever asks for one. */
static int check_plain(const struct net *net, const struct url *url, struct err *err)
{
    if (strcmp(url->scheme, "http") != 0)
        return 0;
    if (!net->options.allow_plain || !url_is_loopback(url))
        return err_set(err, ERR_USAGE,
                       "http:// is not encrypted: use https:// (with --allow-plain http:// works "
                       "to 127.0.0.1 and [::1])");
    struct url proxy;
    if (!net->options.proxy || url_parse(net->options.proxy, &proxy, NULL) < 0)
        return 0;
    bool here = url_is_loopback(&proxy);
    url_release(&proxy);
    return here ? 0
                : err_set(err, ERR_USAGE,
                          "http:// is not encrypted: it does not go to a proxy on another machine");
}

int net_check(const struct net *net, const char *text, enum net_auth auth, struct err *err)
{
    struct url url;
    int r = text ? url_parse(text, &url, err) : 0;
    if (text && r == 0) {
        r = check_plain(net, &url, err);
        url_release(&url);
    }
    return r < 0 ? r : authorize_check(net, auth, err);
}

int session_begin(struct net *net, struct exchange *exchange, const char *text, bool is_sftp,
                  struct err *err)
{
    struct url url;
    int r = url_parse(text, &url, err);
    if (r < 0)
        return r;
    bool fits = is_sftp ? strcmp(url.scheme, "sftp") == 0
                        : strcmp(url.scheme, "https") == 0 || strcmp(url.scheme, "http") == 0;
    if (!fits)
        r = err_set(err, ERR_USAGE, "'%s://' is not asked here", url.scheme);
    if (r == 0)
        r = check_plain(net, &url, err);
    snprintf(net->host, sizeof net->host, "%s", url.host);
    url_origin(&url, net->origin, sizeof net->origin);
    url_release(&url);
    if (r < 0)
        return r;
    exchange->net = net;
    secret_forget(net->reason, sizeof net->reason);
    curl_easy_reset(net->easy); /* keeps connections */
    if (!set_common(net, exchange, text, url.scheme) || !trust_set_tls(net))
        return err_set(err, ERR_UNSUPPORTED, "the libcurl of this system lacks what we need (%s)",
                       curl_version());
    return 0;
}

int session_send_body(struct net *net, struct exchange *exchange, struct err *err)
{
    bool good = true;
    SESSION_SET(net, CURLOPT_UPLOAD, 1L, good);
    SESSION_SET(net, CURLOPT_INFILESIZE_LARGE, (curl_off_t)exchange->length, good);
    SESSION_SET(net, CURLOPT_READFUNCTION, give_body, good);
    SESSION_SET(net, CURLOPT_READDATA, exchange, good);
    SESSION_SET(net, CURLOPT_SEEKFUNCTION, rewind_body, good);
    SESSION_SET(net, CURLOPT_SEEKDATA, exchange, good);
    return good ? 0 : err_nomem(err);
}

/* What the clock is compared with. */
struct watch {
    int64_t window_ms, window_sent; /* when the stretch that is looked at began, what was sent */
    int64_t sent_ms;                /* when the body was through; 0: it is not */
    int64_t told;                   /* to progress() */
};

/* The body: at least SLOWEST over each stretch of patience, or half the rate that was asked for. */
static int watch_body(struct watch *watch, struct exchange *exchange, int64_t sent, int64_t now)
{
    int64_t patience = patience_s(exchange->net);
    int64_t rate = exchange->net->options.rate;
    int64_t slowest = rate > 0 && rate / 2 < SLOWEST ? rate / 2 : SLOWEST;
    if (now - watch->window_ms < patience * 1000)
        return 0;
    if (sent - watch->window_sent < slowest * patience || sent == watch->window_sent)
        return err_set(&exchange->err, ERR_AGAIN,
                       "%s takes nothing more: hardly a byte moved for %lld seconds",
                       exchange->net->origin, (long long)patience);
    watch->window_ms = now;
    watch->window_sent = sent;
    return 0;
}

static int64_t tell_progress(struct watch *watch, struct exchange *exchange)
{
    curl_off_t sent = 0;
    curl_easy_getinfo(exchange->net->easy, CURLINFO_SIZE_UPLOAD_T, &sent);
    if (exchange->progress && sent > watch->told) {
        exchange->progress(exchange->context, sent);
        watch->told = sent;
    }
    return sent;
}

/* Ends an exchange that somebody wants to stop, or that does not get on. */
static int look(struct watch *watch, struct exchange *exchange)
{
    const struct net *net = exchange->net;
    int64_t now = io_now_ms(), sent = tell_progress(watch, exchange);
    if (net->options.cancelled && atomic_load(net->options.cancelled))
        return err_set(&exchange->err, ERR_CANCELLED, "the upload was stopped");
    if (sent < exchange->length)
        return watch_body(watch, exchange, sent, now);
    if (watch->sent_ms == 0)
        watch->sent_ms = now;
    int64_t longest = ANSWER_PATIENCES * patience_s(net);
    if (now - watch->sent_ms > longest * 1000)
        return err_set(&exchange->err, ERR_AGAIN, "%s gave no whole answer within %lld seconds",
                       net->origin, (long long)longest);
    return 0;
}

static bool told_early(const struct exchange *exchange)
{
    return exchange->ends_early && exchange->reader && answer_is_whole(exchange->reader);
}

/* CURLE_OK too when we stopped it; exchange->err then says why, if it was a failure. */
static CURLcode drive(struct exchange *exchange)
{
    CURLM *multi = exchange->net->multi;
    struct watch watch = {.window_ms = io_now_ms()};
    for (int running = 1;;) {
        if (curl_multi_perform(multi, &running) != CURLM_OK)
            return CURLE_OUT_OF_MEMORY;
        if (!running)
            break;
        if (look(&watch, exchange) < 0 || told_early(exchange))
            return CURLE_OK;
        if (curl_multi_poll(multi, NULL, 0, LOOK_MS, NULL) != CURLM_OK)
            return CURLE_OUT_OF_MEMORY;
    }
    tell_progress(&watch, exchange);
    int left;
    const CURLMsg *message = curl_multi_info_read(multi, &left);
    return message && message->msg == CURLMSG_DONE ? message->data.result : CURLE_OUT_OF_MEMORY;
}

int session_run(struct net *net, struct exchange *exchange, struct err *err)
{
    if (curl_multi_add_handle(net->multi, net->easy) != CURLM_OK)
        return err_nomem(err);
    exchange->result = drive(exchange);
    curl_multi_remove_handle(net->multi, net->easy);
    return failure_of(exchange, exchange->result, err);
}
