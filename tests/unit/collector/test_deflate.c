/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * Every engine of this build, against zlib's inflate.
 */
#include "collector/bundle/deflate.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <zlib.h>

#include "collector/bundle/deflate_walk.h"
#include "tests/unit/collector/samples_of_bytes.h"

#define TOTAL 700000 /* bytes of one stream */

static const struct deflate_engine *const engines[] = {&deflate_zlib, &deflate_isal,
                                                       &deflate_libdeflate};
static const int levels[] = {1, 6, 9};

static void *open_engine(const struct deflate_engine *engine, int level)
{
    void *state;
    int best = engine == &deflate_isal ? 3 : 9;
    assert_int_equal(engine->open(level < best ? level : best, &state, NULL), 0);
    return state;
}

/* One whole stream and nothing behind it, which inflates to these bytes. */
static void assert_inflates(const unsigned char *stream, size_t length, const unsigned char *bytes,
                            size_t bytes_length)
{
    unsigned char *out = malloc(bytes_length + 1);
    assert_non_null(out);
    z_stream inflated = {.next_in = (unsigned char *)(uintptr_t)stream,
                         .avail_in = (unsigned)length,
                         .next_out = out,
                         .avail_out = (unsigned)bytes_length + 1};
    assert_int_equal(inflateInit2(&inflated, -15), Z_OK);
    assert_int_equal(inflate(&inflated, Z_FINISH), Z_STREAM_END);
    assert_int_equal(inflated.avail_in, 0);
    assert_int_equal(inflated.total_out, bytes_length);
    inflateEnd(&inflated);
    assert_memory_equal(out, bytes, bytes_length);
    free(out);
}

/* Cuts the bytes into pieces up to `largest` and joins what becomes of them. */
static void join_pieces(const struct deflate_engine *engine, int level, const unsigned char *bytes,
                        size_t length, size_t largest, uint32_t *random)
{
    unsigned char *joined =
        malloc(deflate_room(length) + (length / largest + 2) * 2 * deflate_room(largest));
    void *state = open_engine(engine, level);
    size_t used = 0;
    assert_non_null(joined);
    for (size_t at = 0, n; at < length; at += n) {
        n = 1 + next_random(random) % largest;
        if (n > length - at)
            n = length - at;
        unsigned char *out = malloc(deflate_room(n)); /* of its own: sanitizers watch its end */
        struct deflate_piece piece = {bytes + at, n, at + n == length, out};
        size_t out_length = 0;
        struct err err = ERR_INIT;
        if (engine->piece(state, &piece, &out_length, &err) < 0)
            fail_msg("%s", err.text);
        assert_true(out_length <= deflate_room(n));
        memcpy(joined + used, out, out_length);
        used += out_length;
        free(out);
    }
    engine->close(state);
    assert_inflates(joined, used, bytes, length);
    free(joined);
}

static void pieces_of_any_size_join_to_one_stream(void **state)
{
    (void)state;
    static const size_t largest[] = {40000, 300000, TOTAL};
    uint32_t random = 7;
    for (int kind = 0; kind < KINDS_OF_BYTES; kind++) {
        unsigned char *bytes = make_bytes((enum kind_of_bytes)kind, TOTAL);
        for (size_t e = 0; e < ARRAY_SIZE(engines); e++)
            for (size_t l = 0; engines[e]->open && l < ARRAY_SIZE(levels); l++)
                for (size_t i = 0; i < ARRAY_SIZE(largest); i++)
                    join_pieces(engines[e], levels[l], bytes, TOTAL, largest[i], &random);
        free(bytes);
    }
}

static void tiny_pieces_join_too(void **state)
{
    (void)state;
    uint32_t random = 11;
    for (int kind = 0; kind < KINDS_OF_BYTES; kind++) {
        unsigned char *bytes = make_bytes((enum kind_of_bytes)kind, 5000);
        for (size_t e = 0; e < ARRAY_SIZE(engines); e++)
            for (size_t length = 1; engines[e]->open && length <= 5000; length += length / 3 + 1)
                join_pieces(engines[e], 6, bytes, length, 7, &random);
        free(bytes);
    }
}

static void checksums_are_those_of_zlib(void **state)
{
    (void)state;
    unsigned char *bytes = make_bytes(NOISE, 5000);
    for (size_t e = 0; e < ARRAY_SIZE(engines); e++)
        for (size_t length = 0; engines[e]->open && length < 5000; length += 1 + length / 2) {
            uint32_t first = engines[e]->crc32(0, bytes, length / 3);
            assert_int_equal(engines[e]->crc32(first, bytes + length / 3, length - length / 3),
                             crc32(0, bytes, (unsigned)length));
        }
    free(bytes);
}

