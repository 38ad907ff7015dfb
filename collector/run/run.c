/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * The worker threads and the one thread that talks to the archive.
 *
 * A lock guards the queue; an entry belongs to the worker that took it until it comes back as
 * finished. A thread that hangs in a read of a local disk cannot be ended, so it is never waited
 * for beyond the deadline: its entry counts as stuck, the archive is closed without it, and the
 * caller must leave its memory alone.
 */
#include "collector/run/run.h"

#include <errno.h>
#include <pthread.h>
#include <sys/statvfs.h>

#include "collector/run/entry_run.h"
#include "collector/run/member.h"
#include "collector/run/own_member.h"
#include "common/io.h"

#define MAX_JOBS         64
#define QUEUE_PER_JOB    4    /* finished stages that wait for the archive: bounds memory */
#define ABANDON_AFTER_MS 1500 /* beyond the deadline; a child is gone within half a second */
#define JOIN_S           1 /* then threads have so long to come back; all of it fits five seconds */
#define LOOK_AGAIN_MS    200
#define RESERVED_SHARE   20 /* one twentieth of the disk stays free */
#define UNWRITTEN                                                                                  \
    (512 * 1024) /* what the archive may still hold in its buffer, and the last members */

static const char disk_full[] = "disk full: too little space is left for it";

enum state { WAITING, RUNNING, FINISHED };

struct finished {
    size_t entry;
    struct stage *stage;
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
    size_t queue_limit, running, left;
    const char *lanes[MAX_JOBS]; /* of the entries that run */
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
    for (int i = 0; lane && i < pool->run->jobs; i++)
        if (pool->lanes[i] && strcmp(pool->lanes[i], lane) == 0)
            return true;
    return false;
}

/* The next entry whose lane is free; false when none can be taken now. */
static bool take(struct pool *pool, int worker, size_t *ret)
{
    while (pool->first_waiting < pool->count &&
           pool->states[pool->order[pool->first_waiting]] != WAITING)
        pool->first_waiting++;
    for (size_t i = pool->first_waiting; i < pool->count; i++) {
        size_t number = pool->order[i];
        const char *lane = pool->run->plan->entries.items[number].item->lane;
        if (pool->states[number] != WAITING || lane_is_taken(pool, lane))
            continue;
        pool->states[number] = RUNNING;
        pool->lanes[worker] = lane;
        pool->running++;
        *ret = number;
        return true;
    }
    return false;
}

static void give_back(struct pool *pool, int worker, size_t number, struct stage *stage)
{
    struct finished *finished = vec_push(&pool->queue);
    if (finished)
        *finished = (struct finished){number, stage};
    else if (stage)
        stage_free(stage);
    pool->states[number] = FINISHED;
    pool->lanes[worker] = NULL;
    pool->running--;
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
        outcome_set(&entry->outcome, OUTCOME_OMITTED, "%s", disk_full);
    return !pool->late && !pool->full;
}

static void say_start(const struct run *run, int worker, const struct plan_entry *entry)
{
    progress_begin(run->progress, worker, entry);
    if (run->debug && entry->argv && !entry->path)
        progress_say(run->progress, "Starting '%s'", entry->source);
}

struct worker {
    struct pool *pool;
    int number;
};

static void *work(void *argument)
{
    struct worker worker = *(struct worker *)argument;
    struct pool *pool = worker.pool;
    free(argument);
    pthread_mutex_lock(&pool->lock);
    while (!pool->stop && pool->left > 0) {
        size_t number;
        pool->late = pool->late || io_now_ms() > pool->run->deadline_ms;
        if (pool->queue.count >= pool->queue_limit || !take(pool, worker.number, &number)) {
            pthread_cond_wait(&pool->changed, &pool->lock);
            continue;
        }
        struct plan_entry *entry = &pool->run->plan->entries.items[number];
        struct stage *stage = NULL;
        if (still_wanted(pool, entry)) {
            struct err ignored = ERR_INIT;
            pthread_mutex_unlock(&pool->lock);
            say_start(pool->run, worker.number, entry);
            int r = entry_run(pool->run, entry, &stage, &ignored);
            progress_begin(pool->run->progress, worker.number, NULL);
            pthread_mutex_lock(&pool->lock);
            pool->stop = pool->stop || r < 0;
        }
        give_back(pool, worker.number, number, stage);
    }
    pthread_cond_broadcast(&pool->changed);
    pthread_mutex_unlock(&pool->lock);
    return NULL;
}

