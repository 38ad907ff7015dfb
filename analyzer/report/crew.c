/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * The crew. One mutex protects everything: threads meet a few times a block of 256 KiB, so there is
 * nothing to gain from more.
 *
 * Why nobody waits for ever: parcels of the first job always find room, the first job is running or
 * the chief may run it, and the chief delivers whenever it waits.
 */
#include "analyzer/report/crew.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>

/* Bytes of parcels that wait for jobs in front of theirs. */
#define PENDING_MAX (16u << 20)

/* The chief is woken for this much: a wake-up costs more than many parcels. */
#define PENDING_BATCH (64u << 10)

/* Bytes that the chief has brought and nobody has looked at. */
#define FED_MAX (8u << 20)

/* Larger jobs are begun first, so that none of them is left over for one thread at the end. */
#define LARGE_JOB (1 << 20)

/* A thread starts in a tenth of a millisecond, in which this much is read. */
#define WORTH_A_THREAD (256 << 10)

#define THREADS_MAX 64

enum job_state { JOB_READY, JOB_RUNNING, JOB_DONE };

struct piece {
    struct piece *next;
    size_t length;
    char bytes[];
};

struct outbox {
    struct parcel *first, **end;
    size_t bytes;
    bool is_awaited; /* its job waits until this is empty */
};

struct job {
    struct crew *crew;
    const struct job_ops *ops;
    void *context;
    int64_t size;
    enum job_state state;
    bool is_fed, is_closed, is_complete, is_on_chief;
    struct outbox outbox;
    struct piece *pieces, **pieces_end, *current;
    TAILQ_ENTRY(job) order, ready;
};

TAILQ_HEAD(job_list, job);

struct crew {
    pthread_mutex_t lock;
    pthread_cond_t work; /* for workers: a job is ready */
    pthread_cond_t room; /* for workers: parcels were taken, pieces were brought */
    pthread_cond_t news; /* for the chief */
    struct job_list order, large, small;
    size_t in_flight, pending, fed;
    int64_t unstarted; /* size of all ready jobs */
    int threads, threads_wanted;
    bool is_quitting;
    atomic_bool is_dropping;
    pthread_t thread[THREADS_MAX];
    /* The chief's: */
    size_t in_flight_max;
    bool is_delivering, is_chief_busy;
    int rc; /* of the first delivery that failed */
    struct err err;
};

static void *work(void *context);

int crew_new(int jobs, struct crew **ret, struct err *err)
{
    struct crew *crew = calloc(1, sizeof *crew);
    if (!crew)
        return err_nomem(err);
    pthread_mutex_init(&crew->lock, NULL);
    pthread_cond_init(&crew->work, NULL);
    pthread_cond_init(&crew->room, NULL);
    pthread_cond_init(&crew->news, NULL);
    TAILQ_INIT(&crew->order);
    TAILQ_INIT(&crew->large);
    TAILQ_INIT(&crew->small);
    crew->threads_wanted = jobs - 1 < THREADS_MAX ? jobs - 1 : THREADS_MAX;
    *ret = crew;
    return 0;
}

bool crew_is_delivering(const struct crew *crew)
{
    return crew->is_delivering;
}

bool crew_has_threads(const struct crew *crew)
{
    return crew->threads_wanted > 0;
}

/* --- Parcels. Called with the lock, which is given up while the chief delivers. */

static bool is_first(const struct job *job)
{
    return TAILQ_FIRST(&job->crew->order) == job;
}

static void deliver(struct crew *crew, const struct job *job, struct parcel *parcel)
{
    bool counts = crew->rc == 0 &&
                  (!job || job->is_fed || !atomic_load(&crew->is_dropping));
    crew->is_delivering = true;
    if (counts)
        crew->rc = parcel->deliver(parcel, &crew->err);
    crew->is_delivering = false;
    parcel->dispose(parcel);
}

static void take_parcels(struct job *job)
{
    struct crew *crew = job->crew;
    struct parcel *list = job->outbox.first;
    if (!list)
        return;
    crew->pending -= job->outbox.bytes;
    job->outbox.first = NULL;
    job->outbox.end = &job->outbox.first;
    job->outbox.bytes = 0;
    pthread_mutex_unlock(&crew->lock);
    while (list) {
        struct parcel *next = list->next;
        deliver(crew, job, list);
        list = next;
    }
    pthread_mutex_lock(&crew->lock);
    pthread_cond_broadcast(&crew->room);
}

static void job_free(struct job *job)
{
    while (job->pieces) {
        struct piece *next = job->pieces->next;
        free(job->pieces);
        job->pieces = next;
    }
    free(job->current);
    if (job->ops)
        job->ops->retire(job->context);
    free(job);
}

