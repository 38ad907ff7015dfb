/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * MD5 (the original's inventory) and SHA-256 (the manifest) of a stream of bytes, in one pass.
 */
#pragma once

#include <stddef.h>

#include "common/err.h"

#define DIGESTS_MD5_TEXT    33
#define DIGESTS_SHA256_TEXT 65

struct digests;

/* ERR_UNSUPPORTED: the system's OpenSSL has to be asked, and refuses MD5. */
int digests_new(struct digests **ret, struct err *err);
void *digests_free(struct digests *digests);

/* Begins anew. */
int digests_reset(struct digests *digests, struct err *err);

int digests_add(struct digests *digests, const void *bytes, size_t length, struct err *err);

/* Hexadecimal text. Only digests_reset() and digests_free() may follow. */
int digests_finish(struct digests *digests, char ret_md5[DIGESTS_MD5_TEXT],
                   char ret_sha256[DIGESTS_SHA256_TEXT], struct err *err);
