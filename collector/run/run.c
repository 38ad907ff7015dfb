/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * The worker threads and the one thread that talks to the archive.
 *
 * A lock guards the queue; an entry belongs to the worker that took it until it comes back as
 * finished. A thread that hangs in a read of a local disk cannot be ended, so it is written off:
 * its entry counts as stuck, a new thread takes its seat, and what else lies on that disk is read
 * by children. It works on a copy of its entry, so that it harms nothing when it comes back after
 * all; the caller must leave what it uses alone, for ever.
 */
#include "collector/run/run.h"

#include <errno.h>
#include <pthread.h>

#include "collector/run/deliver.h"
#include "collector/run/entry_run.h"
#include "common/io.h"

#define MAX_JOBS         64
#define QUEUE_PER_JOB    4    /* finished stages that wait for the archive: bounds memory */
#define ABANDON_AFTER_MS 1500 /* beyond the deadline; a child is gone within half a second */
#define JOIN_MS          1000 /* then threads have so long to come back; all of it fits five seconds */
#define LOOK_AGAIN_MS    200
#define MAX_LOST         MAX_JOBS /* all at once on one dead disk; each keeps up to half a MB for ever */

enum state { WAITING, RUNNING, FINISHED };

struct finished {
    size_t entry;
    struct stage *stage;
};

struct worker {
    struct pool *pool;
    int seat;
    bool busy, lost; /* lost: written off; whatever it brings is thrown away */
    size_t number;   /* of the entry it is busy with */
    int64_t begun_ms;
    struct plan_entry entry; /* a copy */
    struct read_watch watch;
};

struct seat {
    struct worker *worker; /* NULL: nobody works here (any more) */
    pthread_t thread;      /* of the last one, to be joined... */
    bool started;          /* ... if there is one that was not written off */
};

/* Shared by all threads; lives on the heap, since abandoned threads outlive the run. */
struct pool {
    struct run *run;
    pthread_mutex_t lock;
    pthread_cond_t changed;
    size_t *order; /* entry numbers, in the order in which they are wanted */
    enum state *states;
    size_t count, first_waiting; /* nothing before it in `order` waits */
    VEC(struct finished) queue;
    size_t queue_limit, left;
    struct seat seats[MAX_JOBS];
    int lost; /* workers */
    bool late, full, stop;
};

static bool is_file(const struct plan_entry *entry)
{
    return entry->kind == PLAN_FILE || entry->kind == PLAN_TREE;
}

/* Commands first: they show the state before our own reading disturbs caches and load. */
static int compare_entries(const void *left, const void *right, void *context)
{
    const struct run *run = context;
    size_t i = *(const size_t *)left, k = *(const size_t *)right;
    const struct plan_entry *a = &run->plan->entries.items[i], *b = &run->plan->entries.items[k];
    if (run->by_rank && a->item->rank != b->item->rank)
        return a->item->rank < b->item->rank ? -1 : 1;
    if (is_file(a) != is_file(b))
        return is_file(a) ? 1 : -1;
    return i < k ? -1 : i > k;
}

static int pool_new(struct run *run, struct pool **ret, struct err *err)
{
    size_t count = run->plan->entries.count;
    struct pool *pool = calloc(1, sizeof *pool);
    if (pool) {
        pool->order = calloc(count + 1, sizeof *pool->order);
        pool->states = calloc(count + 1, sizeof *pool->states);
    }
    if (!pool || !pool->order || !pool->states)
        return err_nomem(err);
    pool->run = run;
    pthread_mutex_init(&pool->lock, NULL);
    pthread_condattr_t attributes;
    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_cond_init(&pool->changed, &attributes);
    pthread_condattr_destroy(&attributes);
    for (size_t i = 0; i < count; i++)
        if (run->plan->entries.items[i].decided)
            pool->states[i] = FINISHED;
        else
            pool->order[pool->count++] = i;
    qsort_r(pool->order, pool->count, sizeof *pool->order, compare_entries, run);
    pool->left = pool->count;
    pool->queue_limit = (size_t)run->jobs * QUEUE_PER_JOB;
    *ret = pool;
    return 0;
}

