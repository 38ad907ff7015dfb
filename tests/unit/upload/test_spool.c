/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * What the queue promises, with a send that does what the test says.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <fcntl.h>
#include <ftw.h>
#include <limits.h>
#include <sys/stat.h>
#include <cmocka.h>

#include "common/io.h"
#include "upload/spool/spool.h"

/* A send that does as told, and remembers what it was given. */
static struct fake {
    int result;
    struct spool_sent sent;
    unsigned calls;
    char files[8][64];
    void (*meanwhile)(void);
} fake;

static char *top, *folder;
static struct spool *spool;

static int forget(const char *path, const struct stat *info, int type, struct FTW *ftw)
{
    (void)info, (void)type, (void)ftw;
    return remove(path);
}

static int make(void **state)
{
    (void)state;
    fake = (struct fake){0};
    static char template[64];
    snprintf(template, sizeof template, "/tmp/test-spool-XXXXXX");
    top = mkdtemp(template);
    return asprintf(&folder, "%s/spool", top) < 0 || spool_open(folder, true, NULL, &spool, NULL);
}

static int clean(void **state)
{
    (void)state;
    spool = spool_close(spool);
    free(folder);
    return nftw(top, forget, 8, FTW_DEPTH | FTW_PHYS);
}

static void reopen(const struct spool_limits *limits)
{
    spool = spool_close(spool);
    assert_int_equal(spool_open(folder, false, limits, &spool, NULL), 0);
}

/* Paths below the spool; the buffer is good until the next call. */
static const char *at(const char *part, const char *name, const char *suffix)
{
    static char path[PATH_MAX];
    snprintf(path, sizeof path, "%s/%s/%s%s", folder, part, name, suffix);
    return path;
}

static void put(const char *path, const char *text)
{
    unlink(path);
    CLEANUP_FD int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    assert_true(fd >= 0);
    assert_int_equal(io_write_all(fd, text, strlen(text)), 0);
}

static const char *report(const char *name, const char *text)
{
    static char path[PATH_MAX];
    snprintf(path, sizeof path, "%s/%s", top, name);
    put(path, text);
    return path;
}

static int try_add(const char *file, const char *url, enum spool_added *ret, char id[33],
                   struct err *err)
{
    struct job job = JOB_INIT;
    assert_int_equal(job_set_text(&job.file, file, NULL), 0);
    assert_int_equal(job_set_text(&job.url, url, NULL), 0);
    assert_int_equal(job_set_option(&job, "rate", "1000", NULL), 0);
    assert_int_equal(job_set_text(&job.credential, "site", NULL), 0);
    int r = spool_add(spool, &job, ret, err);
    if (r == 0 && id)
        snprintf(id, 33, "%s", job.id);
    job_release(&job);
    return r;
}

#define URL "file:///there"

static enum spool_added add(const char *name, const char *text, char id[33])
{
    enum spool_added what = SPOOL_DONE;
    struct err err = ERR_INIT;
    if (try_add(report(name, text), URL, &what, id, &err) < 0)
        fail_msg("%s", err.text);
    return what;
}

static int fake_send(void *context, const struct job *job, struct source *source,
                     struct spool_sent *sent, struct err *err)
{
    assert_ptr_equal(context, &fake);
    assert_string_equal(source_sha256(source), job->sha256);
    snprintf(fake.files[fake.calls++ % 8], 64, "%s", strrchr(job->file, '/') + 1);
    if (fake.meanwhile)
        fake.meanwhile();
    int64_t retry_after = fake.sent.retry_after_s;
    *sent = fake.sent;
    sent->retry_after_s = retry_after ? retry_after : -1;
    return fake.result == 0 ? 0 : err_set(err, fake.result, "the server said no");
}

static char said[4][600];
static unsigned said_count;

static void remember(void *context, const struct job *job, const char *line)
{
    (void)context, (void)job;
    snprintf(said[said_count++ % 4], sizeof said[0], "%s", line);
}

