/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * As much HTTP/1.1 as XAPI speaks: one request on a connection, and an answer whose body has a
 * length, comes in chunks, or ends with the connection.
 *
 * The other end is not trusted to behave: status line and headers are bounded and checked, an
 * answer with two lengths is refused, redirects are not followed.
 */
#pragma once

#include "common/rpc/stream.h"
#include "common/strbuf.h"

#define HTTP_BUFFER_BYTES 16384 /* also the limit of one line and of all headers together */

struct http_request {
    const char *method, *target;
    const char *host;    /* value of the header */
    const char *program; /* who asks */
    const char *session; /* XAPI's session, sent as a cookie; NULL: none */
    const char *body;    /* JSON, or NULL */
    size_t body_length;
};

struct http_answer {
    int status;
    struct stream *stream; /* borrowed */
    bool chunked, has_length, ended;
    int64_t left; /* of the body, or of a chunk */
    size_t begin, end;
    char buffer[HTTP_BUFFER_BYTES];
};

/* Sends the request and reads status and headers. ERR_PARSE: what came is no HTTP. */
int http_ask(struct stream *stream, const struct http_request *request, struct http_answer *ret,
             struct err *err);

/* *ret 0: the body is complete. ERR_IO: the connection ended before the body did. */
int http_read(struct http_answer *answer, void *buffer, size_t size, size_t *ret, struct err *err);

/* The whole body; ERR_LIMIT beyond `maximum` bytes. */
int http_read_all(struct http_answer *answer, size_t maximum, struct strbuf *body, struct err *err);
