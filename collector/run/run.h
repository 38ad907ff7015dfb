/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * Carries out a plan: several entries at once, each through limit, redactor and stage; finished
 * stages go to the archive in the main thread. Every entry has its outcome afterwards, whatever
 * happened.
 */
#pragma once

#include <stdatomic.h>

#include "collector/bundle/bundle.h"
#include "collector/obfuscate/obfuscate.h"
#include "collector/plan/plan.h"
#include "collector/run/pack.h"
#include "collector/run/progress.h"
#include "collector/run/runlog.h"
#include "collector/sources/mounts.h"

struct run {
    struct plan *plan;
    struct spawner *spawner;
    struct bundle *bundle;
    struct mounts *mounts; /* disks that hang are noted there */
    struct run_log *log;
    struct progress *progress;
    struct obfuscator *obfuscator; /* NULL: names and addresses stay */
    struct leak_search *leaks;     /* asked before a member is added; NULL: not */

    const char *root;
    int root_fd;
    const char *top; /* folder in the archive that holds all members */
    struct stage_options stage;
    int jobs;
    bool debug;          /* tell of every command that is started */
    bool by_rank;        /* best entries first: the time may not be enough for all */
    int64_t deadline_ms; /* monotonic */
    int64_t newest;      /* latest modification time of a member (reproducible archives), or -1 */
    struct room *room;   /* on the disk with the archive and what waits for it */
    const atomic_bool *cancelled;

    VEC(struct pack *) packs; /* tars inside the archive; added by run_finish_packs() */
    bool deadline_reached;    /* result */
    bool abandoned; /* result: a thread hung in a read and was left behind; do not free what it
                       uses */
};

/* 0, ERR_CANCELLED, or a failure of the archive. */
int run_collect(struct run *run, struct err *err);

/* Adds the tars inside the archive and frees them. After a failure of run_collect() only frees. */
int run_finish_packs(struct run *run, bool add, struct err *err);

/* Adds a text that the run itself wrote (log, inventory) under the top folder. */
int run_add_text(struct run *run, const char *name, const void *bytes, size_t length,
                 struct err *err);

/* The same with a finished stage, which stays the caller's. */
int run_add_stage(struct run *run, const char *name, struct stage *stage, struct err *err);

/* Latest time a member may carry. */
int64_t run_modified(const struct run *run, int64_t modified);
