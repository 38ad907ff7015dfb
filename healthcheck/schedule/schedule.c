/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * The order of the questions is that of the original service: somebody's request, then a retry,
 * then the schedule; each of them yields to another service's lock. Our own schedule comes last,
 * and a lock of others does not concern it, because it writes nothing that others see.
 */
#include "healthcheck/schedule/schedule.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "common/compiler.h"
#include "healthcheck/times/zone.h"

static const char *const names[] = {
    [SCHEDULE_NOTHING] = "nothing", [SCHEDULE_SCHEDULED] = "scheduled",
    [SCHEDULE_RETRY] = "retry",     [SCHEDULE_ON_DEMAND] = "on-demand",
    [SCHEDULE_LOCAL] = "local",
};

const char *schedule_action_name(enum schedule_action action)
{
    return names[action];
}

/* A time that no clock of a pool can honestly have is no time. */
static int64_t believed(const struct schedule_facts *facts, int64_t s)
{
    return s > facts->now_s + SCHEDULE_SKEW_S ? SCHEDULE_NEVER : s;
}

bool schedule_is_locked(const struct schedule_facts *facts)
{
    const struct schedule_pool *pool = &facts->pool;
    if (!pool->locked || believed(facts, pool->lock_s) == SCHEDULE_NEVER ||
        facts->now_s - pool->lock_s >= SCHEDULE_STALE_S)
        return false;
    return strcmp(pool->lock_owner, facts->own_uuid) != 0;
}

static void decide(struct schedule_decision *ret, enum schedule_action action, const char *format,
                   ...) PRINTF_LIKE(3, 4);

static void decide(struct schedule_decision *ret, enum schedule_action action, const char *format,
                   ...)
{
    va_list arguments;
    ret->action = action;
    va_start(arguments, format);
    vsnprintf(ret->reason, sizeof ret->reason, format, arguments);
    va_end(arguments);
}

/* Keeps the earliest of what is proposed. */
static void propose(struct schedule_decision *ret, enum schedule_action action, int64_t s,
                    const char *format, ...) PRINTF_LIKE(4, 5);

static void propose(struct schedule_decision *ret, enum schedule_action action, int64_t s,
                    const char *format, ...)
{
    va_list arguments;
    if (ret->next != SCHEDULE_NOTHING && ret->next_s <= s)
        return;
    ret->next = action;
    ret->next_s = s;
    va_start(arguments, format);
    vsnprintf(ret->next_reason, sizeof ret->next_reason, format, arguments);
    va_end(arguments);
}

/* Where so many days are counted from: a check in its hour counts from the beginning of it. */
static int64_t days_after(struct zone_slot slot, int64_t s, int days)
{
    zone_slot_begin(slot, s, &s);
    return zone_add_days(s, days);
}

/* The first moment from `s` on that lies in the slot. */
static int64_t slot_from(struct zone_slot slot, int64_t s)
{
    int64_t begin;
    return zone_slot_begin(slot, s, &begin) ? s : zone_slot_next(slot, s);
}

static bool is_requested(const struct schedule_facts *facts)
{
    int64_t s = facts->pool.request_s;
    return s != SCHEDULE_NEVER && s - SCHEDULE_REQUEST_S <= facts->now_s &&
           facts->now_s < s + SCHEDULE_REQUEST_S;
}

static void decide_requested(const struct schedule_facts *facts, struct schedule_decision *ret)
{
    char when[ZONE_TEXT_BYTES];
    zone_text(facts->pool.request_s, when);
    if (schedule_is_locked(facts))
        decide(ret, SCHEDULE_NOTHING,
               "a check was requested on %s, but service %s holds the pool's lock", when,
               facts->pool.lock_owner);
    else
        decide(ret, SCHEDULE_ON_DEMAND, "somebody asked for it on %s", when);
}

static const char *plural(int number)
{
    return number == 1 ? "" : "s";
}

static void decide_retry(const struct schedule_facts *facts, int64_t failure,
                         struct schedule_decision *ret)
{
    char when[ZONE_TEXT_BYTES];
    int64_t due = zone_add_days(failure, facts->pool.retry_days);
    int64_t free_s = facts->pool.lock_s + SCHEDULE_STALE_S;
    zone_text(failure, when);
    if (facts->now_s < due)
        propose(ret, SCHEDULE_RETRY, due,
                "the attempt on %s failed, and is repeated after %d day%s", when,
                facts->pool.retry_days, plural(facts->pool.retry_days));
    else if (schedule_is_locked(facts))
        propose(ret, SCHEDULE_RETRY, free_s,
                "the attempt on %s failed, and until then service %s may hold the pool's lock",
                when, facts->pool.lock_owner);
    else
        decide(ret, SCHEDULE_RETRY, "the attempt on %s failed", when);
}

static void propose_slot(const struct schedule_facts *facts, struct zone_slot slot, int64_t success,
                         int64_t from, struct schedule_decision *ret)
{
    char when[ZONE_TEXT_BYTES];
    int64_t next = slot_from(slot, from);
    if (success == SCHEDULE_NEVER)
        propose(ret, SCHEDULE_SCHEDULED, next, "it is the hour of the pool's schedule");
    else
        propose(ret, SCHEDULE_SCHEDULED, next,
                "the last one was on %s, and the pool's schedule has one every %d day%s",
                zone_text(success, when), facts->pool.interval_days,
                plural(facts->pool.interval_days));
}

