/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * Without printf() and isxdigit(): a digest has 32 bytes, and the latter asks the locale.
 */
#include "common/hex.h"

void hex_write(const void *bytes, size_t length, char *ret)
{
    static const char digits[] = "0123456789abcdef";
    const unsigned char *p = bytes;
    for (size_t i = 0; i < length; i++) {
        *ret++ = digits[p[i] >> 4];
        *ret++ = digits[p[i] & 15];
    }
    *ret = '\0';
}

int hex_value(char c)
{
    return c >= '0' && c <= '9'   ? c - '0'
           : c >= 'a' && c <= 'f' ? c - 'a' + 10
           : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                  : -1;
}
