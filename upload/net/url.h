/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * Questions about URLs, all answered by the parser that also makes the connection: two parsers
 * would now and then see two hosts.
 */
#pragma once

#include <curl/curl.h>
#include <stdbool.h>

#include "common/err.h"

#define URL_HOST_SIZE 256 /* a DNS name has 253 characters */

struct url {
    CURLU *handle;
    char scheme[16];
    char host[URL_HOST_SIZE]; /* an IPv6 address without its brackets */
    char port[8];             /* always given */
    bool has_default_port;
};

/*
 * Takes apart an absolute URL. ERR_USAGE: none, one with user or password, with characters that are
 * none of URLs, too long, or whose host is written in letters that are not ASCII.
 */
int url_parse(const char *text, struct url *ret, struct err *err);
void url_release(struct url *url);

/* "https://host:port", for people. */
void url_origin(const struct url *url, char *buffer, size_t size);

/* The name for the header Host: with its port unless that is the scheme's own. */
void url_authority(const struct url *url, char *buffer, size_t size);

/* An address of this machine itself, written as such: 127.0.0.0/8 or [::1]. */
bool url_is_loopback(const struct url *url);
bool url_host_is_address(const struct url *url);

/* The host of a reference, if it has one. */
bool url_host(const char *text, char ret[URL_HOST_SIZE]);
