/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * What the user sees while a run goes on: lines with a time stamp in the original's form, and, on a
 * terminal or on demand, how far it is. progress_begin() and progress_say() may be called by any
 * thread, everything else by the main thread alone.
 */
#pragma once

#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>

#include "collector/plan/plan.h"
#include "common/compiler.h"

#define PROGRESS_WORKERS 64 /* of which the oldest entry is shown */

enum progress_wish {
    PROGRESS_AUTO, /* a bar on a terminal, else nothing */
    PROGRESS_ON,   /* else lines, also in a silent run */
    PROGRESS_OFF
};

struct progress {
    FILE *out;     /* lines; NULL: silent */
    FILE *bar;     /* where the bar, or lines in its place, go; NULL: nowhere */
    bool terminal; /* the bar is one that changes in its place */
    size_t done, total;
    int64_t bytes;
    int64_t cost_done, cost_total; /* guessed milliseconds of work, see plan_totals.h */
    int64_t begun_ms, deadline_ms;
    int64_t drawn_ms; /* when the bar was drawn last; 0: it is not to be seen */

    pthread_mutex_t lock; /* for what follows, and for writing to out and bar */
    struct progress_busy {
        const struct plan_entry *entry; /* NULL: idle */
        int64_t since_ms;
    } busy[PROGRESS_WORKERS];
};

/* `out` is NULL in a silent run; the bar of such a run goes to standard error. */
void progress_start(struct progress *progress, FILE *out, enum progress_wish wish,
                    const struct plan *plan, int64_t deadline_ms);

/* "[11/21/26 22:47:36 UTC]  text" */
void progress_line(struct progress *progress, const char *format, ...) PRINTF_LIKE(2, 3);

/* A line without the time, from any thread. */
void progress_say(struct progress *progress, const char *format, ...) PRINTF_LIKE(2, 3);

/* The worker now collects `entry`, or has nothing to do (NULL). */
void progress_begin(struct progress *progress, int worker, const struct plan_entry *entry);

/* One more entry is done. */
void progress_step(struct progress *progress, const struct plan_entry *entry);

/* Some time has passed. */
void progress_tick(struct progress *progress);

/* Takes the bar off the terminal. */
void progress_end(struct progress *progress);