static int start_workers(struct pool *pool, pthread_t *threads, int *ret_started, struct err *err)
{
    for (int i = 0; i < pool->run->jobs; i++) {
        struct worker *worker = malloc(sizeof *worker);
        if (!worker)
            return err_nomem(err);
        *worker = (struct worker){pool, i};
        int failure = pthread_create(&threads[i], NULL, work, worker);
        if (failure) {
            free(worker);
            return i > 0 ? 0 : err_set_errno(err, failure, "cannot start a thread");
        }
        ++*ret_started;
    }
    return 0;
}

int64_t run_modified(const struct run *run, int64_t modified)
{
    return run->newest >= 0 && modified > run->newest ? run->newest : modified;
}

static int add_member(struct run *run, const char *name, int64_t modified, struct stage *stage,
                      struct err *err)
{
    struct strbuf member = STRBUF_INIT;
    int r = member_name(run, name, &member, err);
    if (r == 0 && run->leaks)
        r = member_search(run, member.data, stage, err);
    if (r == 0)
        r = bundle_add(run->bundle, member.data, run_modified(run, modified), stage, err);
    strbuf_release(&member);
    return r;
}

static int64_t free_bytes(int fd, int64_t *ret_total)
{
    struct statvfs space;
    if (fd < 0 || fstatvfs(fd, &space) < 0)
        return INT64_MAX;
    *ret_total = (int64_t)space.f_blocks * (int64_t)space.f_frsize;
    return (int64_t)space.f_bavail * (int64_t)space.f_frsize;
}

static int find_pack(struct run *run, const char *name, struct pack **ret, struct err *err)
{
    for (size_t i = 0; i < run->packs.count; i++)
        if (strcmp(pack_name(run->packs.items[i]), name) == 0) {
            *ret = run->packs.items[i];
            return 0;
        }
    struct pack **slot = vec_push(&run->packs);
    if (!slot)
        return err_nomem(err);
    int r = pack_new(&run->stage, name, slot, err);
    if (r < 0)
        run->packs.count--;
    else
        *ret = *slot;
    return r;
}

static int add_packed(struct run *run, const struct plan_entry *entry, struct stage *stage,
                      struct err *err)
{
    struct pack *pack = NULL;
    struct strbuf member = STRBUF_INIT;
    int r = member_name(run, entry->name, &member, err);
    if (r == 0)
        r = find_pack(run, entry->item->pack, &pack, err);
    if (r == 0)
        r = pack_add(pack, member.data, run_modified(run, entry->modified), stage, err);
    strbuf_release(&member);
    return r;
}

int run_finish_packs(struct run *run, bool add, struct err *err)
{
    int r = 0;
    for (size_t i = 0; i < run->packs.count; i++) {
        struct pack *pack = run->packs.items[i];
        struct stage *stage;
        if (add && r == 0)
            r = pack_finish(pack, &stage, err);
        if (add && r == 0)
            r = add_member(run, pack_name(pack), time(NULL), stage, err);
        pack_free(pack);
    }
    vec_free(&run->packs);
    return r;
}

/* Takes one finished entry to the archive, if the disk has room for it. Called without the lock. */
static int deliver(struct run *run, struct finished *finished, int64_t reserve, struct err *err)
{
    struct plan_entry *entry = &run->plan->entries.items[finished->entry];
    int64_t total = 0;
    int r = 0;
    if (finished->stage &&
        free_bytes(run->space_fd, &total) - UNWRITTEN - stage_encoded_size(finished->stage) <
            reserve) {
        outcome_set(&entry->outcome, OUTCOME_OMITTED, "%s", disk_full);
        entry->bytes = 0;
        entry->md5[0] = entry->sha256[0] = '\0';
        finished->stage = stage_free(finished->stage);
    }
    if (finished->stage) {
        r = entry->item->pack ? add_packed(run, entry, finished->stage, err)
                              : add_member(run, entry->name, entry->modified, finished->stage, err);
        entry->archived = r == 0;
        stage_free(finished->stage);
    }
    run_log_entry(run->log, entry);
    bool child = entry->argv && !entry->path;
    if (child && entry->outcome.status == OUTCOME_TIMEOUT)
        progress_line(run->progress, "'%s' timed out", entry->source);
    /* On a terminal the many programs that a host does not have would drown the rest; the log has
     * them. */
    if (child && entry->archived && entry->outcome.status == OUTCOME_MISSING &&
        !run->progress->terminal)
        progress_line(run->progress, "'%s' failed: %s", entry->source, entry->outcome.reason);
    progress_step(run->progress, entry);
    return r;
}

