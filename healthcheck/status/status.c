/* SPDX-License-Identifier: LGPL-2.1-only */
#include "healthcheck/status/status.h"

#include <string.h>
#include <time.h>
#include <unistd.h>

#include "healthcheck/run/run.h"
#include "healthcheck/times/zone.h"

#define XAPI_PATIENCE_MS 5000 /* monitoring gives a plugin about ten seconds */
#define SPOOL_PATIENCE_S 3    /* so that both together stay below that */
#define DAY_S            86400
#define SENDING_S        (DAY_S + 3600) /* a report is given up after a day, by the next run */

const struct status_format *status_format_find(const char *name)
{
    const struct status_format *const formats[] = {
        &status_format_text, &status_format_json, &status_format_nagios, &status_format_prometheus};
    for (size_t i = 0; i < ARRAY_SIZE(formats); i++)
        if (strcmp(formats[i]->name, name) == 0)
            return formats[i];
    return NULL;
}

static int read_files(const struct status_place *place, struct status *status, struct err *err)
{
    struct err why = ERR_INIT;
    int r = store_open(place->state, false, &status->store, &why);
    if (r == ERR_NOTFOUND)
        return 0;
    if (r == 0)
        r = history_load(status->store, false, &status->history, &status->problems, &why);
    if (r == 0)
        r = pending_load(status->store, false, &status->pending, &status->has_pending,
                         &status->problems, &why);
    if (r == ERR_DENIED)
        return err_set(err, r,
                       "'%s' is not readable for you: ask as root, or let a group read it "
                       "(chgrp GROUP, chmod 2750)",
                       place->state);
    if (r < 0)
        return err_pass(err, r, &why);
    status->running = store_is_locked(status->store);
    store_check(status->store, &status->hindrance);
    if (reports_usage(status->store, &status->reports, &why) < 0)
        status->reports = (struct reports_usage){0, 0, 0};
    return 0;
}

static void find_checks(struct status *status)
{
    const struct history *history = &status->history;
    status->good = history_last(history);
    status->before = history_previous(history);
    status->newest = history->count ? &history->checks[history->count - 1] : NULL;
    for (size_t i = 0; i < history->count; i++) {
        if (history->checks[i].upload == CHECK_UNSENT) {
            status->unsent = &history->checks[i];
        } else if (history->checks[i].upload == CHECK_SENT) {
            status->sent = &history->checks[i];
            status->unsent = NULL;
        }
    }
    if (!status->has_pending || status->pending.upload == CHECK_QUEUED)
        return;
    if (status->pending.upload == CHECK_SENT) {
        status->sent = &status->pending;
        status->unsent = NULL;
    } else if (status->pending.upload == CHECK_UNSENT) {
        status->unsent = &status->pending;
    }
}

/* The pool sends by its own schedule alone, a host alone whatever it checks. */
static void find_next_sending(struct status *status)
{
    struct schedule_facts facts = status->situation.facts;
    status->sends =
        status->situation.enrolled && status->situation.url[0] && facts.role != SCHEDULE_SUPPORTER;
    if (!status->sends)
        return;
    if (facts.role == SCHEDULE_COORDINATOR)
        facts.local.enabled = false;
    schedule_decide(&facts, &status->sending);
}

static void judge_sending(const struct status_place *place, struct status *status)
{
    const struct situation *situation = &status->situation;
    bool sending = status->has_pending && status->pending.upload == CHECK_QUEUED;
    /* While XAPI is silent, what this host's root has said is all that is known. */
    bool nobody = status->is_root && !situation->enrolled && !situation->unreadable &&
                  !(situation->unreachable && situation->enrollment.url[0]);
    status->nobody = nobody;
    status->dropped = sending && nobody;
    /* No run may have seen yet how it ended. What cannot be read stays as the last run saw it. With
     * broken settings it may be another spool. */
    if (!nobody && !status->broken)
        run_look_at_uploads(place->settings, SPOOL_PATIENCE_S,
                            sending && status->pending.step == CHECK_SENDING ? &status->pending
                                                                             : NULL,
                            &status->history, NULL);
    sending = sending && status->pending.upload == CHECK_QUEUED;
    status->stuck = sending && !nobody && status->now_s - status->pending.started_s > SENDING_S;
}

static void find_reason(struct status *status)
{
    char when[ZONE_TEXT_BYTES];
    const char *what = NULL;
    zone_text(status->pending.started_s, when);
    if (status->running)
        what = "a check is being made at this moment";
    else if (status->broken)
        what = "the settings cannot be read";
    if (what)
        snprintf(status->reason, sizeof status->reason, "%s", what);
    else if (status->situation.facts.pending_s == SCHEDULE_NEVER ||
             status->situation.facts.role == SCHEDULE_SUPPORTER)
        snprintf(status->reason, sizeof status->reason, "%s", status->decision.reason);
    else
        snprintf(status->reason, sizeof status->reason, "the report of %s %s", when,
                 status->dropped             ? "is forgotten, by the next run of the timer"
                 : status_is_sending(status) ? "is still being sent"
                                             : "is recorded, by the next run of the timer");
}

/* Dated by a clock that was set back since. */
static bool is_ahead(const struct status *status, const struct check *check)
{
    return check && check->started_s > status->now_s + DAY_S;
}

