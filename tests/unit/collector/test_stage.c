/* SPDX-License-Identifier: LGPL-2.1-only */
#include "collector/bundle/stage.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <zlib.h>

#include "common/io.h"
#include "tests/unit/collector/samples_of_bytes.h"

#define BLOCK (256 * 1024) /* as stage.c has it */

static struct compressor *compressor;

static const char sentence[] = "The quick brown fox jumps over the lazy dog, again and again.\n";

static struct stage *new_stage(enum stage_encoding encoding, size_t memory_bytes, int dirfd)
{
    const struct stage_options options = {.encoding = encoding,
                                          .compressor = compressor,
                                          .memory_bytes = memory_bytes,
                                          .spool_dirfd = dirfd};
    struct stage *stage;
    struct err err = ERR_INIT;
    if (stage_new(&options, &stage, &err) < 0)
        fail_msg("%s", err.text);
    return stage;
}

static void fill(struct stage *stage, unsigned sentences)
{
    for (unsigned i = 0; i < sentences; i++)
        assert_int_equal(stage_write(stage, sentence, sizeof sentence - 1, NULL), 0);
    assert_int_equal(stage_finish(stage, NULL), 0);
}

static int collect(void *context, const void *bytes, size_t length, struct err *err)
{
    (void)err;
    strbuf_add(context, bytes, length);
    return 0;
}

static struct strbuf encoded(struct stage *stage)
{
    struct strbuf bytes = STRBUF_INIT;
    assert_int_equal(stage_read(stage, collect, &bytes, NULL), 0);
    assert_int_equal(bytes.length, stage_encoded_size(stage));
    return bytes;
}

static void assert_inflates_to_sentences(const struct strbuf *bytes, unsigned sentences)
{
    size_t length = sentences * (sizeof sentence - 1);
    char *plain = malloc(length + 1);
    assert_non_null(plain);
    z_stream stream = {.next_in = (unsigned char *)bytes->data,
                       .avail_in = (unsigned)bytes->length,
                       .next_out = (unsigned char *)plain,
                       .avail_out = (unsigned)length + 1};
    assert_int_equal(inflateInit2(&stream, -15), Z_OK);
    assert_int_equal(inflate(&stream, Z_FINISH), Z_STREAM_END);
    assert_int_equal(stream.total_out, length);
    inflateEnd(&stream);
    for (unsigned i = 0; i < sentences; i++)
        assert_memory_equal(plain + i * (sizeof sentence - 1), sentence, sizeof sentence - 1);
    free(plain);
}

