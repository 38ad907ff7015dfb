/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * One piece of work beside another: begun in a thread of its own, waited for before its result is
 * used. Where no thread can be had it is done at once, which only takes longer.
 */
#pragma once

#include <pthread.h>
#include <stdbool.h>

#include "common/err.h"

typedef int (*background_work)(void *context, struct err *err);

/* On the stack of who waits for it. */
struct background {
    background_work work;
    void *context;
    pthread_t thread;
    bool is_apart; /* there is a thread */
    int result;
    struct err err;
};

/* Begins the work, with `apart` in a thread. Each begin needs its end. */
void background_begin(struct background *background, bool apart, background_work work,
                      void *context);

/* Waits. Returns what the work did, 0 or ERR_*, and passes its error on. */
int background_end(struct background *background, struct err *err);
