/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * The checks that were made, and the one under way.
 */
#pragma once

#include "healthcheck/history/check.h"
#include "healthcheck/history/store.h"

/* Only these last checks keep their findings: older ones are for the trend of the score. */
#define HISTORY_FINDINGS 10

struct history {
    struct check *checks; /* oldest first, in the order of the runs whatever their clocks said */
    size_t count;
    bool lost; /* there were others, in a file that was damaged */
};

/*
 * Reads history.json. A damaged one is set aside (when the store is open for writing) and counts as
 * empty; `notes` tells.
 */
int history_load(const struct store *store, bool set_aside, struct history *ret,
                 struct strbuf *notes, struct err *err);
void history_release(struct history *history);

/*
 * Adds a copy of `check`, or puts it in the place of the same one (that began at the same time),
 * and writes. The oldest go when there are more than `limit`.
 */
int history_put(const struct store *store, struct history *history, const struct check *check,
                size_t limit, struct err *err);

/* The last one that was analysed, or NULL; and the one before it. */
const struct check *history_last(const struct history *history);
const struct check *history_previous(const struct history *history);

/* What schedule_decide() wants to know: of all checks, whoever wanted them. */
void history_times(const struct history *history, int64_t *ret_success_s, int64_t *ret_failure_s);

/* The check under way; *ret_found tells whether there is one. */
int pending_load(const struct store *store, bool set_aside, struct check *ret, bool *ret_found,
                 struct strbuf *notes, struct err *err);
int pending_save(const struct store *store, const struct check *check, struct err *err);
int pending_drop(const struct store *store, struct err *err);
