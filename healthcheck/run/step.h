/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * The steps of a run, for the files of this folder.
 */
#pragma once

#include "healthcheck/child/child.h"
#include "healthcheck/run/run.h"

#define STEP_MAX_LIFE_S 86400 /* of a check, from its start to its record (XenCenter's) */

struct run {
    const struct run_options *options;
    struct store *store;
    struct history history;
    struct strbuf notes;
    bool tracked; /* in pending.json; a check beside one that is still being sent is not */
};

void run_say(const struct run *run, const char *format, ...) PRINTF_LIKE(2, 3);

/* Saves how far the check is. */
int run_step(const struct run *run, struct check *check, enum check_step step, struct err *err);

/*
 * Runs one of our programs with these arguments (without its name), and then those of the settings.
 * Its standard output goes to `out` (may be NULL). `accepted` is a bit mask of exit statuses that
 * are no failure; *ret_status (may be NULL) tells which.
 */
int run_program(const struct run *run, const char *program, const char *const *own,
                const char *const *more, int64_t limit_s, unsigned accepted, struct strbuf *out,
                int *ret_status, struct err *err);

/* xen-bugtool: the report's place in work/, with its size and digest in the check. */
int collect_report(struct run *run, struct check *check, struct strbuf *ret_path, struct err *err);

/* xen-analyze: the results in work/, what they say in the check. */
int analysis_run(struct run *run, struct check *check, const char *report, struct err *err);

/* Fills the check from the JSON of xen-analyze. ERR_PARSE. */
int analysis_read(const char *bytes, size_t length, struct check *check, struct err *err);

/* Hands the report to the uploader, credentials too. */
int queue_add(struct run *run, struct check *check, const struct situation *situation,
              struct err *err);

/* The token again, for an upload that is still under way. Best effort. */
void queue_credential(struct run *run, const struct situation *situation);

/* Works off the spool: failures are seen by queue_look(). */
void queue_work(struct run *run);

#define QUEUE_LIST_LIMIT_S 120

/* The uploader's list of its spool; a new reference. ERR_PARSE, ERR_TIMEOUT, ERR_IO. */
int queue_list(const struct run *run, int64_t limit_s, json_t **ret, struct err *err);

/* What was given up may still arrive, as long as the uploader knows of it. */
bool queue_may_be_late(const struct check *check, int64_t now_s);

/* If it did, it is in `check`. */
int queue_take_late(const json_t *list, struct check *check, bool *ret_arrived, struct err *err);

/* What became of the job: CHECK_QUEUED, CHECK_SENT or CHECK_UNSENT, with ids, time and error. */
int queue_look(struct run *run, struct check *check, struct err *err);

/*
 * The end of a check: the pool's keys learn of it, the lock is given back, the history has it, and
 * nothing is pending any more. When XAPI does not answer the check stays pending, as settled.
 */
int outcome_record(struct run *run, struct check *check, struct err *err);

/* A day has passed since the check began (or the clock was set back): what is still to be done for
 * it is given up. */
bool outcome_is_overdue(const struct check *check);

/* Gives our lock on the pool back, for a check that did not begin, and forgets the check; when XAPI
 * does not answer the next run does it. */
int outcome_unlock(struct run *run, const struct check *check, struct err *err);

/* The same for a check that was recorded as not sent and whose report arrived after all: unless
 * there was another success since, this is the last one. */
int outcome_tell_late(struct run *run, const struct check *check, struct err *err);

/* Records what arrived though it had been given up. ERR_IO, ERR_NOMEM. */
int settle_late(struct run *run, struct err *err);

/* What the last run left. *ret_pending tells that it is still under way: then `check` is that. */
int settle(struct run *run, struct check *check, bool *ret_pending, struct err *err);

/* The same for a check that this run has just queued. */
int settle_sending(struct run *run, struct check *check, bool *ret_pending, struct err *err);

/* For the journal: what became of the report of a check that began in a run before this one. */
void settle_tell(const struct run *run, const struct check *check);
