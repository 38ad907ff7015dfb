/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * The secret that turns originals into pseudonyms, and the two things made with it: a keyed digest,
 * and a keyed permutation of bit strings.
 *
 * A key file is one line of text, mode 0600: "xenhealth-obfuscation-key-1 " and 64 hexadecimal
 * digits. All hosts of a pool that shall get the same pseudonyms need the same file.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "common/err.h"

#define KEY_BYTES    32
#define DIGEST_BYTES 32

struct key {
    uint8_t bytes[KEY_BYTES];
};

/*
 * Reads the file; makes it (and its folder, for root alone) when there is none. ERR_DENIED when
 * others could read it, ERR_PARSE when it is no key file.
 */
int key_load(const char *path, struct key *ret, struct err *err);

/* HMAC-SHA-256 of a label, a NUL and the bytes. */
void key_digest(const struct key *key, const char *label, const void *bytes, size_t length,
                uint8_t digest[DIGEST_BYTES]);

/*
 * Permutes bit strings of one length such that two that share their first n bits, for any n, have
 * images that share exactly n bits too. Bits whose bit in `kept` is 1 stay as they are. In place.
 * (The idea is that of Xu, Fan, Ammar, Moon: Prefix-Preserving IP Address Anonymization, 2002.)
 */
void key_permute(const struct key *key, const char *label, uint8_t *bytes, const uint8_t *kept,
                 size_t length);

/* The way back. */
void key_unpermute(const struct key *key, const char *label, uint8_t *bytes, const uint8_t *kept,
                   size_t length);
