/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * A connection to a host's XAPI: the local socket, or a layer (TLS) that a program puts over a
 * socket to elsewhere. There is no plain TCP: a session must not cross a network in clear.
 */
#pragma once

#include <sys/socket.h>

#include "common/rpc/limit.h"

struct stream_layer;

struct stream {
    const struct stream_layer *layer;
    void *state; /* of the layer */
    int fd;      /* does not block */
    struct limit limit;
    char peer[300]; /* whom it leads to, for people */
};

/* How bytes get into the socket and out of it. */
struct stream_layer {
    /*
     * One try. 0 with *ret > 0: so many bytes are through; 0 with *ret 0: nothing yet, and what was
     * missing was waited for (limit_wait()); 1: the peer ended the connection; or an error.
     */
    int (*write)(struct stream *stream, const void *bytes, size_t length, size_t *ret,
                 struct err *err);
    int (*read)(struct stream *stream, void *buffer, size_t size, size_t *ret, struct err *err);
    void (*release)(struct stream *stream); /* before the socket is closed */
};

/* ERR_NOTFOUND: no such socket; ERR_IO: nobody answers; ERR_TIMEOUT; ERR_CANCELLED. */
int stream_open_local(const char *path, const struct limit *limit, struct stream **ret,
                      struct err *err);

/* For a layer: a stream to `peer` without a socket, and its connection to one address. */
int stream_new(const struct limit *limit, const char *peer, struct stream **ret, struct err *err);
int stream_connect(struct stream *stream, const void *address, socklen_t length, struct err *err);

void *stream_free(struct stream *stream);

int stream_write(struct stream *stream, const void *bytes, size_t length, struct err *err);

/* Something as soon as there is something; *ret 0 is the end. */
int stream_read(struct stream *stream, void *buffer, size_t size, size_t *ret, struct err *err);
