/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * The worker. Around each send the job is written twice: before, that a run began with it, and
 * after, how it ended. In between nothing is locked, so others can add and look.
 *
 * Root does nothing for others: in a spool that a group may write to, somebody could have it read
 * any file of secrets and write to any folder. Such jobs are for a worker that is not root.
 *
 * A job that takes the whole program down (memory, a bug) would come first again for ever, being
 * the oldest; after a few such runs it goes last. What is due is decided by the clock on the wall,
 * which may be wrong: a wait that it could never have asked for is over.
 */
#include <errno.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/random.h>

#include "common/vec.h"
#include "upload/spool/spool_private.h"

#define MAX_UNSETTLED 3
#define LONGEST_WAIT  (2 * 86400) /* a server may ask for a day, the back-off adds an hour */

typedef char job_id[JOB_ID_DIGITS + 1];

struct run {
    struct spool *spool;
    const struct spool_worker *worker;
    struct spool_worked *worked;
    VEC(job_id) tried; /* each job once in a run */
};

static void tell(const struct run *run, const struct job *job, const char *line)
{
    if (run->worker->say)
        run->worker->say(run->worker->context, job, line);
}

static bool is_cancelled(const struct run *run)
{
    const struct retry_options *retry = run->worker->retry;
    return retry && retry->cancelled && atomic_load(retry->cancelled);
}

static bool was_tried(const struct run *run, const char *id)
{
    for (size_t i = 0; i < run->tried.count; i++)
        if (strcmp(run->tried.items[i], id) == 0)
            return true;
    return false;
}

static bool is_due(const struct job *job, int64_t now)
{
    return job->next_try <= now || now < job->tried || job->next_try - now > LONGEST_WAIT;
}

static bool is_for_others(const struct job *job)
{
    return geteuid() == 0 && job->owner != 0;
}

/* The oldest that is due, ERR_NOTFOUND without one. */
static int choose(struct run *run, struct job *ret, struct err *err)
{
    struct spool_list list = {0};
    int r = store_scan(run->spool, &list, err);
    struct job *best = NULL;
    int64_t now = time(NULL);
    for (size_t i = 0; i < list.count; i++) {
        struct job *job = &list.jobs[i];
        bool troubles = job->unsettled >= MAX_UNSETTLED;
        if (job->state == JOB_WAITING && is_due(job, now) && !was_tried(run, job->id) &&
            !is_for_others(job) && (!best || (best->unsettled >= MAX_UNSETTLED && !troubles)))
            best = job;
    }
    if (best) {
        *ret = *best;
        *best = (struct job)JOB_INIT;
    }
    spool_list_release(&list);
    return r < 0 ? r : best ? 0 : ERR_NOTFOUND;
}

/* Chooses a job and writes down that it is being sent. */
static int begin(struct run *run, struct job *ret, struct err *err)
{
    int r = spool_lock(run->spool, err);
    if (r < 0)
        return r;
    CLEANUP(spool_unlock) struct spool *locked = run->spool;
    r = choose(run, ret, err);
    if (r < 0)
        return r;
    job_id *tried = vec_push(&run->tried);
    if (!tried)
        return err_nomem(err);
    snprintf(*tried, sizeof *tried, "%s", ret->id);
    ret->unsettled++;
    return store_save(run->spool, ret, err);
}

static int open_data(struct spool *spool, const struct job *job, struct source **ret,
                     struct err *err)
{
    CLEANUP(source_cleanup) struct source *source = NULL;
    struct err reason = ERR_INIT;
    int r = store_open_data(spool, job->id, &source, &reason);
    if (r == ERR_NOTFOUND)
        return err_set(err, r, "its file is gone from the spool; add it again");
    if (r < 0)
        return err_pass(err, r, &reason);
    if (strcmp(source_sha256(source), job->sha256) != 0)
        return err_set(err, ERR_UNSUPPORTED,
                       "its file changed after it was added; add it again as it is now");
    *ret = TAKE(source);
    return 0;
}

static int64_t next_try(const struct run *run, const struct job *job, const struct spool_sent *sent)
{
    static const struct retry_options usual;
    const struct retry_options *options = run->worker->retry ? run->worker->retry : &usual;
    uint32_t random = 0;
    if (getrandom(&random, sizeof random, GRND_NONBLOCK) < 0)
        random = UINT32_MAX; /* the longest wait hurts nobody */
    unsigned failures = job->failures < 64 ? (unsigned)job->failures : 64;
    int64_t wait = retry_wait_ms(options, failures, sent->retry_after_s, random);
    return time(NULL) + (wait + 999) / 1000;
}

static int make_receipt(struct job *job, const struct spool_sent *sent, int64_t started,
                        struct err *err)
{
    struct receipt *receipt = &job->receipt;
    snprintf(receipt->protocol, sizeof receipt->protocol, "%s", sent->protocol);
    snprintf(receipt->id, sizeof receipt->id, "%s", sent->id);
    snprintf(receipt->sha256, sizeof receipt->sha256, "%s", job->sha256);
    receipt->bytes = job->bytes;
    receipt->started = started;
    receipt->finished = time(NULL);
    receipt->attempts = job->attempts;
    return receipt_set_place(receipt, job->file, job->url, err);
}

static bool is_for_later(int result)
{
    return result == ERR_AGAIN || result == ERR_TIMEOUT || result == ERR_IO || result == ERR_NOMEM;
}

