/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * The digest of a stretch of a file. How a failure is told belongs to the caller: the same error of
 * a read is the end of one program's work, and a server that is away for a moment to another.
 */
#pragma once

#include <openssl/evp.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "common/err.h"

#define DIGEST_BYTES 32 /* of the longest that we use, SHA-256 */

struct digest_wish {
    int fd;           /* is read with pread() */
    const char *name; /* for errors */
    const EVP_MD *kind;
    int64_t offset, length;       /* there may be less */
    const atomic_bool *cancelled; /* may be NULL */
};

/*
 * *ret_bytes: how many there were; fewer than `length` when the file ends before. ERR_CANCELLED;
 * ERR_NOMEM; ERR_UNSUPPORTED: not with this system's libcrypto; else the file cannot be read, and
 * errno stands in err->sysno.
 */
int digest_read(const struct digest_wish *wish, unsigned char ret[DIGEST_BYTES], int64_t *ret_bytes,
                struct err *err);
