/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * One unaligned load holds a whole match: at most 15 + 5 bits of length and 15 + 13 of distance, of
 * the 57 that are left after shifting. A table maps the next bits to the number of bits that the
 * code and its extra bits take; nothing else about a symbol matters, except that it ends the block
 * or is followed by a distance.
 */
#include "collector/bundle/deflate_walk.h"

#include <endian.h>
#include <stdint.h>
#include <string.h>

#define MAX_CODE_BITS 15
#define LITERALS      288
#define DISTANCES     32
#define LENGTHS       19
#define END_OF_BLOCK  256
#define REPEAT        16 /* symbols in the code for lengths */
#define FEW_ZEROS     17

enum block_type { STORED, FIXED, DYNAMIC, RESERVED };

enum kind { INVALID, LITERAL, END, MATCH };

/*
 * Low 5 bits of an entry: how many bits the code and what belongs to it take. Above: its kind, or
 * in the code for lengths of codes its symbol and one more. 0: no code begins like this.
 */
#define ENTRY(kind, bits) ((unsigned)(kind) << 5 | (bits))
#define BITS(entry)       ((entry)&31)
#define KIND(entry)       ((entry) >> 5)

struct codes {
    unsigned bits; /* the longest code: what the table is indexed by */
    uint16_t table[1 << MAX_CODE_BITS];
};

struct walk {
    const unsigned char *bytes;
    size_t at, end; /* in bits */
    struct codes literals, distances;
};

static uint64_t peek(const struct walk *walk)
{
    uint64_t word;
    memcpy(&word, walk->bytes + walk->at / 8, sizeof word);
    return le64toh(word) >> walk->at % 8;
}

static unsigned take(struct walk *walk, unsigned bits)
{
    unsigned value = (unsigned)(peek(walk) & ((1U << bits) - 1));
    walk->at += bits;
    return value;
}

static unsigned reverse(unsigned code, unsigned bits)
{
    unsigned reversed = 0;
    for (unsigned i = 0; i < bits; i++)
        reversed |= (code >> i & 1) << (bits - 1 - i);
    return reversed;
}

static unsigned look_up(const struct codes *codes, uint64_t word)
{
    return codes->table[word & ((1U << codes->bits) - 1)];
}

/* Canonical codes from their lengths. `describe` gives a symbol's entry without the code's bits. */
static bool build(struct codes *codes, const uint8_t *lengths, unsigned count,
                  unsigned (*describe)(unsigned symbol))
{
    unsigned of_length[MAX_CODE_BITS + 1] = {0}, next[MAX_CODE_BITS + 1] = {0}, code = 0;
    for (unsigned i = 0; i < count; i++)
        of_length[lengths[i]]++;
    of_length[0] = 0;
    codes->bits = 1;
    for (unsigned bits = 1; bits <= MAX_CODE_BITS; bits++) {
        code = (code + of_length[bits - 1]) << 1;
        next[bits] = code;
        if (code + of_length[bits] > 1U << bits)
            return false;
        if (of_length[bits])
            codes->bits = bits;
    }
    memset(codes->table, 0, sizeof codes->table[0] << codes->bits);
    for (unsigned i = 0; i < count; i++) {
        if (!lengths[i])
            continue;
        unsigned entry = describe(i) + lengths[i];
        for (unsigned k = reverse(next[lengths[i]]++, lengths[i]); k < 1U << codes->bits;
             k += 1U << lengths[i])
            codes->table[k] = (uint16_t)entry;
    }
    return true;
}

static unsigned describe_length(unsigned symbol)
{
    return ENTRY(symbol + 1, 0);
}

static unsigned describe_literal(unsigned symbol)
{
    if (symbol < END_OF_BLOCK)
        return ENTRY(LITERAL, 0);
    if (symbol == END_OF_BLOCK)
        return ENTRY(END, 0);
    unsigned number = symbol - END_OF_BLOCK - 1;
    return ENTRY(MATCH, number < 8 || number == 28 ? 0 : number / 4 - 1);
}

