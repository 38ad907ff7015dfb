/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * What matters is which failures go away by waiting and which do not. In doubt they do: a network
 * that is bad fails in many ways. But nobody waits for a certificate to become trusted.
 *
 * The reasons that libcurl gives hold names of hosts and texts of OpenSSL, some of them written by
 * the other side, and nothing of our headers.
 */
#include "upload/net/failure.h"

#include "common/escape.h"

enum kind {
    UNREACHED, /* no connection, or it broke */
    UNTRUSTED,
    GARBLED, /* what came is no HTTP */
    SETUP,   /* a file or option of ours */
    REFUSED, /* user and password, over SSH */
};

static const struct {
    CURLcode result;
    enum kind kind;
} kinds[] = {
    {CURLE_PEER_FAILED_VERIFICATION, UNTRUSTED},
    {CURLE_SSL_PINNEDPUBKEYNOTMATCH, UNTRUSTED},
    {CURLE_SSL_ISSUER_ERROR, UNTRUSTED},
    {CURLE_SSL_INVALIDCERTSTATUS, UNTRUSTED},
    {CURLE_WEIRD_SERVER_REPLY, GARBLED},
    {CURLE_UNSUPPORTED_PROTOCOL, GARBLED}, /* HTTP/0.9: we have looked at the URL before */
    {CURLE_BAD_CONTENT_ENCODING, GARBLED},
    {CURLE_FILESIZE_EXCEEDED, GARBLED},
    {CURLE_SSL_CACERT_BADFILE, SETUP},
    {CURLE_SSL_CERTPROBLEM, SETUP},
    {CURLE_SSL_CIPHER, SETUP},
    {CURLE_LOGIN_DENIED, REFUSED},
    {CURLE_REMOTE_ACCESS_DENIED, REFUSED},
};

static bool has_any(const char *text, const char *const *words)
{
    while (*words && !strstr(text, *words))
        words++;
    return *words;
}

/*
 * A handshake fails when the line is cut or damaged, too; what OpenSSL found wrong has a number.
 * After it only one thing is a verdict: the other side's alert about our certificate, which comes
 * that late in TLS 1.3. A record that was damaged on the way is sent again.
 */
static bool is_verdict_of_tls(const char *reason, bool after_handshake)
{
    static const char *const passing[] = {
        "internal error",
        "unexpected eof",
        "close notify",
        "user cancelled",
        "bad record mac",
        "decryption failed",
        "cipher operation failed",
        "decode error",
        "record overflow",
        "decrypt error",
        "unexpected message",
        "digest check failed",
        NULL,
    };
    static const char *const late[] = {"certificate", "unknown ca", "access denied", NULL};
    if (after_handshake)
        return strstr(reason, "alert") && has_any(reason, late);
    return (strstr(reason, "error:") || strstr(reason, "alert")) && !has_any(reason, passing);
}

/* The time is that of this request's own handshake: 0 on a connection that was there before. */
static bool is_after_handshake(const struct net *net)
{
    curl_off_t took = 0;
    long connections = 0;
    curl_easy_getinfo(net->easy, CURLINFO_APPCONNECT_TIME_T, &took);
    curl_easy_getinfo(net->easy, CURLINFO_NUM_CONNECTS, &connections);
    return took > 0 || connections == 0;
}

static enum kind kind_of(CURLcode result, const struct net *net, const char *reason)
{
    for (size_t i = 0; i < ARRAY_SIZE(kinds); i++)
        if (kinds[i].result == result)
            return kinds[i].kind;
    if (result == CURLE_RECV_ERROR && strstr(reason, "chunked-encoding"))
        return GARBLED;
    bool tls = result == CURLE_SSL_CONNECT_ERROR || result == CURLE_RECV_ERROR ||
               result == CURLE_SEND_ERROR;
    return tls && is_verdict_of_tls(reason, is_after_handshake(net)) ? UNTRUSTED : UNREACHED;
}

