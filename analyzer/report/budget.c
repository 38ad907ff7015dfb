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

void budget_begin_source(struct budget *budget)
{
    budget->source_produced = 0;
    budget->source_consumed = 0;
    if (!budget->is_run_spent)
        budget->spent = (struct failure){0};
    budget->spent.reported = false; /* every REPORT that suffers says so */
}

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

int budget_charge(struct budget *budget, int64_t bytes, struct failure *failure)
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
