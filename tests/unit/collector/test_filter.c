/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * What compresses a tar, read back by the libraries that define the formats. bzip2 and gzip must be
 * one stream with nothing behind it: readers that stop after the first would lose the rest.
 */
#include "collector/bundle/filter.h"

#include <bzlib.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <unistd.h>
#include <cmocka.h>
#include <zlib.h>
#include <zstd.h>

#include "tests/unit/collector/samples_of_bytes.h"

struct format {
    const struct filter_ops *ops;
    size_t (*unpack)(unsigned char *packed, size_t length, unsigned char *out, size_t room);
};

static size_t unpack_bzip2(unsigned char *packed, size_t length, unsigned char *out, size_t room)
{
    bz_stream stream = {.next_in = (char *)packed,
                        .avail_in = (unsigned)length,
                        .next_out = (char *)out,
                        .avail_out = (unsigned)room};
    assert_int_equal(BZ2_bzDecompressInit(&stream, 0, 0), BZ_OK);
    assert_int_equal(BZ2_bzDecompress(&stream), BZ_STREAM_END); /* its checksums are right */
    assert_int_equal(stream.avail_in, 0);
    BZ2_bzDecompressEnd(&stream);
    return room - stream.avail_out;
}

static size_t unpack_gzip(unsigned char *packed, size_t length, unsigned char *out, size_t room)
{
    z_stream stream = {.next_in = packed,
                       .avail_in = (unsigned)length,
                       .next_out = out,
                       .avail_out = (unsigned)room};
    assert_int_equal(inflateInit2(&stream, 15 + 16), Z_OK);
    assert_int_equal(inflate(&stream, Z_FINISH), Z_STREAM_END);
    assert_int_equal(stream.avail_in, 0);
    inflateEnd(&stream);
    return stream.total_out;
}

static size_t unpack_zstd(unsigned char *packed, size_t length, unsigned char *out, size_t room)
{
    size_t n = ZSTD_decompress(out, room, packed, length);
    assert_false(ZSTD_isError(n));
    return n;
}

static const struct format formats[] = {
    {&filter_bzip2, unpack_bzip2}, {&filter_gzip, unpack_gzip}, {&filter_zstd, unpack_zstd}};

static void assert_survives(const struct format *format, struct compressor *compressor,
                            const unsigned char *bytes, size_t length)
{
    char path[] = "/tmp/test-filter-XXXXXX";
    int fd = mkstemp(path);
    assert_true(fd >= 0);
    unlink(path);
    struct output output;
    struct filter *filter;
    uint32_t random = 5;
    assert_int_equal(output_init(&output, fd, NULL, NULL), 0);
    assert_int_equal(filter_open(format->ops, &output, compressor, &filter, NULL), 0);
    for (size_t at = 0, n; at < length; at += n) {
        n = 1 + next_random(&random) % 200000;
        if (n > length - at)
            n = length - at;
        assert_int_equal(filter_write(filter, bytes + at, n, NULL), 0);
    }
    assert_int_equal(filter_finish(filter, NULL), 0);
    assert_null(filter_free(filter));
    assert_int_equal(output_flush(&output), 0);
    size_t packed_length = (size_t)output.written;
    unsigned char *packed = malloc(packed_length + 1), *out = malloc(length + 1);
    assert_int_equal(pread(fd, packed, packed_length + 1, 0), packed_length);
    assert_int_equal(format->unpack(packed, packed_length, out, length + 1), length);
    assert_memory_equal(out, bytes, length);
    free(out);
    free(packed);
    output_release(&output);
    close(fd);
}

/* The largest block of each format, and one byte less and more. */
static void any_bytes_of_any_length_survive(void **state)
{
    (void)state;
    static const enum compression efforts[] = {COMPRESSION_FAST, COMPRESSION_BALANCED,
                                               COMPRESSION_BEST};
    for (int kind = 0; kind < KINDS_OF_BYTES; kind++) {
        unsigned char *bytes = make_bytes((enum kind_of_bytes)kind, 2300000);
        for (size_t f = 0; f < ARRAY_SIZE(formats); f++) {
            struct compressor *compressor;
            enum compression effort = efforts[(f + (size_t)kind) % ARRAY_SIZE(efforts)];
            size_t block = formats[f].ops->block_bytes(effort);
            const size_t lengths[] = {2300000, 1, block - 1, block, block + 1};
            size_t count = kind == LOG_LINES ? ARRAY_SIZE(lengths) : 1;
            assert_int_equal(compressor_new(effort, 2, &compressor, NULL), 0);
            for (size_t i = 0; i < count; i++)
                assert_survives(&formats[f], compressor, bytes, lengths[i]);
            compressor_free(compressor);
        }
        free(bytes);
    }
}

static void nothing_is_a_stream_too(void **state)
{
    (void)state;
    struct compressor *compressor;
    assert_int_equal(compressor_new(COMPRESSION_BALANCED, 0, &compressor, NULL), 0);
    assert_survives(&formats[0], compressor, (const unsigned char *)"", 0);
    compressor_free(compressor);
}

static void an_output_that_fails_is_told(void **state)
{
    (void)state;
    unsigned char *bytes = make_bytes(NOISE, 3000000);
    for (size_t f = 0; f < ARRAY_SIZE(formats); f++) {
        int fd = open("/dev/full", O_WRONLY | O_CLOEXEC);
        struct compressor *compressor;
        struct output output;
        struct filter *filter;
        struct err err = ERR_INIT;
        assert_int_equal(compressor_new(COMPRESSION_BALANCED, 2, &compressor, NULL), 0);
        assert_int_equal(output_init(&output, fd, NULL, NULL), 0);
        assert_int_equal(filter_open(formats[f].ops, &output, compressor, &filter, NULL), 0);
        int r = filter_write(filter, bytes, 3000000, &err);
        if (r == 0)
            r = filter_finish(filter, &err);
        assert_int_equal(r, ERR_IO);
        assert_non_null(strstr(err.text, "No space left on device"));
        filter_free(filter);
        output_release(&output);
        compressor_free(compressor);
        close(fd);
    }
    free(bytes);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(any_bytes_of_any_length_survive),
        cmocka_unit_test(nothing_is_a_stream_too),
        cmocka_unit_test(an_output_that_fails_is_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
