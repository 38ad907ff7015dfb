/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * URLs as people write them, on the command line and in files: what is no URL, or holds a secret,
 * is refused here before anybody stores, shows or asks it. No text of an error shows any of the
 * URL, as every part of it may be a password. What a scheme means is not known here, and what is
 * connected to is found by the parser that connects (upload/net/url.h).
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "common/err.h"

/* Signs. Presigned URLs with a session token have 2 KiB; programs add names and queries to it. */
#define URL_TEXT_MAX 4096

/* Views into the text. */
struct url_text {
    size_t scheme;         /* its length */
    const char *authority; /* what stands between "://" and the next '/', '?' or '#' */
    size_t authority_length;
};

/* Whether there are only signs that RFC 3986 knows. */
bool url_text_has_only_signs(const char *text);

/* ERR_USAGE: empty, too long, a sign that no URL has, a % without two digits behind it. */
int url_text_check_signs(const char *text, struct err *err);

/* False: it has no scheme. */
bool url_text_split(const char *text, struct url_text *ret);

/* ERR_USAGE: a user or a password, no host, or a port that is none. */
int url_text_check_authority(const struct url_text *url, bool may_be_empty, struct err *err);

/* How much of a URL is "https://host:port". */
size_t url_text_origin_length(const char *text);

/*
 * Whether both are of one server, as they are written: "tus+https://h/a" and "https://H/b" are,
 * "https://h" and "https://h:443" are not.
 */
bool url_text_same_origin(const char *a, const char *b);

/* How much of it others may see: a query may be the permission itself (presigned URLs). */
size_t url_text_public_length(const char *text);