/* Delivers what the first job has posted. True when something was done. */
static bool deliver_first(struct crew *crew)
{
    struct job *job = TAILQ_FIRST(&crew->order);
    if (!job)
        return false;
    bool is_done = job->state == JOB_DONE, has_parcels = job->outbox.first != NULL;
    take_parcels(job);
    if (!is_done)
        return has_parcels;
    TAILQ_REMOVE(&crew->order, job, order);
    crew->in_flight--;
    pthread_cond_broadcast(&crew->room);
    pthread_mutex_unlock(&crew->lock);
    job_free(job);
    pthread_mutex_lock(&crew->lock);
    return true;
}

static void append(struct job *job, struct parcel *parcel)
{
    parcel->next = NULL;
    *job->outbox.end = parcel;
    job->outbox.end = &parcel->next;
    job->outbox.bytes += parcel->size;
    job->crew->pending += parcel->size;
}

/* --- Choosing and running jobs */

static struct job_list *list_of(struct job *job)
{
    return job->size >= LARGE_JOB ? &job->crew->large : &job->crew->small;
}

static void begin(struct job *job, bool is_on_chief)
{
    TAILQ_REMOVE(list_of(job), job, ready);
    job->state = JOB_RUNNING;
    job->is_on_chief = is_on_chief;
    job->crew->unstarted -= job->size;
}

/*
 * The chief cannot run what it is bringing itself. While it waits inside of a job, it runs no other
 * but the first, which needs not wait for anybody: the first could be the one it is in.
 */
static struct job *choose_for_chief(struct crew *crew)
{
    struct job *job = TAILQ_FIRST(&crew->order);
    if (job && job->state == JOB_READY && (!job->is_fed || job->is_closed))
        return job;
    if (crew->is_chief_busy)
        return NULL;
    struct job_list *const lists[] = {&crew->large, &crew->small};
    for (size_t i = 0; i < 2; i++)
        TAILQ_FOREACH (job, lists[i], ready)
            if (!job->is_fed || job->is_closed)
                return job;
    return NULL;
}

/* A job's error ends the read in its place, as everything else counts in its place. */
struct error_parcel {
    struct parcel parcel; /* first */
    struct err err;
};

static int deliver_error(struct parcel *parcel, struct err *err)
{
    *err = ((struct error_parcel *)parcel)->err;
    return err->code;
}

static void dispose_error(struct parcel *parcel)
{
    free(parcel);
}

static void post_error(struct job *job, const struct err *err)
{
    struct error_parcel *error = malloc(sizeof *error);
    if (!error)
        return; /* what a job without memory did not find is missing anyhow */
    error->parcel = (struct parcel){.size = sizeof *error,
                                    .deliver = deliver_error,
                                    .dispose = dispose_error};
    error->err = *err;
    outbox_post(&job->outbox, &error->parcel, NULL);
}

static void run(struct job *job)
{
    struct crew *crew = job->crew;
    struct err err = ERR_INIT;
    pthread_mutex_unlock(&crew->lock);
    if (job->ops->run(job, job->context, &err) < 0)
        post_error(job, &err);
    pthread_mutex_lock(&crew->lock);
    job->state = JOB_DONE;
    pthread_cond_signal(&crew->news);
}

static void *work(void *context)
{
    struct crew *crew = context;
    pthread_mutex_lock(&crew->lock);
    while (!crew->is_quitting) {
        struct job *job = TAILQ_FIRST(&crew->large);
        if (!job)
            job = TAILQ_FIRST(&crew->small);
        if (!job) {
            pthread_cond_wait(&crew->work, &crew->lock);
            continue;
        }
        begin(job, false);
        run(job);
    }
    pthread_mutex_unlock(&crew->lock);
    return NULL;
}

/* Does something useful, or waits for news when there is nothing. With the lock. */
static void advance(struct crew *crew, bool is_bringing)
{
    if (deliver_first(crew))
        return;
    struct job *job = choose_for_chief(crew);
    if (job) {
        bool was_busy = crew->is_chief_busy;
        crew->is_chief_busy = true;
        begin(job, true);
        run(job);
        crew->is_chief_busy = was_busy;
        return;
    }
    job = TAILQ_FIRST(&crew->order);
    bool has_news = !job || job->state == JOB_DONE ||
                    (job->outbox.is_awaited && job->outbox.first) ||
                    job->outbox.bytes >= PENDING_BATCH || (is_bringing && crew->fed < FED_MAX);
    if (!has_news)
        pthread_cond_wait(&crew->news, &crew->lock);
}

