/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * For somebody who has never seen it: sentences with the values in them, the most important first,
 * and for whatever is wrong the command that mends it.
 */
#include <string.h>

#include "common/escape.h"
#include "common/units.h"
#include "healthcheck/status/status.h"
#include "healthcheck/times/zone.h"

#define LABEL      "%-12s"
#define NO_LABEL   "            "
#define MOST_SHOWN 8 /* findings of a list */

struct listing {
    struct strbuf *out;
    const char *label;
    unsigned shown, left_out;
};

static void show_never(const struct status *status, struct strbuf *out)
{
    strbuf_adds(out, status->history.lost
                         ? "No health check of this host is known any more: the history was "
                           "damaged.\n"
                         : "No health check has run on this host yet.\n");
    if (status->situation.facts.role == SCHEDULE_SUPPORTER)
        return;
    strbuf_adds(out, "  Take one now:         xen-healthcheck now\n");
    if (!status->timer)
        strbuf_adds(out, "  Take one every week:  systemctl enable --now xen-healthcheck.timer\n");
}

static const char *plural(int number)
{
    return number == 1 ? "" : "s";
}

static void show_counts(const struct check *check, struct strbuf *out)
{
    const int *c = check->counts;
    if (check->finding_count == 0 && check->issues == 0)
        strbuf_addf(out, LABEL "nothing\n", "Found:");
    else if (!c[CHECK_CRITICAL] && !c[CHECK_ERROR] && !c[CHECK_WARNING])
        strbuf_addf(out, LABEL "nothing that needs attention, %d note%s\n", "Found:", c[CHECK_INFO],
                    plural(c[CHECK_INFO]));
    else
        strbuf_addf(out, LABEL "%d critical, %d error%s, %d warning%s, %d note%s\n",
                    "Found:", c[CHECK_CRITICAL], c[CHECK_ERROR], plural(c[CHECK_ERROR]),
                    c[CHECK_WARNING], plural(c[CHECK_WARNING]), c[CHECK_INFO],
                    plural(c[CHECK_INFO]));
}

static void show_good(const struct status *status, struct strbuf *out)
{
    const struct check *check = status->good;
    char when[ZONE_TEXT_BYTES], score[32] = "no score";
    if (check->score >= 0)
        snprintf(score, sizeof score, "score %d of 100", check->score);
    strbuf_addf(
        out, LABEL "%s, of %s: %s\n",
        check == status->newest ? "Last check:" : "Last good:", zone_text(check->started_s, when),
        check->pool ? "the whole pool" : "this host", score);
    if (check == status->newest)
        strbuf_addf(out, LABEL "because %s\n", "", check->why);
    show_counts(check, out);
    if (check->unknown)
        strbuf_addf(out,
                    LABEL "%d of %d rules could not be judged: the report has no data for "
                          "them\n",
                    "", check->unknown, check->rules);
}

static void show_newest(const struct status *status, struct strbuf *out)
{
    const struct check *check = status->newest;
    char when[ZONE_TEXT_BYTES];
    if (check == status->good)
        return;
    strbuf_addf(out, LABEL "%s, %s: %s\n", "Last check:", zone_text(check->started_s, when),
                check->result == CHECK_INTERRUPTED ? "INTERRUPTED" : "FAILED", check->error);
}

static void show_trend(const struct status *status, struct strbuf *out)
{
    const struct history *history = &status->history;
    size_t first = history->count, seen = 0;
    while (first > 0 && seen < STATUS_TREND)
        seen += history->checks[--first].score >= 0;
    if (seen < 2)
        return;
    strbuf_addf(out, LABEL, "Trend:");
    for (size_t i = first; i < history->count; i++)
        if (history->checks[i].score >= 0)
            strbuf_addf(out, "%d ", history->checks[i].score);
    strbuf_adds(out, " (scores of the last checks, the newest at the end)\n");
}

static void show_finding(void *context, const struct check_finding *finding)
{
    struct listing *listing = context;
    if (listing->shown == MOST_SHOWN) {
        listing->left_out++;
        return;
    }
    strbuf_addf(listing->out, LABEL "%s: %s", listing->shown++ ? "" : listing->label,
                check_severity_names[finding->severity], finding->title);
    strbuf_addf(listing->out, finding->hosts[0] ? " (%s)\n" : "%s\n", finding->hosts);
}

static void end_listing(const struct listing *listing)
{
    if (listing->left_out)
        strbuf_addf(listing->out, LABEL "and %u more\n", "", listing->left_out);
}

static void show_changes(const struct status *status, struct strbuf *out)
{
    struct listing new = {out, "New:", 0, 0}, gone = {out, "Gone:", 0, 0},
                   lost = {out, "Not seen:", 0, 0};
    if (!status->before)
        return;
    status_each_new(status, show_finding, &new);
    end_listing(&new);
    status_each_past(status, false, show_finding, &gone);
    end_listing(&gone);
    status_each_past(status, true, show_finding, &lost); /* no data this time */
    end_listing(&lost);
    if (!new.shown && !gone.shown && !lost.shown)
        strbuf_addf(out, LABEL "nothing since the check before\n", "New:");
}

