/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * Threads that read members, and the order in which their results count.
 *
 * The thread that reads (the chief) finds members one after another and submits a job for each.
 * Workers run jobs in any order; the chief takes what they post in the order of submission, and
 * lends a hand whenever it would have to wait. With one job at a time there are no threads, and the
 * same code runs on the chief alone.
 */
#pragma once

#include "analyzer/report/outbox.h"

#include <stdint.h>

struct crew;
struct job;

struct job_ops {
    /* By any thread. What it finds goes to job_outbox(). */
    int (*run)(struct job *job, void *context, struct err *err);
    /* By the chief, when everything is delivered. Frees the context. */
    void (*retire)(void *context);
};

/* `jobs` members at once, 1 or more. Threads start when there is enough work for them. */
int crew_new(int jobs, struct crew **ret, struct err *err);

/* Drops what is not delivered, waits for the threads. */
void *crew_free(struct crew *crew);

bool crew_has_threads(const struct crew *crew);

/* A job that has no place in the order yet. NULL without memory; then the context is still the caller's. */
struct job *job_new(struct crew *crew, const struct job_ops *ops, void *context);
void job_discard(struct job *job);

/*
 * The next job in the order, over data that any thread can get at. `size` tells about how much work
 * it is. Returns errors of deliveries that happened meanwhile.
 */
int crew_submit(struct job *job, int64_t size, struct err *err);

/* The next job in the order, whose data the chief brings with job_feed() until job_close(). */
int crew_open(struct job *job, struct err *err);
int job_feed(struct job *job, const char *bytes, size_t length, struct err *err);
int job_close(struct job *job, bool is_complete, struct err *err);

/* For run() of such a job: the next piece, valid until the next call; false at the end. */
bool job_next_piece(struct job *job, const char **bytes, size_t *length);
bool job_is_complete(const struct job *job);

struct outbox *job_outbox(struct job *job);

/* What the chief itself has to say between members: delivered after all jobs submitted so far. */
int crew_post(struct crew *crew, struct parcel *parcel, struct err *err);

/* Waits, working, until everything is delivered. */
int crew_drain(struct crew *crew, struct err *err);

/*
 * For deliver(): the budget ends here. Nothing that crew_submit()ed jobs post after this parcel is
 * delivered, as if it had never been read.
 */
void crew_drop_rest(struct crew *crew);

/* For another REPORT: what is submitted from now on counts again. At most `in_flight` jobs are
 * submitted and not retired. */
void crew_begin_source(struct crew *crew, size_t in_flight);

/* True for code that is called by deliver(): it has its place in the order already. */
bool crew_is_delivering(const struct crew *crew);

/* True when reading on is in vain: run() may stop. */
bool job_is_dropped(struct job *job);

/*
 * For run(): waits until everything posted so far is delivered, which makes this the first of all
 * jobs. For those that would get too far ahead of what is accounted for.
 */
void job_wait_turn(struct job *job);
