/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * Tokens of a Health Check service: a name and a password become a token to upload with and one to
 * read results with, in the four steps that XenCenter takes when a pool is enrolled.
 * (Source: XenCenter's enrolment; identity, grant, upload token, diagnostic token.)
 */
#pragma once

#include "upload/net/net.h"

struct grant_wish {
    const char *service; /* scheme and host, and a path where the service has one; a slash at the
                            end and "/feeds/api" there do not matter */
    const char *user, *password; /* UTF-8 */
    const char *product_key;     /* as whom we ask; NULL: as XenCenter */
    int64_t expires_s;           /* how long the tokens live; 0: for ever, as an enrolled pool's */
};

struct grant {
    char upload_token[2048];     /* of xen-upload and of a pool's secret */
    char diagnostic_token[2048]; /* reads progress and results; "" where the service has none */
    char upload_url[1024];       /* "cis+https://host/feeds/api/" */
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
 * "created"}, one line, mode 0600; "diagnostic_token" may be null.
 */
int grant_write(const struct grant *grant, const char *path, struct err *err);

/*
 * The token for uploads of such a file's text, or of one that is a token itself: in place, and
 * wiped behind it. ERR_PARSE for JSON that is no grant.
 */
int grant_take_token(char *text, size_t size, struct err *err);

void grant_forget(struct grant *grant);
