/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * MD5 and SHA-256 of whole blocks, both at once: much faster than one after the other, on
 * processors that can.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define DIGEST_BLOCK 64 /* bytes, of both */

/* What has been digested so far. */
struct digest_words {
    uint32_t md5[4], sha256[8];
};

/* Whether this build and this processor have it. */
bool digest_kernel_works(void);

void digest_kernel(struct digest_words *words, const unsigned char *bytes, size_t blocks);
