/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * Everything is non-blocking, and all waiting is limit_wait()'s. With TLS a read may have to wait
 * until it can write, and the other way round; OpenSSL says which.
 */
#include "collector/pool/stream.h"

#include <errno.h>
#include <openssl/err.h>
#include <poll.h>
#include <sys/un.h>

#include "common/io.h"

#define CONNECT_LIMIT_MS 20000 /* for one address; a host that is down does not even refuse */
#define RETRY_MS         100   /* a local socket whose queue is full */

struct stream {
    int fd;
    SSL *session; /* NULL: a local socket */
    struct limit limit;
    char peer[300];
};

static int new_stream(const struct limit *limit, const char *peer, struct stream **ret,
                      struct err *err)
{
    struct stream *stream = calloc(1, sizeof *stream);
    if (!stream)
        return err_nomem(err);
    stream->fd = -1;
    stream->limit = *limit;
    snprintf(stream->peer, sizeof stream->peer, "%s", peer);
    *ret = stream;
    return 0;
}

void *stream_free(struct stream *stream)
{
    if (!stream)
        return NULL;
    if (stream->session) {
        ERR_clear_error();
        SSL_shutdown(stream->session); /* one try; an answer is not waited for */
        SSL_free(stream->session);
        ERR_clear_error();
    }
    io_close(&stream->fd);
    free(stream);
    return NULL;
}

const char *stream_peer(const struct stream *stream)
{
    return stream->peer;
}

static int refuse(int sysno, const char *peer, struct err *err)
{
    return err_set_errno(err, sysno, "cannot connect to %s", peer);
}

/* Connects to one address. */
static int connect_one(struct stream *stream, const void *address, socklen_t length,
                       struct err *err)
{
    const struct sockaddr *any = address;
    io_close(&stream->fd);
    stream->fd = socket(any->sa_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (stream->fd < 0)
        return err_set_errno(err, errno, "cannot make a socket");
    struct limit shorter = limit_within(&stream->limit, CONNECT_LIMIT_MS);
    int failure = connect(stream->fd, any, length) < 0 ? errno : 0;
    while (failure == EAGAIN && io_now_ms() < shorter.deadline_ms) {
        poll(NULL, 0, RETRY_MS);
        failure = connect(stream->fd, any, length) < 0 ? errno : 0;
    }
    if (failure == EINPROGRESS) {
        int r = limit_wait(&shorter, stream->fd, POLLOUT, stream->peer, err);
        socklen_t size = sizeof failure;
        if (r < 0)
            return r;
        if (getsockopt(stream->fd, SOL_SOCKET, SO_ERROR, &failure, &size) < 0)
            failure = errno;
    }
    return failure ? refuse(failure, stream->peer, err) : 0;
}

int stream_open_local(const char *path, const struct limit *limit, struct stream **ret,
                      struct err *err)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    struct stream *stream;
    if (strlen(path) >= sizeof address.sun_path)
        return err_set(err, ERR_LIMIT, "'%s' is too long for the name of a socket", path);
    if (access(path, F_OK) < 0)
        return err_set(err, ERR_NOTFOUND, "there is no socket '%s': XAPI does not run", path);
    memcpy(address.sun_path, path, strlen(path));
    int r = new_stream(limit, "the local XAPI", &stream, err);
    if (r < 0)
        return r;
    r = connect_one(stream, &address, sizeof address, err);
    if (r < 0)
        stream_free(stream);
    else
        *ret = stream;
    return r;
}

/* What to do after OpenSSL's `result`: 0 to try again, 1 at the end of the stream, or an error. */
static int after_tls(struct stream *stream, int result, const char *doing, struct err *err)
{
    int sysno = errno;
    long verdict = SSL_get_verify_result(stream->session);
    switch (SSL_get_error(stream->session, result)) {
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
        int result = SSL_connect(stream->session);
        if (result == 1)
            return 0;
        int r = after_tls(stream, result, "talk to", err);
        if (r != 0)
            return r < 0 ? r
                         : err_set(err, ERR_IO, "%s closed the connection before it began",
                                   stream->peer);
    }
}

static int connect_any(struct stream *stream, const struct endpoint_addresses *addresses,
                       struct err *err)
{
    struct err last = ERR_INIT;
    int r = ERR_NOTFOUND;
    for (int i = 0; i < addresses->count && r < 0 && r != ERR_CANCELLED; i++) {
        err_clear(&last);
        r = connect_one(stream, &addresses->items[i], addresses->lengths[i], &last);
    }
    if (r < 0 && err)
        *err = last;
    return r;
}

int stream_open_tls(const struct endpoint *peer, const struct trust *trust, struct spawner *spawner,
                    const struct limit *limit, struct stream **ret, struct err *err)
{
    struct endpoint_addresses addresses;
    struct stream *stream;
    int r = endpoint_resolve(peer, spawner, limit, &addresses, err);
    if (r == 0)
        r = new_stream(limit, peer->host, &stream, err);
    if (r < 0)
        return r;
    r = connect_any(stream, &addresses, err);
    if (r == 0)
        r = trust_new_session(trust, peer, &stream->session, err);
    if (r == 0 && !SSL_set_fd(stream->session, stream->fd))
        r = err_nomem(err);
    if (r == 0)
        r = shake_hands(stream, err);
    if (r < 0)
        stream_free(stream);
    else
        *ret = stream;
    return r;
}

int stream_write(struct stream *stream, const void *bytes, size_t length, struct err *err)
{
    for (const char *p = bytes; length > 0;) {
        ssize_t n;
        int r;
        if (stream->session) {
            ERR_clear_error();
            errno = 0;
            n = SSL_write(stream->session, p, (int)(length < INT32_MAX ? length : INT32_MAX));
            r = n > 0 ? 0 : after_tls(stream, (int)n, "write to", err);
        } else {
            n = send(stream->fd, p, length, MSG_NOSIGNAL);
            r = n >= 0 ? 0
                : errno == EAGAIN
                    ? limit_wait(&stream->limit, stream->fd, POLLOUT, stream->peer, err)
                : errno == EINTR ? 0
                                 : err_set_errno(err, errno, "cannot write to %s", stream->peer);
        }
        if (r < 0)
            return r;
        if (r > 0)
            return err_set(err, ERR_IO, "%s closed the connection", stream->peer);
        if (n > 0) {
            p += n;
            length -= (size_t)n;
        }
    }
    return 0;
}

int stream_read(struct stream *stream, void *buffer, size_t size, size_t *ret, struct err *err)
{
    for (;;) {
        ssize_t n;
        int r = limit_check(&stream->limit, stream->peer, err);
        if (r < 0)
            return r;
        if (stream->session) {
            ERR_clear_error();
            errno = 0;
            n = SSL_read(stream->session, buffer, (int)(size < INT32_MAX ? size : INT32_MAX));
            r = n > 0 ? 0 : after_tls(stream, (int)n, "read from", err);
        } else {
            n = recv(stream->fd, buffer, size, 0);
            r = n == 0  ? 1
                : n > 0 ? 0
                : errno == EAGAIN
                    ? limit_wait(&stream->limit, stream->fd, POLLIN, stream->peer, err)
                : errno == EINTR ? 0
                                 : err_set_errno(err, errno, "cannot read from %s", stream->peer);
        }
        if (r < 0)
            return r;
        if (r > 0 || n > 0) {
            *ret = n > 0 ? (size_t)n : 0;
            return 0;
        }
    }
}
