/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * One bzip2 stream out of many. Streams one after the other would be simpler, and bzip2 and tar
 * read them; but some readers stop after the first (Python's tarfile in its streaming mode, older
 * .NET libraries), so the blocks are taken out of the streams that libbz2 makes and put into one.
 *
 * A stream is "BZh" and its level, blocks, and an end of 80 bits with a checksum over the blocks'
 * checksums; a block begins with 48 bits of a fixed number and its checksum; nothing but the head
 * begins on a byte. Each of our streams has exactly one block: bytes that libbz2's run-length
 * coding could make too many for it are compressed in two halves. (Source: the format as bzip2's
 * sources show it.)
 */
#include <bzlib.h>

#include "collector/bundle/filter.h"

#define UNIT        100000 /* level 1 has blocks of so many bytes, level 9 of nine times that */
#define SPARE       4000   /* left free in a block for runs of four bytes, which become five */
#define FULL        100    /* libbz2 ends a block some bytes before it is full */
#define LONGEST_RUN 255
#define HEAD_BYTES  4
#define NUMBER_BITS 48
#define TAIL_BITS   80
#define END_NUMBER  0x177245385090
#define SHIFT_BYTES 4096

/*
 * Smaller blocks sort faster, since they stay in the processor's cache, and lose little. With level
 * 9 two threads would need more than the 32 MiB that the program may take.
 */
static int level(enum compression effort)
{
    return effort == COMPRESSION_FAST ? 2 : effort == COMPRESSION_BEST ? 8 : 4;
}

static size_t block_bytes(enum compression effort)
{
    return (size_t)level(effort) * UNIT - SPARE;
}

/* What libbz2's first step makes of the bytes: runs of 4 to 255 become 5. */
static size_t run_length(const unsigned char *bytes, size_t length)
{
    size_t result = 0, run;
    for (size_t at = 0; at < length; at += run) {
        for (run = 1; at + run < length && bytes[at + run] == bytes[at] && run < LONGEST_RUN;)
            run++;
        result += run < 4 ? run : 5;
    }
    return result;
}

static int compress(const struct filter *filter, struct block *block, size_t from, size_t to,
                    struct err *err)
{
    unsigned length = (unsigned)(block->room - block->out_length);
    int r = BZ2_bzBuffToBuffCompress((char *)block->out + block->out_length, &length,
                                     (char *)block->bytes + from, (unsigned)(to - from),
                                     level(compressor_effort(filter->compressor)), 0, 0);
    if (r == BZ_MEM_ERROR)
        return err_nomem(err);
    if (r != BZ_OK)
        return err_set(err, ERR_BUG, "libbz2 cannot compress a block: %d", r);
    block->out_length += length;
    return 0;
}

static int transform(const struct filter *filter, struct block *block, struct err *err)
{
    size_t full = (size_t)level(compressor_effort(filter->compressor)) * UNIT - FULL;
    size_t size = block_bytes(compressor_effort(filter->compressor));
    int r = block_room(block, size + size / 50 + 2 * 600, err); /* bzip2's manual: 1 % and 600 */
    if (r < 0)
        return r;
    bool fits = run_length(block->bytes, block->length) <= full;
    size_t middle = fits ? block->length : block->length / 2;
    r = compress(filter, block, 0, middle, err);
    block->part = block->out_length;
    if (r == 0 && !fits)
        r = compress(filter, block, middle, block->length, err);
    return r;
}

static uint64_t bits_at(const unsigned char *bytes, size_t at, unsigned count)
{
    uint64_t value = 0;
    for (unsigned i = 0; i < count; i++, at++)
        value = value << 1 | (bytes[at / 8] >> (7 - at % 8) & 1);
    return value;
}

/* Appends bits, which begin on a byte, to the output. */
static void put_bits(struct filter *filter, const unsigned char *bytes, size_t bits)
{
    unsigned char shifted[SHIFT_BYTES];
    const unsigned shift = filter->carry_count;
    size_t whole = bits / 8, used;
    for (size_t at = 0; at < whole; at += used) {
        used = whole - at < sizeof shifted ? whole - at : sizeof shifted;
        shifted[0] = (unsigned char)(filter->carry | bytes[at] >> shift);
        for (size_t i = 1; i < used; i++)
            shifted[i] = (unsigned char)(bytes[at + i - 1] << (8 - shift) | bytes[at + i] >> shift);
        filter->carry = (unsigned char)(bytes[at + used - 1] << (8 - shift));
        output_write(filter->output, shifted, used);
    }
    unsigned rest = (unsigned)(bits % 8);
    if (rest == 0)
        return;
    unsigned char top = (unsigned char)(bytes[whole] & (0xff00 >> rest));
    unsigned char byte = (unsigned char)(filter->carry | top >> shift);
    filter->carry_count = shift + rest;
    filter->carry = byte;
    if (filter->carry_count >= 8) {
        output_write(filter->output, &byte, 1);
        filter->carry = (unsigned char)(top << (8 - shift));
        filter->carry_count -= 8;
    }
}

static void put_number(struct filter *filter, uint64_t number, unsigned bits)
{
    unsigned char bytes[sizeof number];
    for (unsigned i = 0; i < bits / 8; i++)
        bytes[i] = (unsigned char)(number >> (bits - 8 * (i + 1)));
    put_bits(filter, bytes, bits);
}

/* Takes the one block out of a stream. */
static int put_stream(struct filter *filter, const unsigned char *bytes, size_t length,
                      struct err *err)
{
    uint32_t crc = (uint32_t)bits_at(bytes + HEAD_BYTES, NUMBER_BITS, 32);
    for (size_t padding = 0; padding < 8 && length > HEAD_BYTES + TAIL_BITS / 8; padding++) {
        size_t end = length * 8 - padding - TAIL_BITS;
        if (bits_at(bytes, end, NUMBER_BITS) != END_NUMBER ||
            bits_at(bytes, end + NUMBER_BITS, 32) != crc)
            continue;
        put_bits(filter, bytes + HEAD_BYTES, end - HEAD_BYTES * 8);
        filter->crc = (filter->crc << 1 | filter->crc >> 31) ^ crc;
        return 0;
    }
    return err_set(err, ERR_BUG, "libbz2's output cannot be understood");
}

static int begin(struct filter *filter)
{
    char head[HEAD_BYTES] = {'B', 'Z', 'h',
                             (char)('0' + level(compressor_effort(filter->compressor)))};
    return output_write(filter->output, head, sizeof head);
}

static int emit(struct filter *filter, const struct block *block, struct err *err)
{
    int r = put_stream(filter, block->out, block->part, err);
    if (r == 0 && block->out_length > block->part)
        r = put_stream(filter, block->out + block->part, block->out_length - block->part, err);
    return r;
}

static int end(struct filter *filter)
{
    put_number(filter, END_NUMBER, NUMBER_BITS);
    put_number(filter, filter->crc, 32);
    return filter->carry_count ? output_write(filter->output, &filter->carry, 1) : 0;
}

const struct filter_ops filter_bzip2 = {
    .block_bytes = block_bytes,
    .begin = begin,
    .transform = transform,
    .emit = emit,
    .end = end,
};