/* Waits a moment for something to deliver; false when there is nothing. Called with the lock. */
static bool wait_for_finished(struct pool *pool, struct finished *ret)
{
    if (pool->queue.count == 0) {
        struct timespec until;
        clock_gettime(CLOCK_MONOTONIC, &until);
        until.tv_nsec += LOOK_AGAIN_MS * 1000000L;
        until.tv_sec += until.tv_nsec / 1000000000L;
        until.tv_nsec %= 1000000000L;
        pthread_cond_timedwait(&pool->changed, &pool->lock, &until);
    }
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
    int64_t total = 0, available = free_bytes(run->space_fd, &total);
    int64_t reserve =
        total / RESERVED_SHARE < available / 2 ? total / RESERVED_SHARE : available / 2;
    int r = 0;
    pthread_mutex_lock(&pool->lock);
    while (r == 0 && (pool->left > 0 || pool->queue.count > 0)) {
        struct finished finished;
        int64_t now = io_now_ms();
        if (atomic_load(run->cancelled)) {
            r = err_set(err, ERR_CANCELLED, "interrupted");
            break;
        }
        if (now > run->deadline_ms + ABANDON_AFTER_MS && pool->queue.count == 0)
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
        r = deliver(run, &finished, reserve, err);
        bool full = free_bytes(run->space_fd, &total) < reserve;
        pthread_mutex_lock(&pool->lock);
        pool->full = pool->full || full;
    }
    if (r == 0 && atomic_load(run->cancelled))
        r = err_set(err, ERR_CANCELLED, "interrupted");
    pool->stop = true;
    run->deadline_reached = pool->late;
    pthread_cond_broadcast(&pool->changed);
    pthread_mutex_unlock(&pool->lock);
    return r;
}

/* Gives threads that are still in a read a moment; those that do not come back are left behind. */
static bool join_all(struct pool *pool, pthread_t *threads, int started)
{
    struct timespec until;
    clock_gettime(CLOCK_REALTIME, &until);
    until.tv_sec += JOIN_S;
    bool all = true;
    for (int i = 0; i < started; i++)
        if (pthread_timedjoin_np(threads[i], NULL, &until) != 0) {
            pthread_detach(threads[i]);
            all = false;
        }
    if (all)
        return true;
    pthread_mutex_lock(&pool->lock);
    for (size_t i = 0; i < pool->count; i++)
        if (pool->states[pool->order[i]] != FINISHED)
            outcome_set(&pool->run->plan->entries.items[pool->order[i]].outcome, OUTCOME_STUCK,
                        "reading it hangs; it was abandoned");
    pthread_mutex_unlock(&pool->lock);
    return false;
}

int run_collect(struct run *run, struct err *err)
{
    struct pool *pool = NULL;
    pthread_t threads[MAX_JOBS];
    int started = 0;
    run->jobs = run->jobs < 1 ? 1 : run->jobs > MAX_JOBS ? MAX_JOBS : run->jobs;
    int r = pool_new(run, &pool, err);
    if (r < 0)
        return r;
    for (size_t i = 0; i < run->plan->entries.count; i++)
        if (run->plan->entries.items[i].decided) {
            run_log_entry(run->log, &run->plan->entries.items[i]);
            progress_step(run->progress, &run->plan->entries.items[i]);
        }
    r = start_workers(pool, threads, &started, err);
    if (r == 0)
        r = serve(pool, err);
    else
        pool->stop = true;
    if (join_all(pool, threads, started))
        pool_free(pool);
    else
        run->abandoned = true;
    return r;
}

int run_add_stage(struct run *run, const char *name, struct stage *stage, struct err *err)
{
    return add_member(run, name, time(NULL), stage, err);
}

int run_add_text(struct run *run, const char *name, const void *bytes, size_t length,
                 struct err *err)
{
    struct own_member member;
    int r = own_member_start(run, name, &member, err);
    if (r < 0)
        return r;
    strbuf_add(own_member_text(&member), bytes, length);
    return own_member_end(&member, err);
}
