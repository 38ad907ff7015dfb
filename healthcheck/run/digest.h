/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * SHA-256 of a file.
 */
#pragma once

#include <stdint.h>

#include "common/err.h"

#define DIGEST_TEXT_BYTES 65

/* Hexadecimal digits, and the size. ERR_IO, ERR_NOMEM. */
int digest_file(const char *path, char ret[DIGEST_TEXT_BYTES], int64_t *ret_bytes, struct err *err);
