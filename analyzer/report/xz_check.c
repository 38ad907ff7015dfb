/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * Reads the header of the first block of an xz file (format: the xz project's xz-file-format.txt,
 * section 3.1).
 *
 * The dictionary's size is one byte in the properties of the filter LZMA2: an exponent of two with
 * one bit of mantissa.
 */
#include "analyzer/report/xz_check.h"

#include <stdint.h>
#include <string.h>

#define STREAM_HEADER      12
#define FILTER_LZMA2       0x21
#define DICTIONARY_128_MIB 30 /* 2 << (30 / 2 + 11) */

#define HAS_PACKED_SIZE   0x40
#define HAS_UNPACKED_SIZE 0x80

struct cursor {
    const unsigned char *p, *end;
};

/* A number in groups of seven bits; all ones when the header ends too soon. */
static uint64_t next_number(struct cursor *cursor)
{
    uint64_t value = 0;
    for (unsigned shift = 0; shift < 63 && cursor->p < cursor->end; shift += 7) {
        unsigned char byte = *cursor->p++;
        value |= (uint64_t)(byte & 0x7f) << shift;
        if (!(byte & 0x80))
            return value;
    }
    return UINT64_MAX;
}

bool xz_check_is_greedy(const char *bytes, size_t length)
{
    const unsigned char *p = (const unsigned char *)bytes;
    if (length < STREAM_HEADER + 2 || memcmp(p, "\3757zXZ", 6) != 0)
        return false;
    size_t header = ((size_t)p[STREAM_HEADER] + 1) * 4;
    if (length < STREAM_HEADER + header)
        return false;

    unsigned flags = p[STREAM_HEADER + 1];
    struct cursor cursor = {p + STREAM_HEADER + 2, p + STREAM_HEADER + header};
    if (flags & HAS_PACKED_SIZE)
        next_number(&cursor);
    if (flags & HAS_UNPACKED_SIZE)
        next_number(&cursor);
    for (unsigned filters = (flags & 3) + 1; filters > 0; filters--) {
        uint64_t id = next_number(&cursor), size = next_number(&cursor);
        if (size > (uint64_t)(cursor.end - cursor.p))
            return false;
        if (id == FILTER_LZMA2 && size >= 1 && cursor.p[0] > DICTIONARY_128_MIB)
            return true;
        cursor.p += size;
    }
    return false;
}