/* What the result of a send makes of the job. */
static int apply(const struct run *run, struct job *job, int result, const struct spool_sent *sent,
                 const struct err *why, int64_t started, struct err *err)
{
    job->unsettled = 0;
    if (result == ERR_CANCELLED)
        return 0;
    char text[sizeof why->text + sizeof why->where + 32];
    int r =
        job_set_text(&job->error, result == 0 ? NULL : err_message(why, text, sizeof text), err);
    if (r < 0)
        return r;
    job->attempts += sent->attempts > 0 ? sent->attempts : 1;
    job->tried = time(NULL);
    job->next_try = 0;
    job->failures = sent->moved ? 0 : job->failures;
    if (result == 0) {
        job->state = JOB_DONE;
        job->failures = 0;
        return make_receipt(job, sent, started, err);
    }
    if (is_for_later(result)) {
        job->failures++;
        job->next_try = next_try(run, job, sent);
    } else {
        job->state = result == ERR_DENIED ? JOB_DENIED : JOB_FAILED;
    }
    return 0;
}

static void count(struct spool_worked *worked, int result)
{
    unsigned *which = result == 0            ? &worked->done
                      : is_for_later(result) ? &worked->later
                      : result == ERR_DENIED ? &worked->denied
                                             : &worked->failed;
    if (result != ERR_CANCELLED)
        (*which)++;
}

/*
 * Writes down how it ended. Somebody may have added the job again meanwhile, with other options:
 * they stay. It may have been dropped to make room: then only a success is worth a record.
 */
static int settle(struct run *run, struct job *job, int result, const struct spool_sent *sent,
                  const struct err *why, int64_t started, struct err *err)
{
    int r = spool_lock(run->spool, err);
    if (r < 0)
        return r;
    CLEANUP(spool_unlock) struct spool *locked = run->spool;
    char name[JOB_ID_DIGITS + sizeof ".json"];
    struct job now = JOB_INIT;
    store_name(job->id, name);
    int loaded = store_load(run->spool, name, &now, NULL);
    if (loaded == 0) {
        struct job old = *job;
        *job = now;
        job_release(&old);
    } else if (loaded == ERR_NOTFOUND && result != 0) {
        return 0;
    }
    r = apply(run, job, result, sent, why, started, err);
    if (r == 0)
        r = store_save(run->spool, job, err);
    /* Only now: the receipt is on disk. */
    if (r == 0 && job->state == JOB_DONE)
        store_remove_data(run->spool, job->id);
    return r;
}

static int send_one(struct run *run, struct job *job, struct err *err)
{
    struct spool_sent sent = {.retry_after_s = -1};
    struct err why = ERR_INIT;
    CLEANUP(source_cleanup) struct source *source = NULL;
    int64_t started = time(NULL);
    int result = open_data(run->spool, job, &source, &why);
    if (result == 0)
        result = run->worker->send(run->worker->context, job, source, &sent, &why);
    int r = settle(run, job, result, &sent, &why, started, err);
    if (r < 0)
        return r;
    count(run->worked, result);
    tell(run, job, result == 0 ? "done" : why.text);
    return result == ERR_CANCELLED ? err_set(err, ERR_CANCELLED, "interrupted") : 0;
}

static int send_all(struct run *run, struct err *err)
{
    for (;;) {
        if (is_cancelled(run))
            return err_set(err, ERR_CANCELLED, "interrupted");
        struct job job = JOB_INIT;
        int r = begin(run, &job, err);
        if (r == 0)
            r = send_one(run, &job, err);
        job_release(&job);
        if (r < 0)
            return r == ERR_NOTFOUND ? 0 : r;
    }
}

static int free_denied(struct spool *spool, struct err *err)
{
    struct spool_list list = {0};
    int r = store_scan(spool, &list, err);
    for (size_t i = 0; r == 0 && i < list.count; i++) {
        struct job *job = &list.jobs[i];
        if (job->state != JOB_DENIED)
            continue;
        job->state = JOB_WAITING;
        job->failures = job->next_try = 0;
        r = store_save(spool, job, err);
    }
    spool_list_release(&list);
    return r;
}

static int prepare(struct run *run, struct err *err)
{
    int r = spool_lock(run->spool, err);
    if (r < 0)
        return r;
    CLEANUP(spool_unlock) struct spool *locked = run->spool;
    r = spool_sweep(run->spool, run->worker, run->worked, err);
    return r == 0 && run->worker->retry_denied ? free_denied(run->spool, err) : r;
}

static void look_ahead(struct run *run)
{
    struct spool_list list = {0};
    int64_t now = time(NULL);
    if (store_scan(run->spool, &list, NULL) < 0)
        return;
    for (size_t i = 0; i < list.count; i++) {
        const struct job *job = &list.jobs[i];
        if (job->state != JOB_WAITING)
            continue;
        run->worked->waiting++;
        if (is_for_others(job) && is_due(job, now))
            tell(
                run, job,
                "left alone: another user wrote this job, and root sends only its own; that user's "
                "run (xen-upload.service) sends it, or add the file again");
        /* It was there and could not be read when its turn came. */
        run->worked->later += is_due(job, now) && !was_tried(run, job->id);
        if (run->worked->waiting == 1 || job->next_try < run->worked->next_try)
            run->worked->next_try = job->next_try;
    }
    spool_list_release(&list);
}

int spool_work(struct spool *spool, const struct spool_worker *worker, struct spool_worked *ret,
               struct err *err)
{
    struct run run = {.spool = spool, .worker = worker, .worked = ret};
    *ret = (struct spool_worked){0};
    if (flock(spool->data, LOCK_EX | LOCK_NB) < 0)
        return errno == EWOULDBLOCK
                   ? err_set(err, ERR_AGAIN, "another xen-upload is working off the spool '%s'",
                             spool->folder)
                   : err_set_errno(err, errno, "cannot lock the spool '%s'", spool->folder);
    int r = prepare(&run, err);
    if (r == 0)
        r = send_all(&run, err);
    look_ahead(&run);
    vec_free(&run.tried);
    flock(spool->data, LOCK_UN);
    return r;
}