static struct spool_worked work_with(int result, bool retry_denied, int expected)
{
    struct spool_worked worked;
    const struct spool_worker worker = {
        .send = fake_send, .say = remember, .context = &fake, .retry_denied = retry_denied};
    fake.result = result;
    fake.calls = said_count = 0;
    struct err err = ERR_INIT;
    int r = spool_work(spool, &worker, &worked, &err);
    if (r != expected)
        fail_msg("%d: %s", r, err.text);
    return worked;
}

static struct spool_worked work(int result)
{
    return work_with(result, false, 0);
}

static struct spool_list listed(void)
{
    struct spool_list list;
    assert_int_equal(spool_list(spool, &list, NULL), 0);
    return list;
}

/* Changes the one job's file as text, as time or a person would. */
static void edit(const char *id, const char *from, const char *to)
{
    char path[PATH_MAX];
    struct strbuf text = STRBUF_INIT, changed = STRBUF_INIT;
    snprintf(path, sizeof path, "%s", at("jobs", id, ".json"));
    assert_int_equal(io_read_file(AT_FDCWD, path, JOB_MAX_BYTES, &text, NULL), 0);
    char *place = strstr(text.data, from);
    assert_non_null(place);
    strbuf_add(&changed, text.data, (size_t)(place - text.data));
    strbuf_adds(&changed, to);
    strbuf_adds(&changed, place + strcspn(place, ",\n"));
    put(path, changed.data);
    strbuf_release(&text);
    strbuf_release(&changed);
}

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

static void the_same_file_to_the_same_place_is_one_job(void **state)
{
    (void)state;
    char first[33], second[33];
    enum spool_added what;
    assert_int_equal(add("a.zip", "abc", first), SPOOL_NEW);
    assert_int_equal(add("b.zip", "abc", second), SPOOL_KNOWN);
    assert_string_equal(first, second);
    assert_int_equal(try_add(report("a.zip", "abc"), URL "/else", &what, second, NULL), 0);
    assert_int_equal(what, SPOOL_NEW);
    assert_string_not_equal(first, second);
    work(0);
    assert_int_equal(fake.calls, 2);
    assert_int_equal(add("a.zip", "abc", second), SPOOL_DONE);
    assert_int_equal(access(at("data", second, ""), F_OK), -1);
    assert_int_equal(work(0).done, 0);
}

static void the_id_is_that_of_digest_and_url(void **state)
{
    (void)state;
    char id[33];
    add("a.zip", "abc", id);
    /* printf %s "$(printf abc | sha256sum | cut -c1-64)file:///there" | sha256sum | cut -c1-32 */
    assert_string_equal(id, "5ae9f58ee5cb2386b5ec407ec7a917a6");
}

static void options_and_credential_come_back_and_the_last_addition_counts(void **state)
{
    (void)state;
    struct job job = JOB_INIT;
    enum spool_added what;
    add("a.zip", "abc", NULL);
    job_set_text(&job.file, report("a.zip", "abc"), NULL);
    job_set_text(&job.url, URL, NULL);
    job_set_option(&job, "proxy", "http://p:1", NULL);
    assert_int_equal(spool_add(spool, &job, &what, NULL), 0);
    job_release(&job);
    struct spool_list list = listed();
    assert_string_equal(job_option(&list.jobs[0], "proxy"), "http://p:1");
    assert_null(job_option(&list.jobs[0], "rate"));
    assert_null(list.jobs[0].credential);
    spool_list_release(&list);
}

static unsigned dropped(void)
{
    unsigned count = 99;
    assert_int_equal(spool_drop(spool, &count, NULL), 0);
    return count;
}