static void digests_are_of_the_plain_bytes(void **state)
{
    (void)state;
    struct stage *stage = new_stage(STAGE_DEFLATE, 1 << 20, -1);
    assert_int_equal(stage_write(stage, "ab", 2, NULL), 0);
    assert_int_equal(stage_write(stage, "c", 1, NULL), 0);
    assert_int_equal(stage_finish(stage, NULL), 0);
    assert_int_equal(stage_size(stage), 3);
    assert_int_equal(stage_crc32(stage), 0x352441c2);
    assert_string_equal(stage_md5(stage), "900150983cd24fb0d6963f7d28e17f72");
    assert_string_equal(stage_sha256(stage),
                        "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    stage_free(stage);
}

static void an_empty_stage_is_valid(void **state)
{
    (void)state;
    struct stage *stage = new_stage(STAGE_DEFLATE, 1 << 20, -1);
    assert_int_equal(stage_finish(stage, NULL), 0);
    assert_int_equal(stage_size(stage), 0);
    assert_int_equal(stage_encoded_size(stage), 0);
    assert_false(stage_is_deflated(stage));
    assert_string_equal(stage_md5(stage), "d41d8cd98f00b204e9800998ecf8427e");
    stage_free(stage);
}

static void tiny_entries_are_stored(void **state)
{
    (void)state;
    char text[50];
    memset(text, 'x', sizeof text);
    for (size_t length = 49; length <= 50; length++) {
        struct stage *stage = new_stage(STAGE_DEFLATE, 0, -1);
        for (size_t i = 0; i < length; i++)
            assert_int_equal(stage_write(stage, "x", 1, NULL), 0);
        assert_int_equal(stage_finish(stage, NULL), 0);
        assert_int_equal(stage_is_deflated(stage), length == 50);
        struct strbuf bytes = encoded(stage);
        if (length < 50) {
            assert_int_equal(bytes.length, length);
            assert_memory_equal(bytes.data, text, length);
        }
        strbuf_release(&bytes);
        stage_free(stage);
    }
}

static void assert_stage_inflates(const unsigned char *bytes, size_t length, int dirfd)
{
    struct stage *stage = new_stage(STAGE_DEFLATE, 100000, dirfd);
    uint32_t random = (uint32_t)length;
    for (size_t at = 0, n; at < length; at += n) {
        n = 1 + next_random(&random) % 100000;
        if (n > length - at)
            n = length - at;
        assert_int_equal(stage_write(stage, bytes + at, n, NULL), 0);
    }
    assert_int_equal(stage_finish(stage, NULL), 0);
    assert_int_equal(stage_size(stage), length);
    assert_int_equal(stage_crc32(stage), crc32(0, bytes, (unsigned)length));
    struct strbuf packed = encoded(stage);
    unsigned char *out = malloc(length + 1);
    z_stream stream = {.next_in = (unsigned char *)packed.data,
                       .avail_in = (unsigned)packed.length,
                       .next_out = out,
                       .avail_out = (unsigned)length + 1};
    assert_int_equal(inflateInit2(&stream, -15), Z_OK);
    assert_int_equal(inflate(&stream, Z_FINISH), Z_STREAM_END);
    assert_int_equal(stream.avail_in, 0);
    assert_int_equal(stream.total_out, length);
    assert_memory_equal(out, bytes, length);
    inflateEnd(&stream);
    free(out);
    strbuf_release(&packed);
    stage_free(stage);
}

static void long_entries_are_joined_from_blocks(void **state)
{
    (void)state;
    static const size_t lengths[] = {BLOCK - 1,     BLOCK,         BLOCK + 1,
                                     2 * BLOCK - 1, 2 * BLOCK + 1, 9 * BLOCK + 4321};
    int dirfd = open("/tmp", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    struct compressor *usual = compressor;
    unsigned char *bytes = make_bytes(LOG_LINES, 10 * BLOCK);
    for (int effort = COMPRESSION_BALANCED; effort <= COMPRESSION_BEST; effort++) {
        assert_int_equal(compressor_new((enum compression)effort, effort, &compressor, NULL), 0);
        for (size_t i = 0; i < ARRAY_SIZE(lengths); i++)
            assert_stage_inflates(bytes, lengths[i], dirfd);
        compressor_free(compressor);
    }
    compressor = usual;
    free(bytes);
    close(dirfd);
}

static void what_is_compressed_already_is_stored(void **state)
{
    (void)state;
    static const char *const beginnings[] = {"\x1f\x8b\x08", "BZh91AY",
                                             "\xfd"
                                             "7zXZ",
                                             "\x28\xb5\x2f\xfd"};
    for (size_t i = 0; i < ARRAY_SIZE(beginnings); i++) {
        struct stage *stage = new_stage(STAGE_DEFLATE, 1 << 20, -1);
        size_t length = i == 2 ? 6 : strlen(beginnings[i]); /* xz: with its NUL */
        for (size_t k = 0; k < length; k++)
            assert_int_equal(stage_write(stage, beginnings[i] + k, 1, NULL), 0);
        fill(stage, 5000);
        assert_false(stage_is_deflated(stage));
        assert_int_equal(stage_encoded_size(stage), stage_size(stage));
        stage_free(stage);
    }
    struct stage *stage = new_stage(STAGE_DEFLATE, 1 << 20, -1);
    assert_int_equal(stage_write(stage, "\x1f\x8b.", 3, NULL), 0);
    fill(stage, 5000);
    assert_true(stage_is_deflated(stage));
    stage_free(stage);
}

static void bytes_beyond_the_memory_go_to_an_unnamed_file(void **state)
{
    (void)state;
    char directory[] = "/tmp/test-stage-XXXXXX";
    assert_non_null(mkdtemp(directory));
    int dirfd = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    static const enum stage_encoding encodings[] = {STAGE_PLAIN, STAGE_DEFLATE};
    for (size_t i = 0; i < ARRAY_SIZE(encodings); i++) {
        struct stage *stage = new_stage(encodings[i], 100, dirfd);
        fill(stage, 5000);
        struct strbuf bytes = encoded(stage);
        if (encodings[i] == STAGE_DEFLATE)
            assert_inflates_to_sentences(&bytes, 5000);
        else
            assert_int_equal(bytes.length, 5000 * (sizeof sentence - 1));
        strbuf_release(&bytes);
        stage_free(stage);
    }
    assert_int_equal(rmdir(directory), 0); /* nothing has a name in it */
    close(dirfd);
}

static void a_reset_stage_starts_afresh(void **state)
{
    (void)state;
    int dirfd = open("/tmp", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    struct stage *stage = new_stage(STAGE_DEFLATE, 10, dirfd);
    fill(stage, 3000);
    assert_int_equal(stage_reset(stage, NULL), 0);
    fill(stage, 2);
    assert_int_equal(stage_size(stage), 2 * (sizeof sentence - 1));
    struct strbuf bytes = encoded(stage);
    assert_inflates_to_sentences(&bytes, 2);
    strbuf_release(&bytes);
    assert_int_equal(stage_reset(stage, NULL), 0);
    assert_int_equal(stage_finish(stage, NULL), 0);
    assert_int_equal(stage_encoded_size(stage), 0);
    stage_free(stage);
    close(dirfd);
}

static void a_spool_that_cannot_be_made_is_an_error_with_its_place(void **state)
{
    (void)state;
    int dirfd = open("/proc/self", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    struct stage *stage = new_stage(STAGE_PLAIN, 10, dirfd);
    struct err err = ERR_INIT;
    assert_int_equal(stage_write(stage, sentence, sizeof sentence, &err), 0); /* not full yet */
    assert_true(stage_finish(stage, &err) < 0);
    assert_non_null(strstr(err.text, "/proc/"));
    stage_free(stage);
    close(dirfd);
}

static int refuse(void *context, const void *bytes, size_t length, struct err *err)
{
    (void)bytes, (void)length;
    ++*(int *)context;
    return err_set(err, ERR_LIMIT, "enough");
}

static void a_failing_sink_ends_reading(void **state)
{
    (void)state;
    int dirfd = open("/tmp", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    struct stage *stage = new_stage(STAGE_PLAIN, 100, dirfd);
    fill(stage, 3000);
    int calls = 0;
    assert_int_equal(stage_read(stage, refuse, &calls, NULL), ERR_LIMIT);
    assert_int_equal(calls, 1);
    stage_free(stage);
    close(dirfd);
}

static void a_finished_stage_takes_no_more(void **state)
{
    (void)state;
    struct stage *stage = new_stage(STAGE_PLAIN, 100, -1);
    fill(stage, 1);
    assert_int_equal(stage_write(stage, "x", 1, NULL), ERR_BUG);
    assert_int_equal(stage_size(stage), sizeof sentence - 1);
    stage_free(stage);
}

static int make_compressor(void **state)
{
    (void)state;
    return compressor_new(COMPRESSION_BALANCED, 2, &compressor, NULL);
}

static int free_compressor(void **state)
{
    (void)state;
    compressor = compressor_free(compressor);
    return 0;
}

static void a_temporary_file_leaves_the_archive_its_room(void **state)
{
    (void)state;
    const int64_t whole_disk = INT64_MAX / 4;
    struct room *room;
    CLEANUP_FD int dirfd = open("/tmp", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    assert_int_equal(room_new(dirfd, true, &room, NULL), 0);
    assert_false(room_promise(room, whole_disk, 0)); /* nothing is promised then */
    assert_true(room_begin(room, 1));
    room_end(room, 1);
    assert_true(room_promise(room, 1, 0));
    assert_false(room_promise(room, 1, whole_disk));
    assert_false(room_begin(room, 1));
    assert_false(room_is_used_up(room)); /* promised, but not used */

    struct stage_options options = {.encoding = STAGE_PLAIN,
                                    .compressor = compressor,
                                    .memory_bytes = 10,
                                    .spool_dirfd = dirfd,
                                    .room = room};
    struct stage *stage;
    struct err err = ERR_INIT;
    assert_int_equal(stage_new(&options, &stage, &err), 0);
    assert_int_equal(stage_write(stage, sentence, sizeof sentence - 1, &err), 0);
    assert_int_equal(stage_finish(stage, &err), ERR_LIMIT);
    assert_string_equal(err.text, ROOM_FULL);
    stage_free(stage);
    room_free(room);
}

static void an_archive_that_goes_elsewhere_needs_no_room(void **state)
{
    (void)state;
    struct room *room;
    CLEANUP_FD int dirfd = open("/tmp", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    assert_int_equal(room_new(dirfd, false, &room, NULL), 0);
    assert_true(room_promise(room, INT64_MAX / 4, 0));
    assert_true(room_begin(room, 1));
    room_end(room, 1);
    assert_false(room_begin(room, SIZE_MAX / 4));
    room_free(room);
}

/* As ramfs and tmpfs without a limit are. */
static void where_nobody_knows_how_much_there_is_there_is_room(void **state)
{
    (void)state;
    struct room *room;
    CLEANUP_FD int dirfd = open("/proc", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    assert_int_equal(room_new(dirfd, true, &room, NULL), 0);
    assert_true(room_promise(room, 1 << 20, 1 << 20));
    assert_true(room_begin(room, 1 << 20));
    assert_false(room_is_used_up(room));
    room_free(room);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(digests_are_of_the_plain_bytes),
        cmocka_unit_test(an_empty_stage_is_valid),
        cmocka_unit_test(tiny_entries_are_stored),
        cmocka_unit_test(long_entries_are_joined_from_blocks),
        cmocka_unit_test(what_is_compressed_already_is_stored),
        cmocka_unit_test(bytes_beyond_the_memory_go_to_an_unnamed_file),
        cmocka_unit_test(a_reset_stage_starts_afresh),
        cmocka_unit_test(a_spool_that_cannot_be_made_is_an_error_with_its_place),
        cmocka_unit_test(a_failing_sink_ends_reading),
        cmocka_unit_test(a_finished_stage_takes_no_more),
        cmocka_unit_test(a_temporary_file_leaves_the_archive_its_room),
        cmocka_unit_test(an_archive_that_goes_elsewhere_needs_no_room),
        cmocka_unit_test(where_nobody_knows_how_much_there_is_there_is_room),
    };
    return cmocka_run_group_tests(tests, make_compressor, free_compressor);
}
