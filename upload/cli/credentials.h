/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * Which credentials an upload gets, and what kind they are.
 */
#pragma once

#include "upload/cli/options.h"

/* Wide enough for credentials_describe(). */
#define CREDENTIALS_KIND_MAX 320

/* Where --credential looks; NULL: nobody has said. */
const char *credentials_folder(const struct options *options);

/*
 * Reads what the options name. Nothing is read, and *ret is empty, when `origin` (of the target, or
 * any URL there) is not the one that the credentials are for; *ret_withheld tells. ERR_DENIED,
 * ERR_NOTFOUND, ERR_PARSE: the file; ERR_USAGE: --credential without a folder.
 */
int credentials_load(const struct options *options, const char *origin, struct net_secrets *ret,
                     bool *ret_withheld, struct err *err);

/* "a token (from '/etc/x/token')": never a value. Returns `buffer`. */
const char *credentials_describe(const struct options *options, const struct net_secrets *secrets,
                                 char buffer[CREDENTIALS_KIND_MAX]);
