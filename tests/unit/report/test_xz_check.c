/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * Blocks of xz files that want too much memory, wherever they stand and however the bytes come.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include <archive.h>
#include <archive_entry.h>

#include "analyzer/report/xz_check.h"

#define STREAM "\3757zXZ\0\0\1SUM4"       /* with check sums of four bytes */
#define MODEST "\2\0\x21\1\x1e\0\0\0SUM4" /* a block's header: 128 MiB */
#define GREEDY "\2\0\x21\1\x1f\0\0\0SUM4" /* 192 MiB */
#define DELTA  "\2\1\3\1\0\x21\1\x28SUM4" /* another filter in front: 4 GiB */
#define STORED "\1\0\2abc"
#define PACKED "\xe0\0\5\0\1Pxy"
#define REUSED "\x80\0\5\0\1xy"
#define INDEX_1                                                                                    \
    "\0\1\x80\1\7...SUM4FOOTER bytes" /* a record of two numbers, the first of two bytes */

static bool is_greedy_in_pieces(const char *bytes, size_t length, size_t piece)
{
    struct xz_check check = {0};
    for (size_t i = 0; i < length; i += piece)
        if (xz_check_is_greedy(&check, bytes + i, i + piece < length ? piece : length - i))
            return true;
    return false;
}

static bool is_greedy(const char *bytes, size_t length)
{
    bool whole = is_greedy_in_pieces(bytes, length, length);
    for (size_t piece = 1; piece < 20; piece++)
        assert_int_equal(is_greedy_in_pieces(bytes, length, piece), whole);
    return whole;
}
#define IS_GREEDY(text) is_greedy(text, sizeof(text) - 1)

static void the_first_block_is_looked_at(void **state)
{
    (void)state;
    assert_true(IS_GREEDY(STREAM GREEDY));
    assert_true(IS_GREEDY(STREAM DELTA));
    assert_false(IS_GREEDY(STREAM MODEST));
    assert_false(IS_GREEDY("PK\3\4" STREAM GREEDY));
    assert_false(IS_GREEDY(""));
}

static void later_blocks_are_found_behind_chunks_of_all_kinds(void **state)
{
    (void)state;
    assert_true(IS_GREEDY(STREAM MODEST STORED "\0.SUM4" GREEDY));
    assert_true(IS_GREEDY(STREAM MODEST PACKED "\0...SUM4" GREEDY));
    assert_true(IS_GREEDY(STREAM MODEST PACKED REUSED "\0SUM4" MODEST STORED "\0.SUM4" GREEDY));
    assert_false(IS_GREEDY(STREAM MODEST PACKED REUSED "\0SUM4" MODEST STORED "\0.SUM4" MODEST));
}

static void later_streams_are_found_behind_the_index(void **state)
{
    (void)state;
    assert_true(IS_GREEDY(STREAM MODEST STORED "\0.SUM4" INDEX_1 STREAM GREEDY));
    assert_true(IS_GREEDY(STREAM MODEST STORED "\0.SUM4" INDEX_1 "\0\0\0\0\0\0\0\0" STREAM GREEDY));
    assert_true(IS_GREEDY(STREAM "\0\0..SUM4FOOTER bytes" STREAM GREEDY)); /* no block at all */
}

static void what_breaks_the_format_is_left_to_the_decoder(void **state)
{
    (void)state;
    assert_false(IS_GREEDY(STREAM MODEST "\x7f" GREEDY));
    assert_false(IS_GREEDY(STREAM "\0\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff" STREAM GREEDY));
    assert_false(IS_GREEDY("garbage" STREAM GREEDY));
    assert_false(IS_GREEDY(STREAM MODEST STORED "\0.SUM4" INDEX_1 "garbage....." STREAM GREEDY));
}

/* A real file of that size; returns its length. */
static size_t pack(char *buffer, size_t size)
{
    static char zeros[300 * 1000];
    size_t used = 0;
    struct archive *archive = archive_write_new();
    struct archive_entry *entry = archive_entry_new();
    archive_entry_set_filetype(entry, AE_IFREG);
    archive_entry_set_pathname(entry, "data");
    for (size_t i = 0; i < sizeof zeros; i++)
        zeros[i] = (char)(i * i >> 8);
    assert_int_equal(archive_write_add_filter_xz(archive), ARCHIVE_OK);
    assert_int_equal(archive_write_set_format_raw(archive), ARCHIVE_OK);
    assert_int_equal(archive_write_set_bytes_in_last_block(archive, 1), ARCHIVE_OK);
    assert_int_equal(archive_write_open_memory(archive, buffer, size, &used), ARCHIVE_OK);
    assert_int_equal(archive_write_header(archive, entry), ARCHIVE_OK);
    assert_int_equal(archive_write_data(archive, zeros, sizeof zeros), sizeof zeros);
    assert_int_equal(archive_write_close(archive), ARCHIVE_OK);
    archive_entry_free(entry);
    archive_write_free(archive);
    return used;
}

static void a_real_file_is_followed_to_its_end(void **state)
{
    (void)state;
    static char file[400 * 1000];
    size_t length = pack(file, sizeof file);
    assert_true(length > 1000 && length % 4 == 0);
    assert_false(is_greedy(file, length));
    memcpy(file + length, STREAM GREEDY, sizeof(STREAM GREEDY) - 1);
    assert_true(is_greedy(file, length + sizeof(STREAM GREEDY) - 1));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_first_block_is_looked_at),
        cmocka_unit_test(later_blocks_are_found_behind_chunks_of_all_kinds),
        cmocka_unit_test(later_streams_are_found_behind_the_index),
        cmocka_unit_test(what_breaks_the_format_is_left_to_the_decoder),
        cmocka_unit_test(a_real_file_is_followed_to_its_end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