static void there_is_an_engine_for_every_purpose(void **state)
{
    (void)state;
    for (int i = COMPRESSION_BALANCED; i <= COMPRESSION_BEST; i++) {
        int level = 0;
        const struct deflate_engine *engine = deflate_choose((enum compression)i, &level);
        void *opened;
        assert_int_equal(engine->open(level, &opened, NULL), 0);
        engine->close(opened);
    }
}

/* A stream as zlib can make it: stored, fixed or dynamic blocks. Freed by the caller. */
static unsigned char *make_stream(const unsigned char *bytes, size_t length, int level,
                                  int strategy, size_t *ret_length)
{
    size_t room = deflate_room(length) + 100;
    unsigned char *out = malloc(room);
    z_stream stream = {.next_in = (unsigned char *)(uintptr_t)bytes,
                       .avail_in = (unsigned)length,
                       .next_out = out,
                       .avail_out = (unsigned)room};
    assert_non_null(out);
    assert_int_equal(deflateInit2(&stream, level, Z_DEFLATED, -15, 8, strategy), Z_OK);
    assert_int_equal(deflate(&stream, Z_FINISH), Z_STREAM_END);
    *ret_length = stream.total_out;
    deflateEnd(&stream);
    return out;
}

/* Where inflate itself sees the ends: stops at each block, says how many bits of a byte are left.
 */
static struct deflate_end end_by_inflate(unsigned char *bytes, size_t length)
{
    struct deflate_end end = {0, 0};
    unsigned char *out = malloc(1 << 20);
    z_stream stream = {.next_in = bytes, .avail_in = (unsigned)length};
    assert_int_equal(inflateInit2(&stream, -15), Z_OK);
    for (bool last = false; !last;) {
        end.last_block = end.end; /* if none follows */
        do {
            stream.next_out = out;
            stream.avail_out = 1 << 20;
            assert_int_equal(inflate(&stream, Z_BLOCK), Z_OK);
        } while (!(stream.data_type & 128));
        last = stream.data_type & 64;
        end.end = (length - stream.avail_in) * 8 - (stream.data_type & 7U);
    }
    inflateEnd(&stream);
    free(out);
    return end;
}

static void a_walk_finds_the_last_block_and_the_end(void **state)
{
    (void)state;
    static const int strategies[] = {Z_DEFAULT_STRATEGY, Z_FIXED, Z_HUFFMAN_ONLY, Z_RLE};
    for (int kind = 0; kind < KINDS_OF_BYTES; kind++) {
        unsigned char *bytes = make_bytes((enum kind_of_bytes)kind, TOTAL);
        for (size_t i = 0; i < 4 * ARRAY_SIZE(strategies); i++) {
            size_t length;
            static const size_t sizes[] = {1, 100, 70000, TOTAL};
            unsigned char *stream =
                make_stream(bytes, sizes[i % 4], i == 3 ? 0 : 6, strategies[i / 4], &length);
            unsigned char *padded = calloc(1, length + DEFLATE_WALK_SLACK);
            memcpy(padded, stream, length);
            struct deflate_end found = {0, 0}, expected = end_by_inflate(stream, length);
            assert_true(deflate_walk(padded, length, &found));
            assert_int_equal(found.end, expected.end);
            assert_int_equal(found.last_block, expected.last_block);
            assert_false(deflate_walk(padded, length - 1, &found)); /* cut off */
            free(padded);
            free(stream);
        }
        free(bytes);
    }
}

static void a_walk_through_garbage_ends(void **state)
{
    (void)state;
    unsigned char *stream = make_bytes(NOISE, 20000);
    unsigned walked = 0;
    for (size_t i = 0; i + 200 + DEFLATE_WALK_SLACK < 20000; i++) {
        unsigned char *piece = malloc(200 + DEFLATE_WALK_SLACK); /* sanitizers watch its end */
        struct deflate_end end = {1, 2};
        memcpy(piece, stream + i, 200 + DEFLATE_WALK_SLACK);
        bool good = deflate_walk(piece, 200, &end);
        walked += good;
        if (!good)
            assert_int_equal(end.end, 2); /* untouched */
        free(piece);
    }
    assert_true(walked < 20);
    free(stream);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(pieces_of_any_size_join_to_one_stream),
        cmocka_unit_test(tiny_pieces_join_too),
        cmocka_unit_test(checksums_are_those_of_zlib),
        cmocka_unit_test(there_is_an_engine_for_every_purpose),
        cmocka_unit_test(a_walk_finds_the_last_block_and_the_end),
        cmocka_unit_test(a_walk_through_garbage_ends),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