static void add_problems(const struct status_place *place, struct status *status)
{
    char when[ZONE_TEXT_BYTES];
    if (place->settings_problem)
        strbuf_addf(&status->problems, "The settings cannot be read, so nothing runs: %s.\n",
                    place->settings_problem);
    if (status->hindrance.code)
        strbuf_addf(&status->problems, "No check can be made: %s.\n", status->hindrance.text);
    if (!status->timer && (status->decision.next != SCHEDULE_NOTHING || status->has_pending))
        strbuf_adds(&status->problems, "The timer is not enabled, so nothing runs by itself: "
                                       "systemctl enable --now xen-healthcheck.timer\n");
    if (status->ended)
        strbuf_addf(&status->problems,
                    "The check of %s was ended while it was %s (killed, its disk was full, or the "
                    "host went down); the next run records it.\n",
                    zone_text(status->pending.started_s, when),
                    check_step_names[status->pending.step]);
    if (is_ahead(status, status->newest))
        strbuf_addf(
            &status->problems,
            "The last check is dated %s, ahead of this host's clock (was it set back?): that "
            "is not believed.\n",
            zone_text(status->newest->started_s, when));
    if (status->stuck)
        strbuf_adds(&status->problems,
                    "The report that is on its way should be sent or given up by "
                    "now, but no run has looked after it.\n");
    if (status_is_overdue(status) && !is_ahead(status, status->good))
        strbuf_adds(&status->problems, "There has been no check for much longer than the settings "
                                       "want.\n");
    status_add_enrollment(status, &status->problems);
    if (status->is_root)
        strbuf_add(&status->problems, status->situation.notes.data, status->situation.notes.length);
    else
        strbuf_adds(&status->problems, "Only root sees the pool's schedule and whether reports are "
                                       "sent.\n");
}

int status_gather(const struct status_place *place, struct status *ret, struct err *err)
{
    memset(ret, 0, sizeof *ret);
    ret->now_s = (int64_t)time(NULL);
    ret->state = place->state;
    ret->problems = ret->situation.notes = (struct strbuf)STRBUF_INIT;
    ret->is_root = geteuid() == 0;
    ret->broken = place->settings_problem;
    ret->timer = access(place->timer, F_OK) == 0;
    int r = read_files(place, ret, err);
    if (r < 0)
        return r;
    ret->forgotten = ret->history.lost || ret->history.count >= (size_t)place->settings->keep.runs;
    bool has_report = ret->has_pending && ret->pending.step >= CHECK_QUEUEING;
    bool sending = has_report && !ret->running;
    ret->ended = ret->has_pending && !has_report && !ret->running;
    struct situation_place where = {.settings = place->settings,
                                    .config = place->config,
                                    .store = ret->store,
                                    .history = &ret->history,
                                    .pending = sending ? &ret->pending : NULL,
                                    .now_s = ret->now_s,
                                    .patience_ms = XAPI_PATIENCE_MS};
    r = situation_look(&where, &ret->situation, err);
    if (r < 0)
        return r;
    schedule_decide(&ret->situation.facts, &ret->decision);
    judge_sending(place, ret);
    find_checks(ret);
    if (ret->nobody)
        ret->unsent = NULL;
    find_next_sending(ret);
    find_reason(ret);
    add_problems(place, ret);
    return strbuf_ok(&ret->problems) ? 0 : err_nomem(err);
}

void status_release(struct status *status)
{
    situation_release(&status->situation);
    history_release(&status->history);
    check_release(&status->pending);
    strbuf_release(&status->problems);
    status->store = store_close(status->store);
}

void status_each_new(const struct status *status, status_finding each, void *context)
{
    if (!status->good || !status->before)
        return;
    for (size_t i = 0; i < status->good->finding_count; i++)
        if (!check_has_finding(status->before, &status->good->findings[i]))
            each(context, &status->good->findings[i]);
}

void status_each_past(const struct status *status, bool lost, status_finding each, void *context)
{
    if (!status->good || !status->before)
        return;
    for (size_t i = 0; i < status->before->finding_count; i++) {
        const struct check_finding *finding = &status->before->findings[i];
        if (!check_has_finding(status->good, finding) &&
            check_is_unknown(status->good, finding->rule) == lost)
            each(context, finding);
    }
}

static void count(void *context, const struct check_finding *finding)
{
    (void)finding;
    ++*(unsigned *)context;
}

unsigned status_count_new(const struct status *status)
{
    unsigned number = 0;
    status_each_new(status, count, &number);
    return number;
}

unsigned status_count_past(const struct status *status, bool lost)
{
    unsigned number = 0;
    status_each_past(status, lost, count, &number);
    return number;
}

bool status_is_sending(const struct status *status)
{
    return status->pending.upload == CHECK_QUEUED ||
           (status->pending.step == CHECK_QUEUEING && !status->nobody);
}

bool status_is_overdue(const struct status *status)
{
    const struct schedule_local *local = &status->situation.facts.local;
    return status->good && local->enabled && status->situation.facts.role != SCHEDULE_SUPPORTER &&
           (is_ahead(status, status->good) ||
            status->now_s - status->good->started_s > (2 * (int64_t)local->every_days + 1) * DAY_S);
}
