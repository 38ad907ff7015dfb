/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * Waiting and trying again, with a protocol that does what the test tells it.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <cmocka.h>
#include <pthread.h>

#include "common/io.h"
#include "upload/retry/retry.h"

#define ALL 4294967295U /* the largest random number */

static void waits_double_up_to_a_ceiling_and_honour_the_server(void **state)
{
    (void)state;
    static const struct retry_options usual = {.give_up_s = 1}, quick = {.first_ms = 10},
                                      low = {.first_ms = 5000, .longest_ms = 3000},
                                      odd = {.first_ms = 700, .longest_ms = 2000};
    static const struct {
        const struct retry_options *options;
        unsigned failures;
        int64_t retry_after_s;
        uint32_t random;
        int64_t least, most;
    } cases[] = {
        {&usual, 1, -1, 0, 0, 0},
        {&usual, 1, -1, ALL, 999, 1000},
        {&usual, 1, -1, ALL / 2, 499, 500},
        {&usual, 2, -1, ALL, 1999, 2000},
        {&usual, 3, -1, ALL / 4, 999, 1000},
        {&usual, 11, -1, ALL, 1023999, 1024000},
        {&usual, 12, -1, ALL, 2047999, 2048000},
        {&usual, 13, -1, ALL, 3599999, 3600000},
        {&usual, 40, -1, ALL, 3599999, 3600000},
        {&usual, 4000000000U, -1, ALL, 3599999, 3600000},
        {&usual, 4000000000U, -1, 0, 0, 0},
        {&usual, 0, -1, ALL, 999, 1000},
        {&usual, 1, 0, ALL, 999, 1000},
        {&usual, 1, 7, 0, 7000, 7000},
        {&usual, 1, 7, ALL, 7999, 8000},
        {&usual, 5, 120, ALL, 135999, 136000},
        {&usual, 1, 86400, 0, 86400000, 86400000},
        {&usual, 1, 86401, 0, 86400000, 86400000},
        {&usual, 1, INT64_MAX, ALL, 86400999, 86401000},
        {&usual, 1, INT64_MIN, 0, 0, 0},
        {&quick, 1, -1, ALL, 9, 10},
        {&quick, 4, -1, ALL, 79, 80},
        {&low, 1, -1, ALL, 2999, 3000},
        {&odd, 2, -1, ALL, 1399, 1400},
        {&odd, 3, -1, ALL, 1999, 2000},
    };
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        int64_t wait = retry_wait_ms(cases[i].options, cases[i].failures, cases[i].retry_after_s,
                                     cases[i].random);
        if (wait < cases[i].least || wait > cases[i].most)
            fail_msg("case %zu gave %lld", i, (long long)wait);
    }
}

/* What the next attempts do; the last one is repeated. */
struct attempt {
    int result;
    int64_t confirmed, retry_after_s;
};

static struct {
    const struct attempt *script;
    size_t count, made, waits;
    int64_t asked_for[64];
    atomic_bool cancelled;
    bool cancel_in_wait;
} play;

static int fake_send(struct transfer *transfer, struct err *err)
{
    size_t number = play.made < play.count ? play.made : play.count - 1;
    const struct attempt *attempt = &play.script[number];
    play.made++;
    transfer->confirmed = attempt->confirmed;
    transfer->retry_after_s = attempt->retry_after_s;
    return attempt->result < 0 ? err_set(err, attempt->result, "attempt %zu", play.made) : 0;
}

static void *cancel_soon(void *unused)
{
    struct timespec pause = {.tv_nsec = 20 * 1000000};
    nanosleep(&pause, NULL);
    atomic_store(&play.cancelled, true);
    return unused;
}

static void on_wait(void *context, int64_t wait_ms, const struct err *why)
{
    assert_ptr_equal(context, &play);
    assert_int_equal(why->code, ERR_AGAIN);
    if (play.waits < ARRAY_SIZE(play.asked_for))
        play.asked_for[play.waits++] = wait_ms;
    if (play.cancel_in_wait) {
        pthread_t thread;
        assert_int_equal(pthread_create(&thread, NULL, cancel_soon, NULL), 0);
        pthread_detach(thread);
    }
}

