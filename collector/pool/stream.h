/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * A connection to a host's XAPI: the local socket, or TLS. There is no plain TCP: a session must
 * not cross a network in clear.
 */
#pragma once

#include "collector/pool/trust.h"

struct stream;

/* ERR_NOTFOUND: no such socket; ERR_IO: nobody answers; ERR_TIMEOUT; ERR_CANCELLED. */
int stream_open_local(const char *path, const struct limit *limit, struct stream **ret,
                      struct err *err);

/* ERR_DENIED: the host's certificate is not trusted; the others as above. */
int stream_open_tls(const struct endpoint *peer, const struct trust *trust, struct spawner *spawner,
                    const struct limit *limit, struct stream **ret, struct err *err);

void *stream_free(struct stream *stream);

int stream_write(struct stream *stream, const void *bytes, size_t length, struct err *err);

/* Something as soon as there is something; *ret 0 is the end. */
int stream_read(struct stream *stream, void *buffer, size_t size, size_t *ret, struct err *err);

/* Whom it leads to, for people. */
const char *stream_peer(const struct stream *stream);