static void pool_free(struct pool *pool)
{
    for (size_t i = 0; i < pool->queue.count; i++)
        if (pool->queue.items[i].stage)
            stage_free(pool->queue.items[i].stage);
    vec_free(&pool->queue);
    pthread_cond_destroy(&pool->changed);
    pthread_mutex_destroy(&pool->lock);
    free(pool->order);
    free(pool->states);
    free(pool);
}

static bool lane_is_taken(const struct pool *pool, const char *lane)
{
    for (int i = 0; lane && i < pool->run->jobs; i++) {
        const struct worker *worker = pool->seats[i].worker;
        const char *taken = worker && worker->busy ? worker->entry.item->lane : NULL;
        if (taken && strcmp(taken, lane) == 0)
            return true;
    }
    return false;
}

/* Gives the worker the next entry whose lane is free; false when none can be taken now. */
static bool take(struct pool *pool, struct worker *worker)
{
    while (pool->first_waiting < pool->count &&
           pool->states[pool->order[pool->first_waiting]] != WAITING)
        pool->first_waiting++;
    for (size_t i = pool->first_waiting; i < pool->count; i++) {
        size_t number = pool->order[i];
        const struct plan_entry *entry = &pool->run->plan->entries.items[number];
        if (pool->states[number] != WAITING || lane_is_taken(pool, entry->item->lane))
            continue;
        pool->states[number] = RUNNING;
        worker->number = number;
        worker->entry = *entry;
        worker->begun_ms = io_now_ms();
        worker->busy = true;
        return true;
    }
    return false;
}

static void finish(struct pool *pool, size_t number, struct stage *stage)
{
    struct finished *finished = vec_push(&pool->queue);
    if (finished)
        *finished = (struct finished){number, stage};
    else if (stage)
        stage_free(stage);
    pool->states[number] = FINISHED;
    pool->left--;
    pthread_cond_broadcast(&pool->changed);
}

/* Whether the entry is still to be collected; decides it when it is too late for it. */
static bool still_wanted(const struct pool *pool, struct plan_entry *entry)
{
    if (pool->late)
        outcome_set(&entry->outcome, OUTCOME_OMITTED,
                    "deadline: the time for the whole run was up");
    else if (pool->full)
        outcome_set(&entry->outcome, OUTCOME_OMITTED, ROOM_FULL);
    return !pool->late && !pool->full;
}

static void say_start(const struct run *run, const struct worker *worker)
{
    const struct plan_entry *entry = &run->plan->entries.items[worker->number];
    progress_begin(run->progress, worker->seat, entry);
    if (run->debug && entry->argv && !entry->path)
        progress_say(run->progress, "Starting '%s'", entry->source);
}

/* Collects the entry that the worker has taken. Called with the lock, which it drops meanwhile. */
static void work_off(struct pool *pool, struct worker *worker)
{
    struct stage *stage = NULL;
    struct err ignored = ERR_INIT;
    if (still_wanted(pool, &worker->entry)) {
        pthread_mutex_unlock(&pool->lock);
        say_start(pool->run, worker);
        int r = entry_run(pool->run, &worker->entry, &worker->watch, &stage, &ignored);
        pthread_mutex_lock(&pool->lock);
        if (worker->lost) {
            if (stage)
                stage_free(stage);
            return;
        }
        progress_begin(pool->run->progress, worker->seat, NULL);
        pool->stop = pool->stop || r < 0;
    }
    pool->run->plan->entries.items[worker->number] = worker->entry;
    worker->busy = false;
    finish(pool, worker->number, stage);
}