static const struct protocol fake = {.name = "fake", .send = fake_send};
static const struct target target = {.protocol = &fake};

static int run(struct retry_options options, const struct attempt *script, size_t count,
               struct transfer *transfer, struct err *err)
{
    memset(&play, 0, sizeof play);
    play.script = script;
    play.count = count;
    options.cancelled = &play.cancelled;
    options.waiting = on_wait;
    options.context = &play;
    *transfer = (struct transfer){.target = &target, .retry_after_s = -1};
    return retry_send(&options, transfer, err);
}

static const struct retry_options fast = {.give_up_s = 60, .first_ms = 1, .longest_ms = 4};

static void what_may_work_later_is_tried_until_it_works(void **state)
{
    (void)state;
    static const struct attempt script[] = {
        {ERR_AGAIN, 0, -1}, {ERR_AGAIN, 0, -1}, {ERR_AGAIN, 0, -1}, {0, 10, -1}};
    struct transfer transfer;
    struct err err = ERR_INIT;
    assert_int_equal(run(fast, script, ARRAY_SIZE(script), &transfer, &err), 0);
    assert_int_equal(err.code, 0);
    assert_int_equal(transfer.attempts, 4);
    assert_int_equal(play.waits, 3);
}

static void everything_else_ends_it_at_once(void **state)
{
    (void)state;
    static const int codes[] = {ERR_NOMEM,     ERR_IO,    ERR_NOTFOUND, ERR_DENIED,
                                ERR_PARSE,     ERR_LIMIT, ERR_USAGE,    ERR_UNSUPPORTED,
                                ERR_CANCELLED, ERR_BUG,   ERR_TIMEOUT,  ERR_EXISTS};
    for (size_t i = 0; i < ARRAY_SIZE(codes); i++) {
        const struct attempt script[] = {{codes[i], 5, -1}, {0, 10, -1}};
        struct transfer transfer;
        struct err err = ERR_INIT;
        assert_int_equal(run(fast, script, 2, &transfer, &err), codes[i]);
        assert_string_equal(err.text, "attempt 1");
        assert_int_equal(play.made, 1);
        assert_int_equal(play.waits, 0);
    }
}

static void without_time_there_is_one_attempt(void **state)
{
    (void)state;
    static const struct attempt script[] = {{ERR_AGAIN, 0, -1}};
    const struct retry_options once = {.give_up_s = 0, .first_ms = 1};
    struct transfer transfer;
    struct err err = ERR_INIT;
    assert_int_equal(run(once, script, 1, &transfer, &err), ERR_AGAIN);
    assert_int_equal(play.made, 1);
    assert_int_equal(play.waits, 0);
}

static void a_wait_beyond_the_end_is_not_begun(void **state)
{
    (void)state;
    static const struct attempt script[] = {{ERR_AGAIN, 0, 3600}};
    struct transfer transfer;
    struct err err = ERR_INIT;
    assert_int_equal(run(fast, script, 1, &transfer, &err), ERR_AGAIN);
    assert_string_equal(err.text, "attempt 1");
    assert_int_equal(play.made, 1);
    assert_int_equal(play.waits, 0);
    assert_int_equal(transfer.retry_after_s, 3600); /* for the spool */
}

static void the_last_error_is_told_when_time_is_up(void **state)
{
    (void)state;
    static const struct attempt script[] = {{ERR_AGAIN, 0, -1}};
    const struct retry_options short_time = {.give_up_s = 1, .first_ms = 100, .longest_ms = 200};
    char text[32];
    struct transfer transfer;
    play.made = 0;
    /* On a busy machine time may be up after the first. */
    for (int i = 0; i < 1000 && play.made < 2; i++) {
        struct err err = ERR_INIT;
        assert_int_equal(run(short_time, script, 1, &transfer, &err), ERR_AGAIN);
        assert_int_equal(transfer.attempts, play.made);
        snprintf(text, sizeof text, "attempt %zu", play.made);
        assert_string_equal(err.text, text);
    }
    assert_true(play.made > 1);
}

