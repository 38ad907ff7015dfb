/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * What a run of the queue promises: what is sent, in which order, what comes of a failure, and what
 * others may do meanwhile.
 */
#include "spool_fixture.h"

static void a_job_that_was_sent_leaves_a_receipt_and_no_data(void **state)
{
    (void)state;
    char id[33];
    assert_int_equal(add("a.zip", "abc", id), SPOOL_NEW);
    assert_int_equal(access(at("data", id, ""), F_OK), 0);
    fake.sent = (struct spool_sent){.protocol = "tus", .id = "u-1", .attempts = 3};
    struct spool_worked worked = work(0);
    assert_int_equal(worked.done, 1);
    assert_int_equal(worked.waiting, 0);
    assert_int_equal(access(at("data", id, ""), F_OK), -1);
    struct spool_list list = listed();
    const struct job *job = &list.jobs[0];
    assert_int_equal(list.count, 1);
    assert_int_equal(job->state, JOB_DONE);
    assert_string_equal(job->receipt.protocol, "tus");
    assert_string_equal(job->receipt.id, "u-1");
    assert_string_equal(job->receipt.sha256, job->sha256);
    assert_int_equal(job->receipt.bytes, 3);
    assert_int_equal(job->receipt.attempts, 3);
    assert_true(job->receipt.started > 0 && job->receipt.finished >= job->receipt.started);
    spool_list_release(&list);
    assert_int_equal(work(0).done, 0);
    assert_int_equal(fake.calls, 0);
}

static void give_up(void)
{
    assert_int_equal(dropped(), 1);
}

static void a_job_given_up_while_it_is_sent_does_not_come_back(void **state)
{
    (void)state;
    char id[33];
    add("a.zip", "abc", id);
    fake.meanwhile = give_up;
    work(ERR_AGAIN);
    assert_int_equal(access(at("jobs", id, ".json"), F_OK), -1);
    fake.meanwhile = NULL;
    work(0);
    assert_int_equal(fake.calls, 0);
}

static void the_oldest_is_sent_first_and_each_once_a_run(void **state)
{
    (void)state;
    char a[33], b[33];
    add("a.zip", "a", a);
    add("b.zip", "b", b);
    edit(b, "\"added\": ", "\"added\": \"2026-01-01T00:00:00Z\"");
    edit(a, "\"added\": ", "\"added\": \"2026-02-01T00:00:00Z\"");
    reopen(&(struct spool_limits){.max_age_s = 9000LL * 86400});
    struct spool_worked worked = work(ERR_AGAIN);
    assert_int_equal(fake.calls, 2);
    assert_string_equal(fake.files[0], "b.zip");
    assert_string_equal(fake.files[1], "a.zip");
    assert_int_equal(worked.later, 2);
    assert_int_equal(worked.waiting, 2);
    assert_true(worked.next_try > 0);
}

static void what_fails_for_now_waits_for_its_time(void **state)
{
    (void)state;
    char id[33];
    add("a.zip", "abc", id);
    fake.sent = (struct spool_sent){.retry_after_s = 3000};
    int64_t before = time(NULL);
    work(ERR_AGAIN);
    int64_t after = time(NULL);
    struct spool_list list = listed();
    assert_int_equal(list.jobs[0].state, JOB_WAITING);
    assert_in_range(list.jobs[0].next_try, before + 3000, after + 3010);
    assert_string_equal(list.jobs[0].error, "the server said no");
    assert_int_equal(list.jobs[0].attempts, 1);
    spool_list_release(&list);
    assert_int_equal(work(0).waiting, 1);
    assert_int_equal(fake.calls, 0);
    edit(id, "\"next_try\": ", "\"next_try\": \"2026-01-01T00:00:00Z\"");
    assert_int_equal(work(0).done, 1);
}

static void the_back_off_counts_failures_without_progress(void **state)
{
    (void)state;
    char id[33];
    add("a.zip", "abc", id);
    for (int i = 1; i <= 3; i++) {
        work(ERR_AGAIN);
        struct spool_list list = listed();
        assert_int_equal(list.jobs[0].failures, i);
        spool_list_release(&list);
        edit(id, "\"next_try\": ", "\"next_try\": null");
    }
    fake.sent.moved = true;
    work(ERR_AGAIN);
    struct spool_list list = listed();
    assert_int_equal(list.jobs[0].failures, 1);
    assert_int_equal(list.jobs[0].attempts, 4);
    spool_list_release(&list);
}