static int tell(enum kind kind, const struct net *net, const char *reason, struct err *err)
{
    switch (kind) {
    case UNTRUSTED:
        return err_set(err, ERR_DENIED, "%s is not trusted, nothing was sent: %s%s", net->origin,
                       reason,
                       strstr(reason, "issuer") || strstr(reason, "self-signed")
                           ? " (is it of a private authority? Name that: --cacert)"
                       : strstr(reason, "wrong version number")
                           ? " (does a server with TLS listen at that port?)"
                           : "");
    case GARBLED:
        return err_set(err, ERR_PARSE, "what %s answers is no HTTP/1.1: %s", net->origin, reason);
    case SETUP:
        return err_set(err, ERR_USAGE,
                       "a file of --cacert, --cert or --key cannot be used: %s (keys with a "
                       "passphrase cannot)",
                       reason);
    case REFUSED:
        return err_set(err, ERR_DENIED, "%s does not let us in: %s", net->origin, reason);
    case UNREACHED:
        break;
    }
    const char *proxy = net->options.proxy;
    return err_set(err, ERR_AGAIN, "no answer from %s%s%s: %s", net->origin,
                   proxy ? " by the proxy " : "", proxy ? proxy : "", reason);
}

static int by_proxy(const struct net *net, struct err *err)
{
    long status = 0;
    curl_easy_getinfo(net->easy, CURLINFO_HTTP_CONNECTCODE, &status);
    if (!net->options.proxy || status < 300)
        return 0;
    if (status == 407)
        return err_set(err, ERR_DENIED,
                       "the proxy wants other credentials: look at --proxy-credentials");
    return status == 403 || status == 405
               ? err_set(err, ERR_DENIED, "the proxy does not allow connections to %s (status %ld)",
                         net->origin, status)
               : err_set(err, ERR_AGAIN, "the proxy does not reach %s (status %ld)", net->origin,
                         status);
}

/* Success is only success when the server had everything before it said so, and said it to the end.
 */
static int check_success(struct exchange *exchange, struct err *err)
{
    curl_off_t sent = 0;
    curl_easy_getinfo(exchange->net->easy, CURLINFO_SIZE_UPLOAD_T, &sent);
    int status = exchange->reader->answer->status;
    if (!exchange->reader->head_done) /* for libcurl a cut head is a short one */
        return err_set(err, ERR_AGAIN, "no answer from %s: it was cut off in its head",
                       exchange->net->origin);
    if (exchange->ends_early || status < 200 || status > 299 || sent >= exchange->length)
        return 0;
    return err_set(err, ERR_AGAIN, "%s says that it has everything after %lld of %lld bytes",
                   exchange->net->origin, (long long)sent, (long long)exchange->length);
}

/* libcurl calls a line of a head that is longer than its buffer a lack of memory. */
static bool in_head(const struct net *net, const struct answer_reader *reader)
{
    curl_off_t first = 0;
    curl_easy_getinfo(net->easy, CURLINFO_STARTTRANSFER_TIME_T, &first);
    return first > 0 && !reader->head_done;
}

int failure_of(struct exchange *exchange, CURLcode result, struct err *err)
{
    const struct net *net = exchange->net;
    struct answer_reader *reader = exchange->reader;
    if (exchange->err.code != ERR_OK)
        return err_set(err, exchange->err.code, "%s", exchange->err.text);
    if (reader && reader->err.code != ERR_OK)
        return err_set(err, reader->err.code, "%s: %s", net->origin, reader->err.text);
    if (result == CURLE_OK || (reader && reader->cut))
        return reader ? check_success(exchange, err) : 0;
    if (result == CURLE_OUT_OF_MEMORY && reader && in_head(net, reader))
        return err_set(err, ERR_NOMEM,
                       "out of memory, or the answer of %s has a line without end in its head",
                       net->origin);
    if (result == CURLE_OUT_OF_MEMORY)
        return err_nomem(err);
    int r = by_proxy(net, err);
    if (r < 0)
        return r;
    struct strbuf reason = STRBUF_INIT_MAX(300);
    const char *text = net->reason[0] ? net->reason : curl_easy_strerror(result);
    escape_terminal(&reason, text, strlen(text), false);
    r = tell(kind_of(result, net, text), net, reason.data, err);
    strbuf_release(&reason);
    return r;
}