static unsigned describe_distance(unsigned symbol)
{
    return ENTRY(MATCH, symbol < 4 ? 0 : symbol / 2 - 1);
}

/* The lengths of codes are coded themselves, with repetitions. `literals` lends its table. */
static bool read_lengths(struct walk *walk, unsigned given, uint8_t *lengths, unsigned count)
{
    static const uint8_t order[LENGTHS] = {16, 17, 18, 0, 8,  7, 9,  6, 10, 5,
                                           11, 4,  12, 3, 13, 2, 14, 1, 15};
    uint8_t own[LENGTHS] = {0};
    for (unsigned i = 0; i < given; i++)
        own[order[i]] = (uint8_t)take(walk, 3);
    if (!build(&walk->literals, own, LENGTHS, describe_length))
        return false;
    for (unsigned i = 0; i < count;) {
        unsigned entry = walk->at > walk->end ? 0 : look_up(&walk->literals, peek(walk));
        if (!entry)
            return false;
        unsigned symbol = KIND(entry) - 1, times = 1;
        walk->at += BITS(entry);
        if (symbol == REPEAT)
            times = 3 + take(walk, 2);
        else if (symbol > REPEAT)
            times = symbol == FEW_ZEROS ? 3 + take(walk, 3) : 11 + take(walk, 7);
        if (times > count - i || (symbol == REPEAT && i == 0))
            return false;
        int value = symbol < REPEAT ? (int)symbol : symbol == REPEAT ? lengths[i - 1] : 0;
        memset(lengths + i, value, times);
        i += times;
    }
    return true;
}

static bool read_codes(struct walk *walk, bool fixed)
{
    uint8_t lengths[LITERALS + DISTANCES];
    unsigned literals = LITERALS, distances = DISTANCES;
    if (fixed) {
        for (unsigned i = 0; i < LITERALS; i++)
            lengths[i] = i < 144 ? 8 : i < 256 ? 9 : i < 280 ? 7 : 8;
        memset(lengths + LITERALS, 5, DISTANCES);
    } else {
        literals = take(walk, 5) + 257;
        distances = take(walk, 5) + 1;
        unsigned given = take(walk, 4) + 4;
        if (!read_lengths(walk, given, lengths, literals + distances))
            return false;
    }
    return build(&walk->literals, lengths, literals, describe_literal) &&
           build(&walk->distances, lengths + literals, distances, describe_distance);
}

static bool skip_symbols(struct walk *walk)
{
    while (walk->at < walk->end) {
        uint64_t word = peek(walk);
        unsigned entry = look_up(&walk->literals, word);
        walk->at += BITS(entry);
        if (KIND(entry) == LITERAL)
            continue;
        if (KIND(entry) != MATCH)
            return KIND(entry) == END;
        entry = look_up(&walk->distances, word >> BITS(entry));
        if (!entry)
            return false;
        walk->at += BITS(entry);
    }
    return false;
}

static bool skip_stored(struct walk *walk)
{
    walk->at = (walk->at + 7) & ~(size_t)7;
    unsigned length = take(walk, 16);
    if ((take(walk, 16) ^ length) != 0xffff)
        return false;
    walk->at += 8 * (size_t)length;
    return true;
}

bool deflate_walk(const unsigned char *bytes, size_t length, struct deflate_end *ret)
{
    struct walk walk;
    size_t begin = 0;
    walk.bytes = bytes; /* the tables are filled when they are needed: they are large */
    walk.at = 0;
    walk.end = length * 8;
    for (bool last = false; !last;) {
        begin = walk.at;
        if (begin >= walk.end)
            return false;
        last = take(&walk, 1);
        unsigned type = take(&walk, 2);
        bool good = type == STORED ? skip_stored(&walk)
                                   : type != RESERVED && read_codes(&walk, type == FIXED) &&
                                         skip_symbols(&walk);
        if (!good || walk.at > walk.end)
            return false;
    }
    if ((walk.at + 7) / 8 != length)
        return false;
    *ret = (struct deflate_end){.last_block = begin, .end = walk.at};
    return true;
}