static int failure_of(const struct crew *crew, struct err *err)
{
    if (crew->rc < 0 && err)
        *err = crew->err;
    return crew->rc;
}

/* --- Posting */

static int post_on_chief(struct job *job, struct parcel *parcel, struct err *err)
{
    struct crew *crew = job->crew;
    pthread_mutex_lock(&crew->lock);
    while (!is_first(job) && crew->pending >= PENDING_MAX)
        advance(crew, false);
    if (is_first(job)) {
        take_parcels(job);
        pthread_mutex_unlock(&crew->lock);
        deliver(crew, job, parcel);
        return failure_of(crew, err);
    }
    append(job, parcel);
    pthread_mutex_unlock(&crew->lock);
    return 0;
}

int outbox_post(struct outbox *outbox, struct parcel *parcel, struct err *err)
{
    if (!outbox) {
        int rc = parcel->deliver(parcel, err);
        parcel->dispose(parcel);
        return rc;
    }
    struct job *job = (struct job *)((char *)outbox - offsetof(struct job, outbox));
    struct crew *crew = job->crew;
    if (job->is_on_chief)
        return post_on_chief(job, parcel, err);
    pthread_mutex_lock(&crew->lock);
    while (crew->pending >= PENDING_MAX && !(is_first(job) && !outbox->first) &&
           !crew->is_quitting) {
        outbox->is_awaited = true;
        pthread_cond_signal(&crew->news);
        pthread_cond_wait(&crew->room, &crew->lock);
    }
    outbox->is_awaited = false;
    append(job, parcel);
    if (is_first(job) && outbox->bytes >= PENDING_BATCH)
        pthread_cond_signal(&crew->news);
    pthread_mutex_unlock(&crew->lock);
    return 0;
}

bool outbox_is_direct(struct outbox *outbox)
{
    if (!outbox)
        return true;
    struct job *job = (struct job *)((char *)outbox - offsetof(struct job, outbox));
    struct crew *crew = job->crew;
    if (!job->is_on_chief || atomic_load(&crew->is_dropping) || crew->rc < 0)
        return false;
    /* Only the chief changes what is first. */
    pthread_mutex_lock(&crew->lock);
    bool is_direct = is_first(job) && !outbox->first;
    pthread_mutex_unlock(&crew->lock);
    return is_direct;
}

void job_wait_turn(struct job *job)
{
    struct crew *crew = job->crew;
    pthread_mutex_lock(&crew->lock);
    job->outbox.is_awaited = true;
    while (!(is_first(job) && !job->outbox.first) && !crew->is_quitting) {
        if (job->is_on_chief && is_first(job)) {
            take_parcels(job);
        } else if (job->is_on_chief) {
            advance(crew, false);
        } else {
            pthread_cond_signal(&crew->news);
            pthread_cond_wait(&crew->room, &crew->lock);
        }
    }
    job->outbox.is_awaited = false;
    pthread_mutex_unlock(&crew->lock);
}

struct outbox *job_outbox(struct job *job)
{
    return &job->outbox;
}

/* --- The chief's side */

struct job *job_new(struct crew *crew, const struct job_ops *ops, void *context)
{
    struct job *job = calloc(1, sizeof *job);
    if (!job)
        return NULL;
    *job = (struct job){.crew = crew, .ops = ops, .context = context};
    job->outbox.end = &job->outbox.first;
    job->pieces_end = &job->pieces;
    return job;
}

void job_discard(struct job *job)
{
    job_free(job);
}

/* With the lock. A thread that cannot be started is no harm: the chief does the work. */
static void call_workers(struct crew *crew)
{
    bool is_worth = crew->unstarted + (int64_t)crew->fed >= WORTH_A_THREAD;
    if (is_worth && crew->threads < crew->threads_wanted &&
        pthread_create(&crew->thread[crew->threads], NULL, work, crew) == 0)
        crew->threads++;
    pthread_cond_signal(&crew->work);
}

static void enqueue(struct job *job)
{
    struct crew *crew = job->crew;
    TAILQ_INSERT_TAIL(&crew->order, job, order);
    TAILQ_INSERT_TAIL(list_of(job), job, ready);
    crew->in_flight++;
    crew->unstarted += job->size;
    call_workers(crew);
}

int crew_submit(struct job *job, int64_t size, struct err *err)
{
    struct crew *crew = job->crew;
    job->size = size > 0 ? size : 0;
    pthread_mutex_lock(&crew->lock);
    enqueue(job);
    while (crew->in_flight >= (crew->threads_wanted ? crew->in_flight_max : 1))
        advance(crew, false);
    pthread_mutex_unlock(&crew->lock);
    return failure_of(crew, err);
}

