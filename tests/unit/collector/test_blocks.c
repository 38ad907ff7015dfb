/* SPDX-License-Identifier: LGPL-2.1-only */
#include "collector/bundle/blocks.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <unistd.h>
#include <cmocka.h>

#include "tests/unit/collector/samples_of_bytes.h"

#define BLOCK   1000
#define STREAMS 6

/* Turns each byte around on the way, so that skipped work shows. */
struct stream {
    unsigned char *out;
    size_t length;
    uint64_t followed; /* depends on the order */
    atomic_int at_work, most_at_work;
    int fail_at; /* number of the block whose transform fails; 0: none */
    int follow_fails_at, emit_fails_at;
    int emitted, follows;
    atomic_int transformed;
    bool saw_last;
};

static int turn_around(void *owner, struct block *block, struct err *err)
{
    struct stream *stream = owner;
    int now = atomic_fetch_add(&stream->at_work, 1) + 1, most = atomic_load(&stream->most_at_work);
    while (now > most && !atomic_compare_exchange_weak(&stream->most_at_work, &most, now))
        ;
    if (block->bytes[0] % 8 == 0)
        usleep(200); /* so that later blocks overtake */
    int number = atomic_fetch_add(&stream->transformed, 1) + 1;
    int r = number == stream->fail_at ? err_set(err, ERR_LIMIT, "transform") : 0;
    if (r == 0)
        r = block_room(block, block->length, err);
    for (size_t i = 0; r == 0 && i < block->length; i++)
        block->out[i] = (unsigned char)~block->bytes[i];
    block->out_length = block->length;
    atomic_fetch_sub(&stream->at_work, 1);
    return r;
}

static int follow(void *owner, const struct block *block, struct err *err)
{
    struct stream *stream = owner;
    for (size_t i = 0; i < block->length; i++)
        stream->followed = stream->followed * 31 + block->bytes[i];
    return ++stream->follows == stream->follow_fails_at ? err_set(err, ERR_LIMIT, "follow") : 0;
}

static int emit(void *owner, struct block *block, struct err *err)
{
    struct stream *stream = owner;
    assert_false(stream->saw_last);
    assert_int_equal(block->first, stream->emitted == 0);
    stream->saw_last = block->last;
    memcpy(stream->out + stream->length, block->out, block->out_length);
    stream->length += block->out_length;
    return ++stream->emitted == stream->emit_fails_at ? err_set(err, ERR_LIMIT, "emit") : 0;
}

static const struct blocks_ops ops = {.transform = turn_around, .follow = follow, .emit = emit};

static int write_all(struct blocks *blocks, const unsigned char *bytes, size_t length,
                     uint32_t *random, struct err *err)
{
    int r = 0;
    for (size_t at = 0, n; r == 0 && at < length; at += n) {
        n = next_random(random) % (3 * BLOCK);
        if (n > length - at)
            n = length - at;
        r = blocks_write(blocks, bytes + at, n, err);
    }
    return r == 0 ? blocks_finish(blocks, err) : r;
}

static void assert_turned_around(const struct stream *stream, const unsigned char *bytes,
                                 size_t length)
{
    uint64_t followed = 0;
    assert_int_equal(stream->length, length);
    for (size_t i = 0; i < length; i++) {
        followed = followed * 31 + bytes[i];
        if (stream->out[i] != (unsigned char)~bytes[i])
            fail_msg("byte %zu of %zu", i, length);
    }
    assert_true(stream->followed == followed);
    assert_int_equal(stream->emitted, (length + BLOCK - 1) / BLOCK);
    assert_int_equal(stream->saw_last, length > 0);
}

static void blocks_come_out_in_order_and_whole(void **state)
{
    (void)state;
    unsigned char *bytes = make_bytes(NOISE, 60 * BLOCK), out[60 * BLOCK];
    static const size_t lengths[] = {0,         1,         BLOCK - 1,      BLOCK,     BLOCK + 1,
                                     2 * BLOCK, 7 * BLOCK, 20 * BLOCK + 1, 60 * BLOCK};
    uint32_t random = 3;
    for (int threads = 0; threads <= 3; threads++) {
        struct crew *crew;
        assert_int_equal(crew_new(threads, &crew, NULL), 0);
        for (size_t i = 0; i < ARRAY_SIZE(lengths); i++) {
            struct stream stream = {.out = out};
            struct blocks *blocks;
            assert_int_equal(blocks_new(crew, BLOCK, &ops, &stream, &blocks, NULL), 0);
            assert_int_equal(write_all(blocks, bytes, lengths[i], &random, NULL), 0);
            assert_turned_around(&stream, bytes, lengths[i]);
            assert_true(atomic_load(&stream.most_at_work) <= (threads > 1 ? threads : 1));
            blocks_free(blocks);
        }
        crew_free(crew);
    }
    free(bytes);
}