static void decide_slot(const struct schedule_facts *facts, int64_t success,
                        struct schedule_decision *ret)
{
    const struct schedule_pool *pool = &facts->pool;
    struct zone_slot slot = {pool->weekday, pool->hour};
    int64_t due =
        success == SCHEDULE_NEVER ? facts->now_s : days_after(slot, success, pool->interval_days);
    int64_t begin;
    if (facts->now_s < due || !zone_slot_begin(slot, facts->now_s, &begin)) {
        propose_slot(facts, slot, success, due > facts->now_s ? due : facts->now_s, ret);
    } else if (schedule_is_locked(facts)) {
        propose_slot(facts, slot, success, begin + 3600, ret);
        decide(ret, SCHEDULE_NOTHING, "it is time, but service %s holds the pool's lock",
               pool->lock_owner);
    } else {
        decide(ret, SCHEDULE_SCHEDULED, "it is the day and hour of the pool's schedule");
    }
}

static void decide_pool(const struct schedule_facts *facts, struct schedule_decision *ret)
{
    const struct schedule_pool *pool = &facts->pool;
    int64_t success = believed(facts, pool->last_success_s);
    int64_t failure = believed(facts, pool->last_failure_s);
    if (is_requested(facts))
        decide_requested(facts, ret);
    if (ret->action != SCHEDULE_NOTHING)
        return;
    if (failure != SCHEDULE_NEVER && failure > success)
        decide_retry(facts, failure, ret);
    else if (pool->weekday < 0 || pool->hour < 0)
        decide(ret, SCHEDULE_NOTHING, "the pool is enrolled, but its schedule has no day or hour");
    else
        decide_slot(facts, success, ret);
}

/* There is no time of a check to count from. */
static void explain_first(const struct schedule_local *local, struct schedule_decision *ret)
{
    char when[ZONE_TEXT_BYTES];
    int64_t unbelieved =
        local->last_success_s != SCHEDULE_NEVER ? local->last_success_s : local->last_failure_s;
    if (unbelieved != SCHEDULE_NEVER)
        snprintf(ret->reason, sizeof ret->reason,
                 "the last one is dated %s, which is ahead of the clock and not believed",
                 zone_text(unbelieved, when));
    else
        snprintf(ret->reason, sizeof ret->reason, "%s",
                 local->forgotten ? "none is known any more: the history was damaged"
                                  : "there has been none yet");
}

static void decide_local(const struct schedule_facts *facts, struct schedule_decision *ret)
{
    const struct schedule_local *local = &facts->local;
    struct zone_slot slot = {local->weekday, local->hour};
    int64_t success = believed(facts, local->last_success_s);
    int64_t failure = believed(facts, local->last_failure_s), due;
    char when[ZONE_TEXT_BYTES];
    if (failure != SCHEDULE_NEVER) {
        due = failure + local->retry_s;
        snprintf(ret->reason, sizeof ret->reason, "the last check, on %s, failed",
                 zone_text(failure, when));
    } else if (success == SCHEDULE_NEVER) {
        due = facts->now_s;
        explain_first(local, ret);
    } else {
        due = slot_from(slot, zone_add_days(zone_day_begin(success), local->every_days));
        snprintf(ret->reason, sizeof ret->reason,
                 "the last one was on %s, and the settings want one every %d day%s",
                 zone_text(success, when), local->every_days, plural(local->every_days));
    }
    if (facts->now_s >= due)
        ret->action = SCHEDULE_LOCAL;
    else
        propose(ret, SCHEDULE_LOCAL, due, "%s", ret->reason);
}

static void explain_nothing(const struct schedule_facts *facts, struct schedule_decision *ret)
{
    char when[ZONE_TEXT_BYTES];
    if (ret->next != SCHEDULE_NOTHING)
        decide(ret, SCHEDULE_NOTHING, "the next check is on %s", zone_text(ret->next_s, when));
    else if (facts->role == SCHEDULE_COORDINATOR)
        decide(ret, SCHEDULE_NOTHING,
               "the settings have switched the schedule off, and the pool is not enrolled");
    else
        decide(ret, SCHEDULE_NOTHING, "the settings have switched the schedule off");
}

void schedule_decide(const struct schedule_facts *facts, struct schedule_decision *ret)
{
    char when[ZONE_TEXT_BYTES], blocked[SCHEDULE_TEXT_BYTES];
    memset(ret, 0, sizeof *ret);
    ret->next_s = SCHEDULE_NEVER;
    if (facts->role == SCHEDULE_SUPPORTER) {
        decide(ret, SCHEDULE_NOTHING, "this host is a supporter: the pool's coordinator checks it");
        return;
    }
    if (facts->pending_s != SCHEDULE_NEVER) {
        decide(ret, SCHEDULE_NOTHING, "the report of %s is still being sent",
               zone_text(facts->pending_s, when));
        return;
    }
    if (facts->role == SCHEDULE_COORDINATOR && facts->pool.enrolled)
        decide_pool(facts, ret);
    memcpy(blocked, ret->reason, sizeof blocked);
    if (ret->action == SCHEDULE_NOTHING && facts->local.enabled)
        decide_local(facts, ret);
    if (ret->action != SCHEDULE_NOTHING) {
        ret->next = ret->action;
        ret->next_s = facts->now_s;
        memcpy(ret->next_reason, ret->reason, sizeof ret->next_reason);
    } else if (blocked[0]) {
        memcpy(ret->reason, blocked, sizeof ret->reason);
    } else {
        explain_nothing(facts, ret);
    }
}
