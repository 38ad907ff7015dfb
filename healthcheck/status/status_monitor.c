/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * For monitoring: Nagios (one line, performance data, the exit status is the state) and the text
 * exposition format of Prometheus, for node_exporter's textfile collector.
 */
#include <string.h>

#include "healthcheck/status/status.h"
#include "healthcheck/times/zone.h"

enum state { STATE_OK, STATE_WARNING, STATE_CRITICAL, STATE_UNKNOWN };

static const char *const state_names[] = {"OK", "WARNING", "CRITICAL", "UNKNOWN"};

static enum state find_state(const struct status *status)
{
    const struct check *good = status->good;
    if (!good)
        return status->situation.facts.role == SCHEDULE_SUPPORTER ? STATE_OK : STATE_UNKNOWN;
    if (good->counts[CHECK_CRITICAL] || good->counts[CHECK_ERROR])
        return STATE_CRITICAL;
    bool failed = status->newest != good || status->unsent || status->stuck || status->ended ||
                  status->broken ||
                  /* An enrollment without any URL may be meant: XenCenter's, of a pool without a
                     service. */
                  (status_blocked(status) &&
                   (status->situation.enrollment.url[0] || status->situation.unreadable)) ||
                  status->hindrance.code;
    if (good->counts[CHECK_WARNING] || failed || status_is_overdue(status))
        return STATE_WARNING;
    return good->score < 0 ? STATE_UNKNOWN : STATE_OK;
}

/* A bar would begin the performance data, a line break the long text. */
static void add_plain(struct strbuf *out, const char *text)
{
    for (; *text; text++)
        strbuf_addc(out, *text == '|' || *text == '\n' || *text == '\r' ? ' ' : *text);
}

static void add_good_summary(const struct check *good, struct strbuf *out)
{
    char when[ZONE_TEXT_BYTES];
    const int *counts = good->counts;
    zone_text(good->started_s, when);
    if (good->score < 0)
        strbuf_addf(out, "no score, no rule had its data on %s", when);
    else
        strbuf_addf(out, "score %d, %d critical, %d errors, %d warnings on %s", good->score,
                    counts[CHECK_CRITICAL], counts[CHECK_ERROR], counts[CHECK_WARNING], when);
}

static void add_summary(const struct status *status, struct strbuf *out)
{
    const struct check *good = status->good, *newest = status->newest;
    char when[ZONE_TEXT_BYTES];
    if (!newest) {
        strbuf_adds(out, status->situation.facts.role == SCHEDULE_SUPPORTER
                             ? "the pool's coordinator checks this host"
                         : status->history.lost
                             ? "no health check is known any more: the history was damaged"
                             : "no health check has run yet");
        return;
    }
    if (good)
        add_good_summary(good, out);
    if (newest != good) {
        strbuf_addf(out, "%sthe check of %s failed: ", good ? "; " : "",
                    zone_text(newest->started_s, when));
        add_plain(out, newest->error);
    } else if (status->unsent) {
        strbuf_adds(out, "; not sent: ");
        add_plain(out, status->unsent->upload_error);
    }
    if (status->broken)
        strbuf_adds(out, "; the settings cannot be read, so nothing runs");
    if (status->hindrance.code) {
        strbuf_adds(out, "; no check can be made: ");
        add_plain(out, status->hindrance.text);
    }
    if (status->ended)
        strbuf_adds(out, "; a check was killed");
    if (status->stuck)
        strbuf_adds(out, "; a report waits to be sent for more than a day");
    if (status_is_overdue(status))
        strbuf_adds(out, "; overdue");
    if (status_blocked(status))
        strbuf_addf(out, "; nothing is sent: %s", status_blocked(status));
}

static int show_nagios(const struct status *status, struct strbuf *out)
{
    const struct check *good = status->good;
    enum state state = find_state(status);
    strbuf_addf(out, "HEALTHCHECK %s - ", state_names[state]);
    add_summary(status, out);
    if (good) {
        strbuf_adds(out, " |");
        if (good->score >= 0)
            strbuf_addf(out, " score=%d;;;0;100", good->score);
        for (int i = CHECK_SEVERITIES - 1; i >= 0; i--)
            strbuf_addf(out, " %s=%d;;;0", check_severity_names[i], good->counts[i]);
        strbuf_addf(
            out, " age=%llds;;;0",
            (long long)(status->now_s > good->started_s ? status->now_s - good->started_s : 0));
    }
    strbuf_addc(out, '\n');
    return (int)state;
}

static void gauge(struct strbuf *out, const char *name, const char *help, int64_t value)
{
    strbuf_addf(out,
                "# HELP xenhealth_check_%s %s\n# TYPE xenhealth_check_%s gauge\n"
                "xenhealth_check_%s %lld\n",
                name, help, name, name, (long long)value);
}

static void add_good(const struct status *status, struct strbuf *out)
{
    const struct check *good = status->good;
    gauge(out, "last_success_timestamp_seconds", "Start of the last check that was analysed.",
          good->started_s);
    gauge(out, "duration_seconds", "How long it took.",
          good->finished_s > good->started_s ? good->finished_s - good->started_s : 0);
    if (good->score >= 0)
        gauge(out, "score", "Its score, 0 to 100.", good->score);
    gauge(out, "report_bytes", "Size of its report.", good->bytes);
    strbuf_adds(out, "# HELP xenhealth_check_findings What it found.\n"
                     "# TYPE xenhealth_check_findings gauge\n");
    for (int i = 0; i < CHECK_SEVERITIES; i++)
        strbuf_addf(out, "xenhealth_check_findings{severity=\"%s\"} %d\n", check_severity_names[i],
                    good->counts[i]);
    gauge(out, "new_findings", "Findings that the check before did not have.",
          status_count_new(status));
    gauge(out, "gone_findings", "Findings of the check before that are gone.",
          status_count_past(status, false));
}

static int show_prometheus(const struct status *status, struct strbuf *out)
{
    const struct check *newest = status->newest;
    if (status->is_root) /* others cannot know */
        gauge(out, "enrolled", "1: reports are to be sent to a service.",
              status->situation.enrolled);
    gauge(out, "upload_pending", "1: a report is on its way.",
          status->has_pending && status->pending.upload == CHECK_QUEUED && !status->dropped);
    gauge(out, "reports", "Reports that are kept.", status->reports.count);
    gauge(out, "reports_bytes", "Room that they take.", status->reports.bytes);
    gauge(out, "unsent", "1: the last report that was to be sent could not be.",
          status->unsent != NULL);
    if (newest) {
        gauge(out, "last_timestamp_seconds", "Start of the last check.", newest->started_s);
        gauge(out, "last_ok", "1: it came to its end.", newest->result == CHECK_OK);
    }
    if (status->good)
        add_good(status, out);
    if (status->sent)
        gauge(out, "last_upload_timestamp_seconds", "When a report last arrived.",
              status->sent->uploaded_s);
    if (status->decision.next != SCHEDULE_NOTHING)
        gauge(out, "next_timestamp_seconds", "When the next check is due.",
              status->decision.next_s);
    return 0;
}

const struct status_format status_format_nagios = {.name = "nagios", .show = show_nagios};
const struct status_format status_format_prometheus = {.name = "prometheus",
                                                       .show = show_prometheus};
