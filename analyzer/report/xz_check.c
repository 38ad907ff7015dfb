/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * Follows an xz file from header to header (format: the xz project's xz-file-format.txt), without
 * decompressing it: streams hold blocks and an index, blocks hold chunks, and each says how long it
 * is. Chunks are LZMA2's, which is always the last filter.
 *
 * The dictionary's size is one byte in the properties of LZMA2: an exponent of two with one bit of
 * mantissa. A file that breaks the format is left alone from there on: its decoder stops, too.
 */
#include "analyzer/report/xz_check.h"

#include <string.h>

#define STREAM_HEADER      12
#define STREAM_FOOTER      12
#define INDEX_SUM          4
#define FILTER_LZMA2       0x21
#define DICTIONARY_128_MIB 30 /* 2 << (30 / 2 + 11) */

#define HAS_PACKED_SIZE   0x40
#define HAS_UNPACKED_SIZE 0x80

enum step { AT_STREAM, AT_BLOCK, AT_CHUNK, AT_INDEX_COUNT, AT_INDEX, AT_NOTHING };

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

static bool wants_much(const unsigned char *header, size_t length)
{
    unsigned flags = header[1];
    struct cursor cursor = {header + 2, header + length};
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

/* What is gathered has been used; `skip` bytes later the next step gathers `want`. */
static void go_on(struct xz_check *check, enum step step, uint64_t skip, size_t want)
{
    check->step = (int)step;
    check->skip = skip;
    check->have = 0;
    check->want = want;
}

/* Streams may have zeros between them, in groups of four. */
static void at_stream(struct xz_check *check)
{
    static const unsigned char sum_sizes[] = {0,  4,  4,  4,  8,  8,  8,  16,
                                              16, 16, 32, 32, 32, 64, 64, 64};
    if (check->have < STREAM_HEADER && memcmp(check->gathered, "\0\0\0\0", 4) == 0) {
        go_on(check, AT_STREAM, 0, 4);
    } else if (check->have < STREAM_HEADER) {
        check->want = STREAM_HEADER;
    } else if (memcmp(check->gathered, "\3757zXZ", 6) == 0) {
        check->sum_size = sum_sizes[check->gathered[7] & 15];
        go_on(check, AT_BLOCK, 0, 1);
    } else {
        go_on(check, AT_NOTHING, 0, 0);
    }
}

static bool at_block(struct xz_check *check)
{
    size_t length = ((size_t)check->gathered[0] + 1) * 4;
    check->length = 0;
    if (check->gathered[0] == 0) {
        check->length = 1;
        go_on(check, AT_INDEX_COUNT, 0, 1);
    } else if (check->have < length) {
        check->want = length;
    } else {
        go_on(check, AT_CHUNK, 0, 1);
        return wants_much(check->gathered, length);
    }
    return false;
}

/* Chunks are stored, or packed with their own properties in front of them or without. */
static void at_chunk(struct xz_check *check)
{
    const unsigned char *head = check->gathered;
    bool is_packed = head[0] >= 0x80;
    size_t length = is_packed ? 5 : 3;
    if (head[0] == 0) {
        uint64_t padding = -(check->length + 1) & 3;
        go_on(check, AT_BLOCK, padding + check->sum_size, 1);
    } else if (head[0] > 2 && !is_packed) {
        go_on(check, AT_NOTHING, 0, 0);
    } else if (check->have < length) {
        check->want = length;
    } else {
        uint64_t data = (uint64_t)(head[length - 2] << 8 | head[length - 1]) + 1;
        data += head[0] >= 0xc0;
        check->length += length + data;
        go_on(check, AT_CHUNK, data, 1);
    }
}

/* The number of records, then two numbers for each of them. */
static void at_index(struct xz_check *check, bool is_count)
{
    struct cursor cursor = {check->gathered, check->gathered + check->have};
    if (check->gathered[check->have - 1] & 0x80) {
        check->want++;
        if (check->have >= 9)
            go_on(check, AT_NOTHING, 0, 0);
        return;
    }
    check->length += check->have;
    uint64_t number = next_number(&cursor);
    check->numbers_left = is_count ? 2 * number : check->numbers_left - 1;
    if (check->numbers_left > 0)
        go_on(check, AT_INDEX, 0, 1);
    else
        go_on(check, AT_STREAM, (-check->length & 3) + INDEX_SUM + STREAM_FOOTER, 4);
}

/* Looks at what is gathered. True for a greedy block. */
static bool take_step(struct xz_check *check)
{
    switch ((enum step)check->step) {
    case AT_STREAM:
        at_stream(check);
        break;
    case AT_BLOCK:
        return at_block(check);
    case AT_CHUNK:
        at_chunk(check);
        break;
    case AT_INDEX_COUNT:
    case AT_INDEX:
        at_index(check, check->step == AT_INDEX_COUNT);
        break;
    case AT_NOTHING:
        break;
    }
    return false;
}

bool xz_check_is_greedy(struct xz_check *check, const char *bytes, size_t length)
{
    if (check->want == 0 && check->step == AT_STREAM)
        check->want = 4;
    while (length > 0 && check->step != AT_NOTHING) {
        uint64_t part = check->skip > 0 ? check->skip : check->want - check->have;
        size_t n = part < length ? (size_t)part : length;
        if (check->skip > 0) {
            check->skip -= n;
        } else {
            memcpy(check->gathered + check->have, bytes, n);
            check->have += n;
        }
        bytes += n;
        length -= n;
        if (check->skip == 0 && check->have > 0 && check->have == check->want && take_step(check))
            return true;
    }
    return false;
}
