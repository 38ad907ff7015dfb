/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * What reading may cost. One budget is shared by all archives of a run, nested ones included, and
 * counts bytes that were really produced: sizes that an archive declares are not believed.
 */
#pragma once

#include "analyzer/report/stream.h"

struct job;

struct budget {
    struct report_limits limits;
    int64_t produced, entries; /* over the whole run */
    int64_t source_produced;   /* of the REPORT being read */
    int64_t source_consumed;   /* bytes read from its file */
    struct failure spent;      /* set when the run, or this REPORT, must end */
    bool is_run_spent;         /* not only this REPORT */
    struct budget_branch *branch; /* not NULL: this is the budget of one job */
    struct budget_ahead *ahead;   /* what jobs have produced and that is not charged yet */
};

/*
 * Members that are read by several threads share the budget, and yet it must end at the same place
 * however fast each thread is. So a job has a budget of its own, a branch: what it costs travels to
 * the run's budget as parcels and is charged in the order of members. A job that is ahead of the
 * others waits for its turn when all together have produced so much that the limit may be reached.
 */
struct budget_branch {
    struct budget *run;
    struct job *job;
    int64_t consumed;                       /* not charged yet */
    void (*spent)(void *context, struct failure *failure); /* by the chief, when it was too much */
    void *context;
};

int budget_ahead_new(struct budget *run, struct err *err);
void budget_ahead_free(struct budget *run);

void budget_branch(struct budget *budget, struct budget_branch *branch);

/* Begins another REPORT: its own ratio is counted from zero. */
void budget_begin_source(struct budget *budget);

/* Bytes read from the REPORT's file. */
void budget_consume(struct budget *budget, int64_t bytes);

/* Counts bytes or an entry. 0, or -1 when a limit of the run is reached: then `failure` says which.
 */
int budget_charge(struct budget *budget, int64_t bytes, struct failure *failure);
int budget_count_entry(struct budget *budget, struct failure *failure);

/* What one member costs. `consumed` is how much its archive had read when the member began. */
struct meter {
    struct budget *budget;
    int64_t produced;
    int64_t consumed;
};

enum meter_result {
    METER_OK,
    METER_ENTRY_FULL, /* the member is too large: leave the rest of it */
    METER_BOMB, /* the ratio is absurd: leave the archive, it would cost as much to skip the rest */
    METER_SPENT, /* the budget of the run is gone */
};

void meter_start(struct meter *meter, struct budget *budget, int64_t consumed);

/*
 * `bytes` more were produced, and the archive has read `consumed` bytes by now. With `is_skipped`
 * nobody looks at the bytes, so the largest size of a member does not matter.
 */
enum meter_result meter_add(struct meter *meter, int64_t bytes, int64_t consumed, bool is_skipped,
                            struct failure *failure);