static void what_waits_or_was_denied_can_be_given_up_and_records_stay(void **state)
{
    (void)state;
    char done[33], denied[33], waiting[33];
    add("a.zip", "done", done);
    work(0);
    add("b.zip", "denied", denied);
    work(ERR_DENIED);
    add("c.zip", "waiting", waiting);
    assert_int_equal(dropped(), 2);
    assert_int_equal(access(at("jobs", done, ".json"), F_OK), 0);
    assert_int_equal(access(at("jobs", denied, ".json"), F_OK), -1);
    assert_int_equal(access(at("data", denied, ""), F_OK), -1);
    assert_int_equal(access(at("jobs", waiting, ".json"), F_OK), -1);
    assert_int_equal(access(at("data", waiting, ""), F_OK), -1);
    assert_int_equal(dropped(), 0);
    work(0);
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
    struct spool_list list = listed();
    assert_int_equal(list.jobs[0].state, JOB_WAITING);
    assert_in_range(list.jobs[0].next_try, before + 3000, before + 3010);
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

static void data_that_leads_elsewhere_is_not_followed(void **state)
{
    (void)state;
    char id[33];
    add("a.zip", "abc", id);
    unlink(at("data", id, ""));
    assert_int_equal(symlink(report("b.zip", "abc"), at("data", id, "")), 0);
    assert_int_equal(work(0).failed, 1);
    assert_int_equal(fake.calls, 0);
}

static void a_damaged_job_is_set_aside_with_its_data_and_blocks_nobody(void **state)
{
    (void)state;
    char id[33];
    add("a.zip", "a", id);
    add("b.zip", "b", NULL);
    put(at("jobs", id, ".json"), "{\"schema\": \"xenhealth-job/1\", \"id\"");
    struct spool_list list = listed();
    assert_int_equal(list.damaged_count, 1);
    assert_non_null(strstr(list.damaged[0].why, "is not a job"));
    spool_list_release(&list);
    struct spool_worked worked = work(0);
    assert_int_equal(worked.damaged, 1);
    assert_int_equal(worked.done, 1);
    assert_non_null(strstr(said[0], "moved to"));
    assert_int_equal(access(at("damaged", id, ".json"), F_OK), 0);
    assert_int_equal(access(at("damaged", id, ".data"), F_OK), 0);
    assert_int_equal(access(at("jobs", id, ".json"), F_OK), -1);
    assert_int_equal(add("a.zip", "a", NULL), SPOOL_NEW);
    assert_int_equal(work(0).done, 1);
}

static void what_is_no_file_among_the_jobs_is_damage_too(void **state)
{
    (void)state;
    assert_int_equal(mkfifo(at("jobs", "fifo.json", ""), 0600), 0);
    assert_int_equal(symlink("/etc/passwd", at("jobs", "link.json", "")), 0);
    assert_int_equal(mkdir(at("jobs", "folder.json", ""), 0700), 0);
    add("a.zip", "a", NULL);
    struct spool_worked worked = work(0);
    assert_int_equal(worked.done, 1);
    struct spool_list list = listed();
    assert_int_equal(list.damaged_count, 3);
    spool_list_release(&list);
}

static void what_a_killed_run_left_is_swept(void **state)
{
    (void)state;
    char id[33];
    add("a.zip", "abc", id);
    work(0);
    put(at("data", id, ""), "abc");
    put(at("data", "00000000000000000000000000000000", ""), "orphan");
    put(at("data", ".incoming", ""), "half");
    put(at("jobs", ".x.json.new", ""), "{");
    work(0);
    assert_int_equal(access(at("data", id, ""), F_OK), -1);
    assert_int_equal(access(at("data", "00000000000000000000000000000000", ""), F_OK), -1);
    assert_int_equal(access(at("data", ".incoming", ""), F_OK), -1);
    assert_int_equal(access(at("jobs", ".x.json.new", ""), F_OK), -1);
}

static void a_full_spool_forgets_what_ended_and_then_refuses(void **state)
{
    (void)state;
    struct err err = ERR_INIT;
    enum spool_added what;
    reopen(&(struct spool_limits){.max_jobs = 2});
    add("a.zip", "a", NULL);
    work(0);
    add("b.zip", "b", NULL);
    assert_int_equal(add("c.zip", "c", NULL), SPOOL_NEW);
    struct spool_list list = listed();
    assert_int_equal(list.count, 2);
    spool_list_release(&list);
    assert_int_equal(try_add(report("d.zip", "d"), URL, &what, NULL, &err), ERR_LIMIT);
    assert_non_null(strstr(err.text, "--max-jobs"));
    assert_int_equal(add("c.zip", "c", NULL), SPOOL_KNOWN);
    assert_int_equal(work(0).done, 2);
}

static void room_is_counted_in_bytes_too_and_nothing_goes_in_vain(void **state)
{
    (void)state;
    struct err err = ERR_INIT;
    enum spool_added what;
    reopen(&(struct spool_limits){.max_bytes = 10});
    add("a.zip", "aaaa", NULL);
    work(ERR_LIMIT);
    add("b.zip", "bbbbb", NULL);
    assert_int_equal(try_add(report("c.zip", "cccccc"), URL, &what, NULL, &err), ERR_LIMIT);
    assert_non_null(strstr(err.text, "--max-bytes"));
    struct spool_list list = listed();
    assert_int_equal(list.count, 2);
    spool_list_release(&list);
    assert_int_equal(add("c.zip", "ccc", NULL), SPOOL_NEW);
    list = listed();
    assert_int_equal(list.count, 2); /* the failed one made room */
    spool_list_release(&list);
    err_clear(&err);
    assert_int_equal(try_add(report("c.zip", "ccccccccccc"), URL, &what, NULL, &err), ERR_LIMIT);
    assert_non_null(strstr(err.text, "in all"));
}

static void the_oldest_that_wait_go_when_that_is_asked_for(void **state)
{
    (void)state;
    char a[33];
    reopen(&(struct spool_limits){.max_jobs = 2, .drop_oldest = true});
    add("a.zip", "a", a);
    edit(a, "\"added\": ", "\"added\": \"2026-11-01T00:00:00Z\"");
    add("b.zip", "b", NULL);
    assert_int_equal(spool_dropped(spool), 0);
    assert_int_equal(add("c.zip", "c", NULL), SPOOL_NEW);
    assert_int_equal(spool_dropped(spool), 1);
    assert_int_equal(access(at("data", a, ""), F_OK), -1);
    assert_int_equal(work(0).done, 2);
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

static void a_link_is_made_where_it_can_be_and_a_copy_in_a_shared_spool(void **state)
{
    (void)state;
    char id[33];
    struct stat info;
    add("a.zip", "abc", id);
    assert_int_equal(stat(at("data", id, ""), &info), 0);
    assert_int_equal(info.st_nlink, 2);
    spool = spool_close(spool);
    assert_int_equal(chmod(folder, 02750), 0);
    assert_int_equal(spool_open(folder, true, NULL, &spool, NULL), 0);
    mode_t old = umask(077);
    add("b.zip", "b", id);
    umask(old);
    assert_int_equal(stat(at("data", id, ""), &info), 0);
    assert_int_equal(info.st_nlink, 1);
    assert_int_equal(info.st_mode & 07777, 0640);
    assert_int_equal(stat(at("jobs", id, ".json"), &info), 0);
    assert_int_equal(info.st_mode & 07777, 0640);
    assert_int_equal(stat(at(".", "jobs", ""), &info), 0);
    assert_int_equal(info.st_mode & 07777, 02770);
}

static void a_spool_that_everybody_may_write_to_is_refused(void **state)
{
    (void)state;
    struct err err = ERR_INIT;
    spool = spool_close(spool);
    assert_int_equal(chmod(folder, 0777), 0);
    assert_int_equal(spool_open(folder, false, NULL, &spool, &err), ERR_DENIED);
    assert_non_null(strstr(err.text, "chmod"));
}

static void a_folder_that_is_no_spool_is_told(void **state)
{
    (void)state;
    struct spool *none = NULL;
    struct err err = ERR_INIT;
    assert_int_equal(spool_open("/nonexistent/spool", false, NULL, &none, NULL), ERR_NOTFOUND);
    assert_int_equal(spool_open(top, false, NULL, &none, &err), ERR_NOTFOUND);
    assert_non_null(strstr(err.text, "no spool"));
    assert_null(none);
}

static void what_is_no_file_or_not_there_is_not_added(void **state)
{
    (void)state;
    enum spool_added what;
    assert_int_equal(try_add("/nonexistent", URL, &what, NULL, NULL), ERR_NOTFOUND);
    assert_int_equal(try_add("/dev/null", URL, &what, NULL, NULL), ERR_UNSUPPORTED);
    assert_int_equal(try_add(top, URL, &what, NULL, NULL), ERR_UNSUPPORTED);
    assert_int_equal(try_add(report("a", "a"), "file:///x\ny", &what, NULL, NULL), ERR_USAGE);
    assert_int_equal(try_add(report("a", "a"), "file:///\xff", &what, NULL, NULL), ERR_USAGE);
    struct spool_list list = listed();
    assert_int_equal(list.count, 0);
    spool_list_release(&list);
}

static void lists_show_no_permission_and_nothing_that_moves_a_cursor(void **state)
{
    (void)state;
    enum spool_added what;
    struct strbuf out = STRBUF_INIT;
    assert_int_equal(
        try_add(report("a\033[2J.zip", "a"), "https://h/x?X-Amz-Signature=abc", &what, NULL, NULL),
        0);
    struct spool_list list = listed();
    assert_int_equal(spool_list_text(&list, &out, NULL), 0);
    assert_non_null(strstr(out.data, "waiting"));
    assert_non_null(strstr(out.data, "https://h/x\n"));
    assert_null(strstr(out.data, "Signature"));
    assert_null(strchr(out.data, '\033'));
    strbuf_clear(&out);
    assert_int_equal(spool_list_json(&list, &out, NULL), 0);
    assert_non_null(strstr(out.data, "\"xenhealth-spool/1\""));
    assert_null(strstr(out.data, "Signature"));
    strbuf_release(&out);
    spool_list_release(&list);
}

#define CASE(function) cmocka_unit_test_setup_teardown(function, make, clean)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(a_job_that_was_sent_leaves_a_receipt_and_no_data),
        CASE(the_same_file_to_the_same_place_is_one_job),
        CASE(the_id_is_that_of_digest_and_url),
        CASE(options_and_credential_come_back_and_the_last_addition_counts),
        CASE(what_waits_or_was_denied_can_be_given_up_and_records_stay),
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
        CASE(data_that_leads_elsewhere_is_not_followed),
        CASE(a_damaged_job_is_set_aside_with_its_data_and_blocks_nobody),
        CASE(what_is_no_file_among_the_jobs_is_damage_too),
        CASE(what_a_killed_run_left_is_swept),
        CASE(a_full_spool_forgets_what_ended_and_then_refuses),
        CASE(room_is_counted_in_bytes_too_and_nothing_goes_in_vain),
        CASE(the_oldest_that_wait_go_when_that_is_asked_for),
        CASE(one_worker_at_a_time),
        CASE(what_is_added_while_another_is_sent_goes_with_the_same_run),
        CASE(a_job_that_is_dropped_while_it_is_sent_is_recorded_when_it_arrived),
        CASE(a_job_that_is_dropped_while_it_is_sent_in_vain_stays_dropped),
        CASE(a_job_that_ends_the_program_again_and_again_goes_last),
        CASE(a_link_is_made_where_it_can_be_and_a_copy_in_a_shared_spool),
        CASE(a_spool_that_everybody_may_write_to_is_refused),
        CASE(a_folder_that_is_no_spool_is_told),
        CASE(what_is_no_file_or_not_there_is_not_added),
        CASE(lists_show_no_permission_and_nothing_that_moves_a_cursor),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
