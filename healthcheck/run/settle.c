/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * What the last run left behind, by the step in which pending.json says that it was.
 */
#include <string.h>
#include <time.h>

#include "healthcheck/history/reports.h"
#include "healthcheck/run/step.h"
#include "healthcheck/times/zone.h"

static int settle_broken(struct run *run, struct check *check, struct err *err)
{
    CLEANUP(strbuf_release) struct strbuf text = STRBUF_INIT;
    strbuf_addf(&text,
                "the run ended while it was %s (killed, its disk was full, or the host went down)",
                check_step_names[check->step]);
    check->result = CHECK_INTERRUPTED;
    check->finished_s = (int64_t)time(NULL);
    store_empty_work(run->store, NULL, NULL); /* best effort: the next check does it, too */
    int r = strbuf_ok(&text) ? check_set(&check->error, text.data, err) : err_nomem(err);
    run_say(run, "The last check did not come to its end: %s.", text.data);
    return r == 0 ? outcome_record(run, check, err) : r;
}

static int give_up(struct run *run, struct check *check, const char *why, struct err *err)
{
    CLEANUP(strbuf_release) struct strbuf text = STRBUF_INIT;
    strbuf_adds(&text, why);
    if (check->upload_error[0])
        strbuf_addf(&text, "; last: %s", check->upload_error);
    check->upload = CHECK_UNSENT;
    int r = strbuf_ok(&text) ? check_set(&check->upload_error, text.data, err) : err_nomem(err);
    return r == 0 ? outcome_record(run, check, err) : r;
}

int settle_sending(struct run *run, struct check *check, bool *ret_pending, struct err *err)
{
    struct err why = ERR_INIT;
    char message[800];
    int r = queue_look(run, check, &why);
    if (r < 0)
        run_say(run, "The uploader does not tell what became of the report: %s",
                err_message(&why, message, sizeof message));
    *ret_pending = false;
    if (r == 0 && check->upload != CHECK_QUEUED)
        return outcome_record(run, check, err);
    if (outcome_is_overdue(check))
        return give_up(run, check, "it was not sent within 24 hours", err);
    *ret_pending = true;
    return 0;
}

void settle_tell(const struct run *run, const struct check *check)
{
    char when[ZONE_TEXT_BYTES];
    zone_text(check->started_s, when);
    if (check->upload == CHECK_SENT)
        run_say(run, "The report of %s was sent to %s, which calls it %s.", when, check->url,
                check->upload_id);
    else if (check->upload == CHECK_UNSENT)
        run_say(run, "The report of %s was not sent to %s: %s.", when, check->url,
                check->upload_error);
}

int settle(struct run *run, struct check *check, bool *ret_pending, struct err *err)
{
    bool found;
    *ret_pending = false;
    int r = pending_load(run->store, true, check, &found, &run->notes, err);
    if (r < 0 || !found)
        return r;
    switch (check->step) {
    case CHECK_LOCKING:
        return outcome_unlock(run, check, err);
    case CHECK_COLLECTING:
    case CHECK_ANALYSING:
        return settle_broken(run, check, err);
    case CHECK_QUEUEING:
        if (outcome_is_overdue(check) || !reports_has(run->store, check->report))
            return give_up(run, check, "the run ended before the uploader had the report", err);
        *ret_pending = true;
        return 0;
    case CHECK_SENDING:
        r = settle_sending(run, check, ret_pending, err);
        settle_tell(run, check);
        return r;
    case CHECK_SETTLED:
        return outcome_record(run, check, err);
    }
    return 0;
}

static int settle_arrived(struct run *run, struct check *check, struct err *err)
{
    char when[ZONE_TEXT_BYTES], message[800];
    struct err why = ERR_INIT;
    int told = check->shared ? outcome_tell_late(run, check, &why) : 0;
    zone_text(check->started_s, when);
    if (told < 0)
        run_say(run, "The pool's keys could not be written: %s",
                err_message(&why, message, sizeof message));
    if (told < 0 && told != ERR_DENIED) /* DENIED: another host's affair now */
        return 0;
    run_say(run, "The report of %s had been given up, and arrived after all.", when);
    settle_tell(run, check);
    return history_put(run->store, &run->history, check, (size_t)run->options->settings->keep.runs,
                       err);
}

int settle_late(struct run *run, struct err *err)
{
    json_auto_t *list = NULL;
    struct err why = ERR_INIT;
    const int64_t now_s = (int64_t)time(NULL);
    int r = 0;
    for (size_t i = 0; r == 0 && i < run->history.count; i++) {
        CLEANUP(check_release) struct check check = {.started_s = 0};
        bool arrived = false;
        if (!queue_may_be_late(&run->history.checks[i], now_s))
            continue;
        if (!list && queue_list(run, QUEUE_LIST_LIMIT_S, &list, &why) < 0)
            return 0; /* the next run asks again */
        r = check_copy(&run->history.checks[i], &check, err);
        if (r == 0)
            r = queue_take_late(list, &check, &arrived, err);
        if (r == 0 && arrived)
            r = settle_arrived(run, &check, err);
    }
    return r;
}
