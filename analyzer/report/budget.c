/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * The budget against archive bombs.
 *
 * The ratio is looked at twice. For a member: what it produced against what its archive read
 * meanwhile. And for the REPORT: what all levels produced together against the bytes of its file,
 * which is what stops thousands of small bombs and bombs in bombs, where each level alone looks
 * harmless.
 */
#include "analyzer/report/budget.h"

#include <pthread.h>
#include <stdlib.h>

#include "analyzer/report/crew.h"
#include "common/units.h"

/* Archives are read ahead in blocks of this size, so a member's own share is known only this well.
 */
#define READ_AHEAD (256 * 1024)

const struct report_limits report_default_limits = {
    .total_bytes = 16LL << 30,
    .entry_bytes = 4LL << 30,
    .entries = 200000,
    .nesting = 4,
    .ratio = 200,
    .ratio_from = 64LL << 20,
    .name_bytes = 4096,
    .path_depth = 64,
};

/* Divides instead of multiplying: the counters come from hostile data and must not overflow. */
static bool is_bomb(const struct report_limits *limits, int64_t produced, int64_t consumed)
{
    return produced > limits->ratio_from && produced / limits->ratio > consumed;
}

static int spend(struct budget *budget, bool whole_run, struct failure *failure)
{
    budget->is_run_spent = budget->is_run_spent || whole_run;
    return failure_inherit(failure, &budget->spent);
}

static int charge_run(struct budget *budget, int64_t bytes, struct failure *failure)
{
    char size[16];
    if (budget->spent.failed)
        return failure_inherit(failure, &budget->spent);
    budget->produced += bytes;
    budget->source_produced += bytes;
    if (budget->produced > budget->limits.total_bytes) {
        failure_set(
            &budget->spent, PROBLEM_REFUSED,
            "reading stops here: the limit of %s of decompressed data for one run is reached",
            units_format_bytes(budget->limits.total_bytes, size, sizeof size));
        return spend(budget, true, failure);
    }
    if (is_bomb(&budget->limits, budget->source_produced, budget->source_consumed + READ_AHEAD)) {
        failure_set(
            &budget->spent, PROBLEM_REFUSED,
            "reading stops here: the report grows to more than %d times its size, as archive "
            "bombs do (limit on the ratio)",
            budget->limits.ratio);
        return spend(budget, false, failure);
    }
    return 0;
}

/* --- Branches */

/* What is charged, and what is on its way to it; for jobs to see how near the limit is. */
struct budget_ahead {
    pthread_mutex_t lock;
    int64_t produced, source_produced, source_consumed;
};

/* What a job costs, on its way to the run's budget. */
struct toll {
    struct parcel parcel; /* first */
    struct budget_branch branch;
    int64_t produced;
};

int budget_ahead_new(struct budget *run, struct err *err)
{
    run->ahead = calloc(1, sizeof *run->ahead);
    if (!run->ahead)
        return err_nomem(err);
    pthread_mutex_init(&run->ahead->lock, NULL);
    return 0;
}

void budget_ahead_free(struct budget *run)
{
    if (run->ahead)
        pthread_mutex_destroy(&run->ahead->lock);
    free(run->ahead);
    run->ahead = NULL;
}

void budget_begin_source(struct budget *budget)
{
    budget->source_produced = 0;
    budget->source_consumed = 0;
    if (budget->ahead) {
        budget->ahead->produced = budget->produced;
        budget->ahead->source_produced = budget->ahead->source_consumed = 0;
    }
    if (!budget->is_run_spent)
        budget->spent = (struct failure){0};
    budget->spent.reported = false; /* every REPORT that suffers says so */
}

void budget_branch(struct budget *budget, struct budget_branch *branch)
{
    *budget = (struct budget){.limits = branch->run->limits, .branch = branch};
}