static void *work(void *argument)
{
    struct worker *worker = argument;
    struct pool *pool = worker->pool;
    pthread_mutex_lock(&pool->lock);
    while (!worker->lost && !pool->stop && pool->left > 0) {
        pool->late = pool->late || io_now_ms() > pool->run->deadline_ms;
        if (pool->queue.count >= pool->queue_limit || !take(pool, worker))
            pthread_cond_wait(&pool->changed, &pool->lock);
        else
            work_off(pool, worker);
    }
    if (!worker->lost)
        pool->seats[worker->seat].worker = NULL;
    free(worker);
    pthread_cond_broadcast(&pool->changed);
    pthread_mutex_unlock(&pool->lock);
    return NULL;
}

/* Called with the lock. */
static int start_worker(struct pool *pool, int seat, struct err *err)
{
    struct worker *worker = calloc(1, sizeof *worker);
    if (!worker)
        return err_nomem(err);
    worker->pool = pool;
    worker->seat = seat;
    int failure = pthread_create(&pool->seats[seat].thread, NULL, work, worker);
    if (failure) {
        free(worker);
        return err_set_errno(err, failure, "cannot start a thread");
    }
    pool->seats[seat].worker = worker;
    pool->seats[seat].started = true;
    return 0;
}

static int start_workers(struct pool *pool, struct err *err)
{
    int r = 0;
    pthread_mutex_lock(&pool->lock);
    for (int i = 0; r == 0 && i < pool->run->jobs; i++)
        r = start_worker(pool, i, err);
    bool some = pool->seats[0].started; /* fewer do as well */
    pthread_mutex_unlock(&pool->lock);
    return some ? 0 : r;
}

/* What hangs in the worker is given up, and with it the worker. Called with the lock. */
static void write_off(struct pool *pool, struct worker *worker)
{
    struct run *run = pool->run;
    /* Its copy may still change: the plan's own is as it was before. */
    struct plan_entry *entry = &run->plan->entries.items[worker->number];
    outcome_set(&entry->outcome, OUTCOME_STUCK, "reading it hangs; it was abandoned");
    entry->duration_ms = io_now_ms() - worker->begun_ms;
    mounts_note_hang(run->mounts, read_watch_give_up(&worker->watch));
    worker->lost = true;
    pool->lost++;
    pthread_detach(pool->seats[worker->seat].thread);
    pool->seats[worker->seat] = (struct seat){0};
    progress_begin(run->progress, worker->seat, NULL);
    finish(pool, worker->number, NULL);
}

static bool somebody_works(const struct pool *pool)
{
    bool some = false;
    for (int i = 0; i < pool->run->jobs; i++)
        some = some || pool->seats[i].worker;
    return some;
}

/* Called with the lock. False when nobody works any more. */
static bool look_after_workers(struct pool *pool, int64_t now)
{
    for (int i = 0; i < pool->run->jobs; i++) {
        struct worker *worker = pool->seats[i].worker;
        if (worker && worker->busy && read_watch_hangs(&worker->watch, now)) {
            struct err ignored = ERR_INIT;
            write_off(pool, worker);
            if (pool->lost <= MAX_LOST)
                start_worker(pool, i, &ignored);
        }
    }
    return somebody_works(pool);
}

/* Until something changes, or io_now_ms() is `until_ms`; false then. Called with the lock. */
static bool wait_for_change(struct pool *pool, int64_t until_ms)
{
    struct timespec until = {until_ms / 1000, until_ms % 1000 * 1000000};
    return pthread_cond_timedwait(&pool->changed, &pool->lock, &until) == 0;
}

/* Waits a moment for something to deliver; false when there is nothing. Called with the lock. */
static bool wait_for_finished(struct pool *pool, struct finished *ret)
{
    if (pool->queue.count == 0)
        wait_for_change(pool, io_now_ms() + LOOK_AGAIN_MS);
    if (pool->queue.count == 0)
        return false;
    *ret = pool->queue.items[0];
    memmove(pool->queue.items, pool->queue.items + 1,
            --pool->queue.count * sizeof *pool->queue.items);
    pthread_cond_broadcast(&pool->changed);
    return true;
}

