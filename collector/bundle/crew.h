/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * Threads that do small pieces of work for whoever asks (deflating, digesting), first come first
 * served. Work must never wait for anything but the processor: what waits here holds up everybody.
 */
#pragma once

#include <stdbool.h>

#include "common/err.h"

struct crew;

/* Embedded in what is worked on. `run` may give it up: the crew does not look at it afterwards. */
struct crew_task {
    void (*run)(struct crew_task *task);
    struct crew_task *next; /* the crew's own */
};

/*
 * 0 threads, or fewer than asked for when the system refuses: then crew_do() works in the thread
 * that calls it.
 */
int crew_new(int threads, struct crew **ret, struct err *err);

/* Nothing may be left to do. NULL is fine; returns NULL. */
void *crew_free(struct crew *crew);

void crew_do(struct crew *crew, struct crew_task *task);

/*
 * Places for work ahead, which bound the memory of everybody who cuts work into pieces. One that
 * gets none goes on with a single piece at a time. Never waits.
 */
bool crew_take_place(struct crew *crew);
void crew_give_place(struct crew *crew);
