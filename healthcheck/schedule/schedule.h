/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * Is a check due, why, and when will the next one be? A pure function of the facts (and of the time
 * zone), so that a year of a pool can be played through in a test.
 *
 * For an enrolled pool these are the rules of XenServer's Health Check service of 2016, which is
 * where XenCenter's dialogs get their words from, with its mistakes corrected:
 *  - A failure in the past that a success followed does not stop the schedule for ever.
 *  - Days are days of the calendar, and a check in the hour of its schedule counts from the
 *    beginning of that hour. Else a change of the clocks, or a check that started two minutes later
 *    than the last one, makes the next one miss its hour, that is a week.
 *  - A time that lies in the future because the clock was set back does not silence the schedule:
 *    more than a day ahead, it is not believed.
 *  - The service's own lock, left by a run that was killed, is not in its own way.
 *
 * The local schedule (analysis stays on the host) counts days from date to date, whenever on its
 * day a check was, and may be late: it makes up for a time when the host was off. The pool's needs
 * its weekday and hour, as XenCenter shows them.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#define SCHEDULE_NEVER       INT64_MIN
#define SCHEDULE_STALE_S     86400LL /* a lock older than this is nobody's */
#define SCHEDULE_REQUEST_S   1800LL  /* how long a request is good */
#define SCHEDULE_SKEW_S      86400LL /* more than this ahead of us, a time is not believed */
#define SCHEDULE_OWNER_BYTES 64
#define SCHEDULE_TEXT_BYTES  256

enum schedule_action {
    SCHEDULE_NOTHING,
    SCHEDULE_SCHEDULED, /* the pool's weekday and hour */
    SCHEDULE_RETRY,     /* the pool's last attempt failed */
    SCHEDULE_ON_DEMAND, /* somebody asked for it in XenCenter */
    SCHEDULE_LOCAL      /* the schedule of our own settings */
};

enum schedule_role {
    SCHEDULE_STANDALONE, /* no XAPI, or none that answers */
    SCHEDULE_COORDINATOR,
    SCHEDULE_SUPPORTER /* the coordinator acts for this host */
};

/* From pool.health_check_config; times are seconds since 1970 or SCHEDULE_NEVER. */
struct schedule_pool {
    bool enrolled;
    int interval_days, retry_days;
    int weekday, hour; /* -1: absent */
    int64_t request_s, last_success_s, last_failure_s;
    bool locked;
    char lock_owner[SCHEDULE_OWNER_BYTES];
    int64_t lock_s;
};

/* From our settings and history. */
struct schedule_local {
    bool enabled;
    int every_days;
    int weekday; /* or -1: any */
    int hour;
    int64_t retry_s;
    int64_t last_success_s, last_failure_s; /* of an analysis; the failure only if it came later */
    bool forgotten;                         /* without any: there may have been some all the same */
};

struct schedule_facts {
    int64_t now_s;
    enum schedule_role role;
    const char *own_uuid; /* of this service, as in the lock; "" when it has none yet */
    int64_t pending_s;    /* start of the check whose upload is not settled, or SCHEDULE_NEVER */
    struct schedule_pool pool;
    struct schedule_local local;
};

struct schedule_decision {
    enum schedule_action action;
    char reason[SCHEDULE_TEXT_BYTES]; /* why, or why not: one sentence */
    enum schedule_action next;        /* what comes next, SCHEDULE_NOTHING: nothing ever */
    int64_t next_s;                   /* when; now, if something is due */
    char next_reason[SCHEDULE_TEXT_BYTES];
};

void schedule_decide(const struct schedule_facts *facts, struct schedule_decision *ret);

/* "scheduled", "retry", "on-demand", "local", "nothing". */
const char *schedule_action_name(enum schedule_action action);

/* Somebody else's lock that must be respected now. */
bool schedule_is_locked(const struct schedule_facts *facts);
