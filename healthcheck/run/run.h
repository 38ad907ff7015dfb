/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * One run: settle what the last one has left, decide, collect, analyse, keep, queue, upload,
 * record.
 *
 * pending.json says at any moment how far a check is, and is on disk before the step begins. So
 * whatever ends a run, the next one knows what was begun: our lock on the pool is given back, the
 * failure is recorded, and a report that was ready is still sent.
 */
#pragma once

#include <stdatomic.h>

#include "healthcheck/run/situation.h"

struct run_options {
    const struct settings *settings;
    const char *config;      /* folder of enrollment.yaml */
    const char *credentials; /* folder for the token on its way to xen-upload */
    bool now;                /* due or not */
    bool spool_only;         /* somebody else works off the spool */
    const atomic_bool *cancelled;
    void (*say)(void *context, const char *line); /* what happens, for people */
    void *context;
};

struct run_result {
    bool checked;                     /* there was a check in this run, */
    struct check check;               /* this one; release it */
    char reason[SCHEDULE_TEXT_BYTES]; /* why there was none */
};

/*
 * `store` is open for writing. 0 also for a check that failed (its result tells) and for none.
 * ERR_AGAIN: another run is at work. ERR_CANCELLED; ERR_IO: our own files cannot be written.
 */
int run_once(const struct run_options *options, struct store *store, struct run_result *ret,
             struct err *err);

/*
 * For those who only look: what the uploader's spool says of a check that is on its way (`pending`,
 * or NULL) and of those in the history that were given up, as the next run will record it (upload,
 * upload_id, upload_error, uploaded_s). ERR_DENIED: the spool is not ours to read, or not there;
 * ERR_TIMEOUT; ERR_IO, ERR_PARSE: the uploader does not tell.
 */
int run_look_at_uploads(const struct settings *settings, int64_t limit_s, struct check *pending,
                        struct history *history, struct err *err);