/* The main thread's loop, with the lock held whenever it looks at the pool. */
static int serve(struct pool *pool, struct err *err)
{
    struct run *run = pool->run;
    int r = 0;
    pthread_mutex_lock(&pool->lock);
    while (r == 0 && (pool->left > 0 || pool->queue.count > 0)) {
        struct finished finished;
        int64_t now = io_now_ms();
        if (atomic_load(run->cancelled)) {
            r = err_set(err, ERR_CANCELLED, "interrupted");
            break;
        }
        bool some_work = look_after_workers(pool, now);
        if ((!some_work || now > run->deadline_ms + ABANDON_AFTER_MS) && pool->queue.count == 0)
            break;
        if (!wait_for_finished(pool, &finished)) {
            if (now > run->deadline_ms)
                pthread_cond_broadcast(&pool->changed);
            pthread_mutex_unlock(&pool->lock);
            progress_tick(run->progress);
            pthread_mutex_lock(&pool->lock);
            continue;
        }
        pthread_mutex_unlock(&pool->lock);
        r = deliver(run, &run->plan->entries.items[finished.entry], finished.stage, err);
        bool full = room_is_used_up(run->room);
        pthread_mutex_lock(&pool->lock);
        pool->full = pool->full || full;
    }
    if (r == 0 && atomic_load(run->cancelled))
        r = err_set(err, ERR_CANCELLED, "interrupted");
    pool->stop = true;
    pool->late = pool->late || (r == 0 && pool->left > 0 && io_now_ms() > run->deadline_ms);
    run->deadline_reached = pool->late;
    pthread_cond_broadcast(&pool->changed);
    pthread_mutex_unlock(&pool->lock);
    return r;
}

/* Gives threads that are still in a read a moment; those that do not come back are written off. */
static void join_all(struct pool *pool)
{
    int64_t until_ms = io_now_ms() + JOIN_MS;
    pthread_mutex_lock(&pool->lock);
    while (somebody_works(pool) && wait_for_change(pool, until_ms))
        ;
    for (int i = 0; i < pool->run->jobs; i++) {
        struct worker *worker = pool->seats[i].worker;
        if (worker && worker->busy)
            write_off(pool, worker);
    }
    pthread_mutex_unlock(&pool->lock);
    for (int i = 0; i < pool->run->jobs; i++)
        if (pool->seats[i].started) /* it is at its end */
            pthread_join(pool->seats[i].thread, NULL);
}

/* What nobody came to, or what came after the last look. The workers are gone. */
static int deliver_rest(struct pool *pool, struct err *err)
{
    struct run *run = pool->run;
    int r = 0;
    for (size_t i = 0; i < pool->count; i++) {
        size_t number = pool->order[i];
        if (pool->states[number] != WAITING)
            continue;
        struct plan_entry *entry = &run->plan->entries.items[number];
        if (still_wanted(pool, entry))
            outcome_set(&entry->outcome, OUTCOME_OMITTED,
                        "too many reads hang: there was nobody left to collect it");
        finish(pool, number, NULL);
    }
    for (size_t i = 0; r == 0 && i < pool->queue.count; i++) {
        struct finished finished = pool->queue.items[i];
        pool->queue.items[i].stage = NULL;
        r = deliver(run, &run->plan->entries.items[finished.entry], finished.stage, err);
    }
    return r;
}

int run_collect(struct run *run, struct err *err)
{
    struct pool *pool = NULL;
    run->jobs = run->jobs < 1 ? 1 : run->jobs > MAX_JOBS ? MAX_JOBS : run->jobs;
    int r = pool_new(run, &pool, err);
    if (r < 0)
        return r;
    for (size_t i = 0; i < run->plan->entries.count; i++)
        if (run->plan->entries.items[i].decided) {
            run_log_entry(run->log, &run->plan->entries.items[i]);
            progress_step(run->progress, &run->plan->entries.items[i]);
        }
    r = start_workers(pool, err);
    if (r == 0) {
        r = serve(pool, err);
        join_all(pool);
    }
    if (r == 0)
        r = deliver_rest(pool, err);
    run->abandoned = pool->lost > 0;
    if (!run->abandoned)
        pool_free(pool);
    return r;
}
