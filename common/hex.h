/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * Hexadecimal digits: of digests, keys and escapes.
 */
#pragma once

#include <stddef.h>

/* Two small digits a byte and a NUL: `ret` has room for 2 * length + 1. */
void hex_write(const void *bytes, size_t length, char *ret);

/* 0 to 15, of large and small digits; -1: not one. */
int hex_value(char c);
