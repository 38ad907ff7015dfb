/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * What reading may cost. One budget is shared by all archives of a run, nested ones included, and
 * counts bytes that were really produced: sizes that an archive declares are not believed.
 */
#pragma once

#include "analyzer/report/stream.h"

struct budget {
    struct report_limits limits;
    int64_t produced, entries; /* over the whole run */
    int64_t source_produced;   /* of the REPORT being read */
    int64_t source_consumed;   /* bytes read from its file */
    struct failure spent;      /* set when the run, or this REPORT, must end */
    bool is_run_spent;         /* not only this REPORT */
};

/* Begins another REPORT: its own ratio is counted from zero. */
void budget_begin_source(struct budget *budget);

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