static void a_clock_that_went_back_postpones_nothing(void **state)
{
    (void)state;
    char id[33];
    add("a.zip", "abc", id);
    edit(id, "\"tried\": ", "\"tried\": \"2066-01-01T00:00:00Z\"");
    edit(id, "\"next_try\": ", "\"next_try\": \"2066-01-01T00:10:00Z\"");
    edit(id, "\"added\": ", "\"added\": \"2066-01-01T00:00:00Z\"");
    assert_int_equal(work(ERR_AGAIN).later, 1);
    /* Only the wait is beyond all that could have been asked for. */
    edit(id, "\"next_try\": ", "\"next_try\": \"2066-01-01T00:10:00Z\"");
    assert_int_equal(work(0).done, 1);
}

static void a_clock_that_was_not_set_ages_nothing(void **state)
{
    (void)state;
    char id[33];
    add("a.zip", "abc", id);
    edit(id, "\"added\": ", "\"added\": \"1970-01-02T00:00:00Z\"");
    assert_int_equal(work(0).done, 1);
}

static void what_waits_too_long_fails_and_is_kept_as_that(void **state)
{
    (void)state;
    char id[33];
    add("a.zip", "abc", id);
    edit(id, "\"added\": ", "\"added\": \"2021-01-01T00:00:00Z\"");
    assert_int_equal(work(0).failed, 1);
    assert_int_equal(fake.calls, 0);
    struct spool_list list = listed();
    assert_int_equal(list.jobs[0].state, JOB_FAILED);
    assert_non_null(strstr(list.jobs[0].error, "--max-age"));
    spool_list_release(&list);
    edit(id, "\"added\": ", "\"added\": \"2021-01-01T00:00:00Z\"");
    edit(id, "\"tried\": ", "\"tried\": \"2021-01-01T00:00:00Z\"");
    work(0);
    list = listed();
    assert_int_equal(list.count, 0);
    spool_list_release(&list);
    assert_int_equal(access(at("data", id, ""), F_OK), -1);
}

static void a_denied_job_stands_still_until_somebody_says_so(void **state)
{
    (void)state;
    char id[33];
    add("a.zip", "abc", id);
    assert_int_equal(work(ERR_DENIED).denied, 1);
    assert_int_equal(access(at("data", id, ""), F_OK), 0);
    work(0);
    assert_int_equal(fake.calls, 0);
    assert_int_equal(work_with(ERR_DENIED, true, 0).denied, 1);
    assert_int_equal(add("a.zip", "abc", NULL), SPOOL_REVIVED);
    assert_int_equal(work(0).done, 1);
}

static void a_failure_for_good_is_kept_with_its_reason_and_can_be_added_again(void **state)
{
    (void)state;
    add("a.zip", "abc", NULL);
    assert_int_equal(work(ERR_LIMIT).failed, 1);
    struct spool_list list = listed();
    assert_int_equal(list.jobs[0].state, JOB_FAILED);
    assert_string_equal(list.jobs[0].error, "the server said no");
    spool_list_release(&list);
    work(0);
    assert_int_equal(fake.calls, 0);
    assert_int_equal(add("a.zip", "abc", NULL), SPOOL_REVIVED);
    assert_int_equal(work(0).done, 1);
}

static void an_interrupted_run_ends_and_costs_the_job_nothing(void **state)
{
    (void)state;
    add("a.zip", "a", NULL);
    add("b.zip", "b", NULL);
    struct spool_worked worked = work_with(ERR_CANCELLED, false, ERR_CANCELLED);
    assert_int_equal(fake.calls, 1);
    assert_int_equal(worked.waiting, 2);
    struct spool_list list = listed();
    assert_int_equal(list.jobs[0].attempts + list.jobs[1].attempts, 0);
    assert_null(list.jobs[0].error);
    spool_list_release(&list);
    assert_int_equal(work(0).done, 2);
}

static void a_job_without_its_data_fails_and_the_others_go_on(void **state)
{
    (void)state;
    char gone[33], changed[33];
    add("a.zip", "a", gone);
    add("b.zip", "b", changed);
    add("c.zip", "c", NULL);
    unlink(at("data", gone, ""));
    put(at("data", changed, ""), "B");
    struct spool_worked worked = work(0);
    assert_int_equal(worked.failed, 2);
    assert_int_equal(worked.done, 1);
    assert_int_equal(fake.calls, 1);
    struct spool_list list = listed();
    for (size_t i = 0; i < list.count; i++) {
        const struct job *job = &list.jobs[i];
        const char *words = strcmp(job->id, gone) == 0      ? "gone"
                            : strcmp(job->id, changed) == 0 ? "changed"
                                                            : NULL;
        assert_int_equal(job->state, words ? JOB_FAILED : JOB_DONE);
        assert_true(!words || strstr(job->error, words));
    }
    spool_list_release(&list);
}