static void show_report(const struct status *status, struct strbuf *out)
{
    char bytes[32];
    const struct check *check = status->good;
    strbuf_addf(out, LABEL "%s/latest/report.html\n", "Details:", status->state);
    if (reports_has(status->store, check->report))
        strbuf_addf(out, LABEL "%s/reports/%s (%s)\n", "Report:", status->state, check->report,
                    units_format_bytes(check->bytes, bytes, sizeof bytes));
}

static void show_sent(const struct status *status, struct strbuf *out)
{
    char when[ZONE_TEXT_BYTES];
    const struct check *unsent = status->unsent;
    if (status->dropped) {
        strbuf_addf(out, LABEL "the report of %s is not sent: that ended with the enrollment\n",
                    "Dropped:", zone_text(status->pending.started_s, when));
    } else if (status->has_pending && status->pending.upload == CHECK_QUEUED) {
        strbuf_addf(out, LABEL "the report of %s is on its way to %s",
                    "Sending:", zone_text(status->pending.started_s, when), status->pending.url);
        strbuf_addf(out, status->pending.upload_error[0] ? "; last attempt: %s\n" : "%s\n",
                    status->pending.upload_error);
    } else if (unsent) {
        strbuf_addf(out, LABEL "the report of %s could NOT be sent to %s: %s\n",
                    "Not sent:", zone_text(unsent->started_s, when), unsent->url,
                    unsent->upload_error);
        strbuf_adds(out,
                    NO_LABEL "once that is mended, a new one is sent by: xen-healthcheck now\n");
    }
    if (status->sent)
        strbuf_addf(out, LABEL "the report of %s to %s, which calls it %s\n",
                    "Sent:", zone_text(status->sent->started_s, when), status->sent->url,
                    status->sent->upload_id);
    if (!status->is_root)
        return;
    const char *unknown = status->forgotten ? ", as far as the history goes" : NULL;
    if (status->nobody)
        strbuf_addf(out, LABEL "nothing%s: %s is not enrolled\n", status->sent ? "" : "Sent:",
                    status->sent ? " since"
                    : unknown    ? unknown
                                 : ", ever",
                    status->situation.config ? "the pool" : "this host");
    else if (!status->sent)
        strbuf_addf(out, LABEL "nothing%s\n", "Sent:", unknown ? unknown : " yet");
}

static void show_next(const struct status *status, struct strbuf *out)
{
    char when[ZONE_TEXT_BYTES];
    const struct schedule_decision *decision = &status->decision;
    bool is_due = decision->action != SCHEDULE_NOTHING;
    if (status->running)
        strbuf_addf(out, LABEL "a check is being made at this moment\n", "Now:");
    else if (status->broken)
        strbuf_addf(out, LABEL "none, before the settings are mended\n", "Next check:");
    else if (status->situation.facts.pending_s != SCHEDULE_NEVER &&
             decision->next == SCHEDULE_NOTHING &&
             status->situation.facts.role != SCHEDULE_SUPPORTER)
        strbuf_addf(out, LABEL "not before the report of %s %s\n",
                    "Next check:", zone_text(status->pending.started_s, when),
                    status->dropped             ? "is forgotten, by the next run of the timer"
                    : status_is_sending(status) ? "is sent, or given up after a day"
                                                : "is recorded, by the next run of the timer");
    else if (decision->next == SCHEDULE_NOTHING)
        strbuf_addf(out, LABEL "none: %s\n", "Next check:", decision->reason);
    else
        strbuf_addf(out, LABEL "%s, because %s\n", "Next check:",
                    is_due ? "as soon as the timer runs" : zone_text(decision->next_s, when),
                    decision->next_reason);
}

static void show_next_sending(const struct status *status, struct strbuf *out)
{
    char when[ZONE_TEXT_BYTES];
    const struct schedule_decision *sending = &status->sending, *any = &status->decision;
    if (!status->sends || status->running || status->broken ||
        status->situation.facts.pending_s != SCHEDULE_NEVER)
        return;
    if (sending->next == SCHEDULE_NOTHING)
        strbuf_addf(out, LABEL "nothing: %s\n", "Next sent:", sending->reason);
    else if (sending->next == any->next && sending->next_s == any->next_s)
        strbuf_addf(out, LABEL "the report of that check\n", "Next sent:");
    else
        strbuf_addf(out, LABEL "the report of %s, because %s\n",
                    "Next sent:", zone_text(sending->next_s, when), sending->next_reason);
}

static void show_problems(const struct status *status, struct strbuf *out)
{
    const char *line = status->problems.data, *end;
    for (; (end = strchr(line, '\n')); line = end + 1) {
        strbuf_addf(out, LABEL, line == status->problems.data ? "Problems:" : "");
        escape_terminal(out, line, (size_t)(end - line), false);
        strbuf_addc(out, '\n');
    }
}

static int show_text(const struct status *status, struct strbuf *out)
{
    if (!status->newest)
        show_never(status, out);
    else
        show_newest(status, out);
    if (status->good) {
        show_good(status, out);
        show_trend(status, out);
        show_changes(status, out);
        show_report(status, out);
    }
    show_sent(status, out);
    show_next(status, out);
    show_next_sending(status, out);
    show_problems(status, out);
    return 0;
}

const struct status_format status_format_text = {.name = "text", .show = show_text};
