/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * With TLS a read may have to wait until it can write, and the other way round; OpenSSL says which.
 */
#include "collector/pool/tls.h"

#include <errno.h>
#include <openssl/err.h>
#include <poll.h>

#include "common/io.h"

/* What to do after OpenSSL's `result`: 0 to try again, 1 at the end of the stream, or an error. */
static int after_tls(struct stream *stream, int result, const char *doing, struct err *err)
{
    int sysno = errno;
    SSL *session = stream->state;
    long verdict = SSL_get_verify_result(session);
    switch (SSL_get_error(session, result)) {
    case SSL_ERROR_WANT_READ:
        return limit_wait(&stream->limit, stream->fd, POLLIN, stream->peer, err);
    case SSL_ERROR_WANT_WRITE:
        return limit_wait(&stream->limit, stream->fd, POLLOUT, stream->peer, err);
    case SSL_ERROR_ZERO_RETURN:
        return 1;
    case SSL_ERROR_SYSCALL:
        if (ERR_peek_error() == 0)
            return sysno == 0 ? 1 : err_set_errno(err, sysno, "cannot %s %s", doing, stream->peer);
        break;
    }
    if (verdict != X509_V_OK)
        return err_set(err, ERR_DENIED,
                       "the certificate of %s is not trusted (%s): the pool's certificates may be "
                       "out of date (xe host-refresh-server-certificate), or give those you trust "
                       "with --cacert",
                       stream->peer, X509_verify_cert_error_string(verdict));
    const char *reason = ERR_reason_error_string(ERR_peek_error());
    return err_set(err, ERR_IO, "cannot %s %s: TLS: %s", doing, stream->peer,
                   reason ? reason : "unknown reason");
}

static int shake_hands(struct stream *stream, struct err *err)
{
    for (;;) {
        ERR_clear_error();
        errno = 0;
        int result = SSL_connect(stream->state);
        if (result == 1)
            return 0;
        int r = after_tls(stream, result, "talk to", err);
        if (r != 0)
            return r < 0 ? r
                         : err_set(err, ERR_IO, "%s closed the connection before it began",
                                   stream->peer);
    }
}

static int tls_write(struct stream *stream, const void *bytes, size_t length, size_t *ret,
                     struct err *err)
{
    ERR_clear_error();
    errno = 0;
    int n = SSL_write(stream->state, bytes, (int)(length < INT32_MAX ? length : INT32_MAX));
    *ret = n > 0 ? (size_t)n : 0;
    return n > 0 ? 0 : after_tls(stream, n, "write to", err);
}

static int tls_read(struct stream *stream, void *buffer, size_t size, size_t *ret, struct err *err)
{
    ERR_clear_error();
    errno = 0;
    int n = SSL_read(stream->state, buffer, (int)(size < INT32_MAX ? size : INT32_MAX));
    *ret = n > 0 ? (size_t)n : 0;
    return n > 0 ? 0 : after_tls(stream, n, "read from", err);
}

static void tls_release(struct stream *stream)
{
    ERR_clear_error();
    SSL_shutdown(stream->state); /* one try; an answer is not waited for */
    SSL_free(stream->state);
    ERR_clear_error();
}

static const struct stream_layer tls_layer = {
    .write = tls_write,
    .read = tls_read,
    .release = tls_release,
};

static int connect_any(struct stream *stream, const struct endpoint_addresses *addresses,
                       struct err *err)
{
    struct err last = ERR_INIT;
    int r = ERR_NOTFOUND;
    for (int i = 0; i < addresses->count && r < 0 && r != ERR_CANCELLED; i++) {
        err_clear(&last);
        r = stream_connect(stream, &addresses->items[i], addresses->lengths[i], &last);
    }
    return err_pass(err, r, &last);
}

int tls_open(const struct endpoint *peer, const struct trust *trust, struct spawner *spawner,
             const struct limit *limit, struct stream **ret, struct err *err)
{
    struct endpoint_addresses addresses;
    struct stream *stream;
    SSL *session = NULL;
    int r = endpoint_resolve(peer, spawner, limit, &addresses, err);
    if (r == 0)
        r = stream_new(limit, peer->host, &stream, err);
    if (r < 0)
        return r;
    r = connect_any(stream, &addresses, err);
    if (r == 0)
        r = trust_new_session(trust, peer, &session, err);
    if (r == 0) {
        stream->layer = &tls_layer;
        stream->state = session;
    }
    if (r == 0 && !SSL_set_fd(session, stream->fd))
        r = err_nomem(err);
    if (r == 0)
        r = shake_hands(stream, err);
    if (r < 0)
        stream_free(stream);
    else
        *ret = stream;
    return r;
}