static void a_failure_anywhere_is_told_by_the_writer(void **state)
{
    (void)state;
    unsigned char *bytes = make_bytes(NOISE, 30 * BLOCK), out[30 * BLOCK];
    static const char *const texts[] = {"transform", "follow", "emit"};
    uint32_t random = 3;
    for (int threads = 0; threads <= 2; threads++) {
        struct crew *crew;
        assert_int_equal(crew_new(threads, &crew, NULL), 0);
        for (int i = 0; i < 9; i++) {
            static const int numbers[] = {1, 12, 30};
            struct stream stream = {.out = out};
            int *fails[] = {&stream.fail_at, &stream.follow_fails_at, &stream.emit_fails_at};
            struct err err = ERR_INIT;
            struct blocks *blocks;
            *fails[i % 3] = numbers[i / 3];
            assert_int_equal(blocks_new(crew, BLOCK, &ops, &stream, &blocks, NULL), 0);
            assert_int_equal(write_all(blocks, bytes, 30 * BLOCK, &random, &err), ERR_LIMIT);
            assert_string_equal(err.text, texts[i % 3]);
            blocks_reset(blocks); /* and the same blocks serve again */
            stream = (struct stream){.out = out};
            assert_int_equal(write_all(blocks, bytes, 30 * BLOCK, &random, NULL), 0);
            assert_turned_around(&stream, bytes, 30 * BLOCK);
            blocks_free(blocks);
        }
        crew_free(crew);
    }
    free(bytes);
}

static void a_stream_can_be_given_up_at_any_moment(void **state)
{
    (void)state;
    unsigned char *bytes = make_bytes(NOISE, 30 * BLOCK), out[30 * BLOCK];
    struct crew *crew;
    assert_int_equal(crew_new(2, &crew, NULL), 0);
    for (size_t length = 0; length <= 30 * BLOCK; length += BLOCK / 2) {
        struct stream stream = {.out = out};
        struct blocks *blocks;
        assert_int_equal(blocks_new(crew, BLOCK, &ops, &stream, &blocks, NULL), 0);
        assert_int_equal(blocks_write(blocks, bytes, length, NULL), 0);
        assert_null(blocks_free(blocks));
        assert_int_equal(atomic_load(&stream.at_work), 0); /* nobody works on it any more */
    }
    /* Every place was given back. */
    for (int i = 0; i < 2; i++)
        assert_true(crew_take_place(crew));
    assert_false(crew_take_place(crew));
    crew_free(crew);
    free(bytes);
}

struct writer {
    struct crew *crew;
    const unsigned char *bytes;
    uint32_t random;
    struct stream stream;
    int result;
};

static void *write_stream(void *argument)
{
    struct writer *writer = argument;
    struct blocks *blocks;
    writer->result = blocks_new(writer->crew, BLOCK, &ops, &writer->stream, &blocks, NULL);
    if (writer->result == 0)
        writer->result = write_all(blocks, writer->bytes, 50 * BLOCK, &writer->random, NULL);
    blocks_free(blocks);
    return NULL;
}

static void many_streams_share_a_crew(void **state)
{
    (void)state;
    unsigned char *bytes = make_bytes(NOISE, 50 * BLOCK);
    struct writer writers[STREAMS] = {0};
    pthread_t threads[STREAMS];
    struct crew *crew;
    assert_int_equal(crew_new(2, &crew, NULL), 0);
    for (int i = 0; i < STREAMS; i++) {
        writers[i].crew = crew;
        writers[i].bytes = bytes;
        writers[i].random = (uint32_t)i + 1;
        writers[i].stream.out = malloc(50 * BLOCK);
        assert_int_equal(pthread_create(&threads[i], NULL, write_stream, &writers[i]), 0);
    }
    for (int i = 0; i < STREAMS; i++) {
        pthread_join(threads[i], NULL);
        assert_int_equal(writers[i].result, 0);
        assert_turned_around(&writers[i].stream, bytes, 50 * BLOCK);
        free(writers[i].stream.out);
    }
    crew_free(crew);
    free(bytes);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(blocks_come_out_in_order_and_whole),
        cmocka_unit_test(a_failure_anywhere_is_told_by_the_writer),
        cmocka_unit_test(a_stream_can_be_given_up_at_any_moment),
        cmocka_unit_test(many_streams_share_a_crew),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