static void work_meanwhile(void)
{
    struct spool *other = NULL;
    struct spool_worked worked;
    struct err err = ERR_INIT;
    const struct spool_worker worker = {.send = fake_send, .context = &fake};
    assert_int_equal(spool_open(folder, false, NULL, &other, NULL), 0);
    assert_int_equal(spool_work(other, &worker, &worked, &err), ERR_AGAIN);
    assert_non_null(strstr(err.text, "another xen-upload"));
    spool_close(other);
}

static void one_worker_at_a_time(void **state)
{
    (void)state;
    add("a.zip", "a", NULL);
    fake.meanwhile = work_meanwhile;
    assert_int_equal(work(0).done, 1);
    assert_int_equal(fake.calls, 1);
}

static void add_meanwhile(void)
{
    fake.meanwhile = NULL;
    struct spool *worker = spool;
    assert_int_equal(spool_open(folder, false, NULL, &spool, NULL), 0);
    assert_int_equal(add("new.zip", "new", NULL), SPOOL_NEW);
    assert_int_equal(add("a.zip", "a", NULL), SPOOL_KNOWN);
    spool_close(spool);
    spool = worker;
}

static void what_is_added_while_another_is_sent_goes_with_the_same_run(void **state)
{
    (void)state;
    add("a.zip", "a", NULL);
    fake.meanwhile = add_meanwhile;
    assert_int_equal(work(0).done, 2);
}

static void drop_meanwhile(void)
{
    fake.meanwhile = NULL;
    struct spool *worker = spool;
    const struct spool_limits limits = {.max_jobs = 1, .drop_oldest = true};
    assert_int_equal(spool_open(folder, false, &limits, &spool, NULL), 0);
    assert_int_equal(add("new.zip", "new", NULL), SPOOL_NEW);
    spool_close(spool);
    spool = worker;
}

static void a_job_that_is_dropped_while_it_is_sent_is_recorded_when_it_arrived(void **state)
{
    (void)state;
    add("a.zip", "a", NULL);
    fake.meanwhile = drop_meanwhile;
    assert_int_equal(work(0).done, 2);
    struct spool_list list = listed();
    assert_int_equal(list.count, 2);
    assert_int_equal(list.jobs[0].state, JOB_DONE);
    assert_int_equal(list.jobs[1].state, JOB_DONE);
    spool_list_release(&list);
}

static void a_job_that_is_dropped_while_it_is_sent_in_vain_stays_dropped(void **state)
{
    (void)state;
    add("a.zip", "a", NULL);
    fake.meanwhile = drop_meanwhile;
    work(ERR_AGAIN);
    struct spool_list list = listed();
    assert_int_equal(list.count, 1);
    assert_non_null(strstr(list.jobs[0].file, "new.zip"));
    spool_list_release(&list);
}

static void a_job_that_ends_the_program_again_and_again_goes_last(void **state)
{
    (void)state;
    char a[33], b[33];
    add("a.zip", "a", a);
    add("b.zip", "b", b);
    edit(a, "\"added\": ", "\"added\": \"2026-11-01T00:00:00Z\"");
    edit(a, "\"unsettled\": ", "\"unsettled\": 2");
    work(ERR_AGAIN);
    assert_string_equal(fake.files[0], "a.zip");
    edit(a, "\"next_try\": ", "\"next_try\": null");
    edit(b, "\"next_try\": ", "\"next_try\": null");
    edit(a, "\"unsettled\": ", "\"unsettled\": 3");
    work(0);
    assert_string_equal(fake.files[0], "b.zip");
    assert_string_equal(fake.files[1], "a.zip");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(a_job_that_was_sent_leaves_a_receipt_and_no_data),
        CASE(a_job_given_up_while_it_is_sent_does_not_come_back),
        CASE(the_oldest_is_sent_first_and_each_once_a_run),
        CASE(what_fails_for_now_waits_for_its_time),
        CASE(the_back_off_counts_failures_without_progress),
        CASE(a_clock_that_went_back_postpones_nothing),
        CASE(a_clock_that_was_not_set_ages_nothing),
        CASE(what_waits_too_long_fails_and_is_kept_as_that),
        CASE(a_denied_job_stands_still_until_somebody_says_so),
        CASE(a_failure_for_good_is_kept_with_its_reason_and_can_be_added_again),
        CASE(an_interrupted_run_ends_and_costs_the_job_nothing),
        CASE(a_job_without_its_data_fails_and_the_others_go_on),
        CASE(one_worker_at_a_time),
        CASE(what_is_added_while_another_is_sent_goes_with_the_same_run),
        CASE(a_job_that_is_dropped_while_it_is_sent_is_recorded_when_it_arrived),
        CASE(a_job_that_is_dropped_while_it_is_sent_in_vain_stays_dropped),
        CASE(a_job_that_ends_the_program_again_and_again_goes_last),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