/* With a first wait of 1 ms, only a count that began anew keeps every wait at 1 ms. */
static void progress_starts_the_count_anew(void **state)
{
    (void)state;
    static const struct attempt script[] = {
        {ERR_AGAIN, 1, -1}, {ERR_AGAIN, 2, -1}, {ERR_AGAIN, 3, -1}, {ERR_AGAIN, 4, -1},
        {ERR_AGAIN, 5, -1}, {ERR_AGAIN, 6, -1}, {ERR_AGAIN, 7, -1}, {ERR_AGAIN, 8, -1},
        {ERR_AGAIN, 9, -1}, {0, 10, -1}};
    const struct retry_options options = {.give_up_s = 60, .first_ms = 1};
    struct transfer transfer;
    assert_int_equal(run(options, script, ARRAY_SIZE(script), &transfer, NULL), 0);
    assert_int_equal(play.waits, 9);
    for (size_t i = 0; i < play.waits; i++)
        assert_true(play.asked_for[i] <= 1);
}

/* Bytes that come and go are no progress: such a server would be asked for ever. */
static void a_server_that_forgets_is_backed_off_from(void **state)
{
    (void)state;
    struct attempt script[30];
    struct transfer transfer;
    struct err err = ERR_INIT;
    int64_t most = 0;
    for (size_t i = 0; i < ARRAY_SIZE(script); i++)
        script[i] = (struct attempt){i + 1 < ARRAY_SIZE(script) ? ERR_AGAIN : 0, i % 2 ? 0 : 5, -1};
    const struct retry_options options = {.give_up_s = 60, .first_ms = 1, .longest_ms = 16};
    assert_int_equal(run(options, script, ARRAY_SIZE(script), &transfer, &err), 0);
    for (size_t i = 0; i < play.waits; i++)
        most = play.asked_for[i] > most ? play.asked_for[i] : most;
    assert_true(most > 2); /* of 25 waits of up to 16 ms; all below 3 happens once in 10^18 */
}

static void a_wait_ends_when_it_is_cancelled(void **state)
{
    (void)state;
    static const struct attempt script[] = {{ERR_AGAIN, 0, 86400}};
    struct transfer transfer = {.target = &target, .retry_after_s = -1};
    struct err err = ERR_INIT;
    memset(&play, 0, sizeof play);
    play.script = script;
    play.count = 1;
    play.cancel_in_wait = true;
    const struct retry_options options = {
        .give_up_s = 7 * 86400, .cancelled = &play.cancelled, .waiting = on_wait, .context = &play};
    assert_int_equal(retry_send(&options, &transfer, &err), ERR_CANCELLED);
    assert_int_equal(err.code, ERR_CANCELLED); /* not the failure before */
    assert_int_equal(play.made, 1);
}

static void nothing_is_tried_when_it_is_cancelled_before(void **state)
{
    (void)state;
    static const struct attempt script[] = {{0, 0, -1}};
    atomic_bool cancelled = true;
    struct transfer transfer = {.target = &target};
    struct err err = ERR_INIT;
    memset(&play, 0, sizeof play);
    play.script = script;
    play.count = 1;
    const struct retry_options options = {.give_up_s = 60, .cancelled = &cancelled};
    assert_int_equal(retry_send(&options, &transfer, &err), ERR_CANCELLED);
    assert_int_equal(play.made, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(waits_double_up_to_a_ceiling_and_honour_the_server),
        cmocka_unit_test(what_may_work_later_is_tried_until_it_works),
        cmocka_unit_test(everything_else_ends_it_at_once),
        cmocka_unit_test(without_time_there_is_one_attempt),
        cmocka_unit_test(a_wait_beyond_the_end_is_not_begun),
        cmocka_unit_test(the_last_error_is_told_when_time_is_up),
        cmocka_unit_test(progress_starts_the_count_anew),
        cmocka_unit_test(a_server_that_forgets_is_backed_off_from),
        cmocka_unit_test(a_wait_ends_when_it_is_cancelled),
        cmocka_unit_test(nothing_is_tried_when_it_is_cancelled_before),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
