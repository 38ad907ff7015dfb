/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * Everything is non-blocking, and all waiting is limit_wait()'s. A socket without a layer on top is
 * a layer itself, so that reading and writing know no cases.
 */
#include "common/rpc/stream.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/un.h>

#include "common/io.h"

#define CONNECT_LIMIT_MS 20000 /* for one address; a host that is down does not even refuse */
#define RETRY_MS         100   /* a local socket whose queue is full */

static int plain_write(struct stream *stream, const void *bytes, size_t length, size_t *ret,
                       struct err *err)
{
    ssize_t n = send(stream->fd, bytes, length, MSG_NOSIGNAL);
    *ret = n > 0 ? (size_t)n : 0;
    if (n >= 0 || errno == EINTR)
        return 0;
    return errno == EAGAIN ? limit_wait(&stream->limit, stream->fd, POLLOUT, stream->peer, err)
                           : err_set_errno(err, errno, "cannot write to %s", stream->peer);
}

static int plain_read(struct stream *stream, void *buffer, size_t size, size_t *ret,
                      struct err *err)
{
    ssize_t n = recv(stream->fd, buffer, size, 0);
    *ret = n > 0 ? (size_t)n : 0;
    if (n >= 0)
        return n == 0;
    if (errno == EINTR)
        return 0;
    return errno == EAGAIN ? limit_wait(&stream->limit, stream->fd, POLLIN, stream->peer, err)
                           : err_set_errno(err, errno, "cannot read from %s", stream->peer);
}

static void plain_release(struct stream *stream)
{
    (void)stream;
}

static const struct stream_layer plain_layer = {
    .write = plain_write,
    .read = plain_read,
    .release = plain_release,
};

int stream_new(const struct limit *limit, const char *peer, struct stream **ret, struct err *err)
{
    struct stream *stream = calloc(1, sizeof *stream);
    if (!stream)
        return err_nomem(err);
    stream->layer = &plain_layer;
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
    stream->layer->release(stream);
    io_close(&stream->fd);
    free(stream);
    return NULL;
}

static int refuse(int sysno, const char *peer, struct err *err)
{
    return err_set_errno(err, sysno, "cannot connect to %s", peer);
}

int stream_connect(struct stream *stream, const void *address, socklen_t length, struct err *err)
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
    int r = stream_new(limit, "the local XAPI", &stream, err);
    if (r < 0)
        return r;
    r = stream_connect(stream, &address, sizeof address, err);
    if (r < 0)
        stream_free(stream);
    else
        *ret = stream;
    return r;
}

int stream_write(struct stream *stream, const void *bytes, size_t length, struct err *err)
{
    for (const char *p = bytes; length > 0;) {
        size_t n;
        int r = stream->layer->write(stream, p, length, &n, err);
        if (r < 0)
            return r;
        if (r > 0)
            return err_set(err, ERR_IO, "%s closed the connection", stream->peer);
        p += n;
        length -= n;
    }
    return 0;
}

int stream_read(struct stream *stream, void *buffer, size_t size, size_t *ret, struct err *err)
{
    for (;;) {
        size_t n;
        int r = limit_check(&stream->limit, stream->peer, err);
        if (r == 0)
            r = stream->layer->read(stream, buffer, size, &n, err);
        if (r < 0)
            return r;
        if (r > 0 || n > 0) {
            *ret = r > 0 ? 0 : n;
            return 0;
        }
    }
}
