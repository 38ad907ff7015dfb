/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * Tokens of a Health Check service: a name and a password become a token to upload with and one to
 * read results with, in the four steps that XenCenter takes when a pool is enrolled.
 * (Source: XenCenter's enrolment; identity, grant, upload token, diagnostic token.)
 */
#pragma once

#include "upload/net/net.h"

/* Where each step is asked, scheme and host, and a path where the service has one; a slash at the
 * end and "/feeds/api" there do not matter. Only `identity` must be given: NULL is "the same". */
struct grant_services {
    const char *identity, *grant, *upload, *diagnostic;
};

/* The product that asks, as XenCenter names it. */
#define GRANT_PRODUCT_KEY "1a2d94a4263cd016dd7a7d510bde87f058a0b75d"

struct grant_wish {
    struct grant_services services;
    const char *user, *password; /* UTF-8 */
    const char *product_key;     /* NULL: GRANT_PRODUCT_KEY */
    int64_t expiration_s;        /* 0: tokens that never expire, as an enrolled pool has them */
};

struct grant {
    char upload_token[2048];     /* of xen-upload and of a pool's secret */
    char diagnostic_token[2048]; /* reads progress and results; "" where the service has none */
    char upload_url[1024];       /* "cis+https://host/feeds/api/" */
    int64_t expires;             /* by our clock, seconds since 1970; 0: never */
};

/*
 * Asks one step after the other, each once. What passes through is wiped; so is what jansson frees,
 * from this call on. `options` are those of net_new().
 * ERR_DENIED: name or password are wrong (403 at the first step), or a later step refuses;
 * ERR_USAGE: name or password are missing or no UTF-8, or a URL is none; ERR_PARSE: an answer
 * without a token; otherwise as net_ask() and net_judge(). A service without the diagnostic step
 * (404) gives an upload token only. *ret is untouched on failure.
 */
int grant_fetch(const struct net_options *options, const struct grant_wish *wish, struct grant *ret,
                struct err *err);

/*
 * Replaces `path` by {"schema":"xenhealth-grant/1","upload_url","upload_token","diagnostic_token",
 * "created","expires"}, mode 0600; "expires" and "diagnostic_token" may be null.
 */
int grant_write(const struct grant *grant, const char *path, struct err *err);

void grant_forget(struct grant *grant);