/* Adds to what all threads together have done. True when the limit may be near. */
static bool look_ahead(struct budget *run, int64_t produced, int64_t consumed)
{
    struct budget_ahead *ahead = run->ahead;
    pthread_mutex_lock(&ahead->lock);
    ahead->produced += produced;
    ahead->source_produced += produced;
    ahead->source_consumed += consumed;
    bool is_near = ahead->produced > run->limits.total_bytes ||
                   is_bomb(&run->limits, ahead->source_produced, ahead->source_consumed);
    pthread_mutex_unlock(&ahead->lock);
    return is_near;
}

static int deliver_toll(struct parcel *parcel, struct err *err)
{
    (void)err;
    struct toll *toll = (struct toll *)parcel;
    struct budget *run = toll->branch.run;
    struct failure failure = {0};
    run->source_consumed += toll->branch.consumed;
    if (!run->spent.failed && charge_run(run, toll->produced, &failure) < 0)
        toll->branch.spent(toll->branch.context, &failure);
    return 0;
}

static void dispose_toll(struct parcel *parcel)
{
    free(parcel);
}

static int charge_branch(struct budget *budget, int64_t bytes, struct failure *failure)
{
    struct budget_branch *branch = budget->branch;
    struct toll *toll = malloc(sizeof *toll);
    if (!toll)
        return failure_set(failure, PROBLEM_DAMAGED, "reading stops here: out of memory");
    *toll = (struct toll){
        .parcel = {.size = sizeof *toll, .deliver = deliver_toll, .dispose = dispose_toll},
        .branch = *branch,
        .produced = bytes,
    };
    bool is_near = look_ahead(branch->run, bytes, branch->consumed);
    branch->consumed = 0;
    outbox_post(job_outbox(branch->job), &toll->parcel, NULL);
    if (is_near)
        job_wait_turn(branch->job);
    if (!job_is_dropped(branch->job))
        return 0;
    return failure_set(failure, PROBLEM_REFUSED, "reading stopped before it");
}

void budget_consume(struct budget *budget, int64_t bytes)
{
    if (budget->branch)
        budget->branch->consumed += bytes;
    else
        budget->source_consumed += bytes;
    if (budget->ahead)
        look_ahead(budget, 0, bytes);
}

int budget_charge(struct budget *budget, int64_t bytes, struct failure *failure)
{
    if (budget->branch)
        return charge_branch(budget, bytes, failure);
    if (budget->ahead)
        look_ahead(budget, bytes, 0);
    return charge_run(budget, bytes, failure);
}

int budget_count_entry(struct budget *budget, struct failure *failure)
{
    if (budget->spent.failed)
        return failure_inherit(failure, &budget->spent);
    if (++budget->entries <= budget->limits.entries)
        return 0;
    failure_set(&budget->spent, PROBLEM_REFUSED,
                "reading stops here: the limit of %lld entries for one run is reached",
                (long long)budget->limits.entries);
    return spend(budget, true, failure);
}

void meter_start(struct meter *meter, struct budget *budget, int64_t consumed)
{
    *meter = (struct meter){.budget = budget, .consumed = consumed};
}

enum meter_result meter_add(struct meter *meter, int64_t bytes, int64_t consumed, bool is_skipped,
                            struct failure *failure)
{
    const struct report_limits *limits = &meter->budget->limits;
    char size[16];

    meter->produced += bytes;
    if (budget_charge(meter->budget, bytes, failure) < 0)
        return METER_SPENT;
    if (is_bomb(limits, meter->produced, consumed - meter->consumed + READ_AHEAD)) {
        failure_set(
            failure, PROBLEM_REFUSED,
            "it grows to more than %d times its size, as archive bombs do (limit on the ratio)",
            limits->ratio);
        return METER_BOMB;
    }
    if (!is_skipped && meter->produced > limits->entry_bytes) {
        failure_set(failure, PROBLEM_REFUSED,
                    "only its first %s are read: it is larger than the limit for one file",
                    units_format_bytes(limits->entry_bytes, size, sizeof size));
        return METER_ENTRY_FULL;
    }
    return METER_OK;
}
