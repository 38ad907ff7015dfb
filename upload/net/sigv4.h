/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * AWS Signature Version 4 in the header Authorization, for S3 and what speaks like it.
 * Source: "Authenticating Requests: Using the Authorization Header", Amazon S3 API Reference.
 */
#pragma once

#include "common/err.h"
#include "common/strbuf.h"

struct sigv4 {
    const char *access_key, *secret_key;
    const char *region, *service;
    const char *method;
    const char *path;           /* of the URL, as it is sent */
    const char *query;          /* behind the "?", or NULL */
    const char *const *headers; /* "name: value": all are signed; host, x-amz-date and
                                   x-amz-content-sha256 must be there. NULL ends the list. */
};

#define SIGV4_MAX_HEADERS 32
#define SIGV4_MAX_QUERY   32
#define SIGV4_DATE_SIZE   17 /* "20130524T000000Z" */

/* Appends the value of the header. ERR_BUG: a header is missing or there are too many;
 * ERR_UNSUPPORTED: libcrypto does not compute HMAC. */
int sigv4_sign(const struct sigv4 *request, struct strbuf *ret, struct err *err);