int crew_open(struct job *job, struct err *err)
{
    struct crew *crew = job->crew;
    job->is_fed = true;
    pthread_mutex_lock(&crew->lock);
    while (crew->in_flight >= crew->in_flight_max)
        advance(crew, false);
    enqueue(job);
    pthread_mutex_unlock(&crew->lock);
    return failure_of(crew, err);
}

int job_feed(struct job *job, const char *bytes, size_t length, struct err *err)
{
    struct crew *crew = job->crew;
    struct piece *piece = malloc(sizeof *piece + length);
    if (!piece)
        return err_nomem(err);
    piece->next = NULL;
    piece->length = length;
    memcpy(piece->bytes, bytes, length);
    pthread_mutex_lock(&crew->lock);
    while (crew->fed >= FED_MAX && crew->rc == 0)
        advance(crew, true);
    *job->pieces_end = piece;
    job->pieces_end = &piece->next;
    crew->fed += length;
    call_workers(crew);
    pthread_cond_broadcast(&crew->room);
    pthread_mutex_unlock(&crew->lock);
    return failure_of(crew, err);
}

int job_close(struct job *job, bool is_complete, struct err *err)
{
    struct crew *crew = job->crew;
    pthread_mutex_lock(&crew->lock);
    job->is_complete = is_complete;
    job->is_closed = true;
    pthread_cond_broadcast(&crew->room);
    pthread_mutex_unlock(&crew->lock);
    return failure_of(crew, err);
}

bool job_next_piece(struct job *job, const char **bytes, size_t *length)
{
    struct crew *crew = job->crew;
    free(job->current);
    job->current = NULL;
    pthread_mutex_lock(&crew->lock);
    while (!job->pieces && !job->is_closed)
        pthread_cond_wait(&crew->room, &crew->lock);
    struct piece *piece = job->pieces;
    if (piece) {
        job->pieces = piece->next;
        if (!job->pieces)
            job->pieces_end = &job->pieces;
        crew->fed -= piece->length;
        pthread_cond_signal(&crew->news);
        *bytes = piece->bytes;
        *length = piece->length;
    }
    pthread_mutex_unlock(&crew->lock);
    job->current = piece;
    return piece != NULL;
}

bool job_is_complete(const struct job *job)
{
    return job->is_complete;
}

int crew_post(struct crew *crew, struct parcel *parcel, struct err *err)
{
    pthread_mutex_lock(&crew->lock);
    struct job *last = TAILQ_LAST(&crew->order, job_list);
    if (!last) {
        pthread_mutex_unlock(&crew->lock);
        deliver(crew, NULL, parcel);
        return failure_of(crew, err);
    }
    if (last->ops) { /* not one of these already */
        last = job_new(crew, NULL, NULL);
        if (!last) {
            pthread_mutex_unlock(&crew->lock);
            parcel->dispose(parcel);
            return err_nomem(err);
        }
        last->is_fed = last->is_closed = true;
        last->state = JOB_DONE;
        TAILQ_INSERT_TAIL(&crew->order, last, order);
        crew->in_flight++;
    }
    append(last, parcel);
    while (crew->pending >= PENDING_MAX)
        advance(crew, false);
    pthread_mutex_unlock(&crew->lock);
    return failure_of(crew, err);
}

int crew_drain(struct crew *crew, struct err *err)
{
    pthread_mutex_lock(&crew->lock);
    while (!TAILQ_EMPTY(&crew->order))
        advance(crew, false);
    pthread_mutex_unlock(&crew->lock);
    return failure_of(crew, err);
}

void crew_drop_rest(struct crew *crew)
{
    atomic_store(&crew->is_dropping, true);
}

void crew_begin_source(struct crew *crew, size_t in_flight)
{
    crew->in_flight_max = in_flight;
    atomic_store(&crew->is_dropping, false);
}

bool job_is_dropped(struct job *job)
{
    return !job->is_fed && atomic_load(&job->crew->is_dropping);
}

void *crew_free(struct crew *crew)
{
    if (!crew)
        return NULL;
    crew_drain(crew, NULL);
    pthread_mutex_lock(&crew->lock);
    crew->is_quitting = true;
    pthread_cond_broadcast(&crew->work);
    pthread_mutex_unlock(&crew->lock);
    for (int i = 0; i < crew->threads; i++)
        pthread_join(crew->thread[i], NULL);
    pthread_cond_destroy(&crew->work);
    pthread_cond_destroy(&crew->room);
    pthread_cond_destroy(&crew->news);
    pthread_mutex_destroy(&crew->lock);
    free(crew);
    return NULL;
}
