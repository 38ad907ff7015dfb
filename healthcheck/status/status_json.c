/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * --format json, schema docs/healthcheck-status.schema.json.
 */
#include <stdlib.h>
#include <string.h>

#include "common/escape.h"
#include "common/url_text.h"
#include "healthcheck/status/status.h"
#include "healthcheck/times/times.h"

static json_t *time_json(int64_t s)
{
    char text[TIMES_SHORT_BYTES];
    return s == SCHEDULE_NEVER ? json_null() : json_string(times_write_short(s, text));
}

static json_t *check_json(const struct check *check)
{
    return check ? check_to_json(check) : json_null();
}

static void add_finding(void *context, const struct check_finding *finding)
{
    json_array_append_new(context, json_pack("{s:s, s:s, s:s, s:s}", "rule", finding->rule,
                                             "severity", check_severity_names[finding->severity],
                                             "title", finding->title, "hosts", finding->hosts));
}

static json_t *trend_json(const struct history *history)
{
    json_t *list = json_array();
    size_t first = history->count, seen = 0;
    while (first > 0 && seen < STATUS_TREND)
        seen += history->checks[--first].score >= 0;
    for (size_t i = first; i < history->count; i++)
        if (history->checks[i].score >= 0)
            json_array_append_new(list, json_pack("{s:o, s:i}", "started",
                                                  time_json(history->checks[i].started_s), "score",
                                                  history->checks[i].score));
    return list;
}

static json_t *changes_json(const struct status *status)
{
    json_t *new = json_array(), *gone = json_array(), *lost = json_array();
    status_each_new(status, add_finding, new);
    status_each_past(status, false, add_finding, gone);
    status_each_past(status, true, add_finding, lost);
    return json_pack("{s:o, s:o, s:o}", "new", new, "gone", gone, "lost", lost);
}

static json_t *next_json(const struct status *status, const struct schedule_decision *decision)
{
    if (decision->next == SCHEDULE_NOTHING || status->broken)
        return json_null();
    return json_pack("{s:s, s:b, s:o, s:s}", "action", schedule_action_name(decision->next), "due",
                     decision->action != SCHEDULE_NOTHING, "time", time_json(decision->next_s),
                     "reason", decision->next_reason);
}

static json_t *problems_json(const struct status *status)
{
    CLEANUP(strbuf_release) struct strbuf text = STRBUF_INIT;
    json_t *list = json_array();
    escape_utf8(&text, status->problems.data, status->problems.length);
    const char *line = text.data, *end;
    for (; (end = strchr(line, '\n')); line = end + 1)
        json_array_append_new(list, json_stringn(line, (size_t)(end - line)));
    return list;
}

static const char *role_name(const struct situation *situation)
{
    static const char *const names[] = {[SCHEDULE_STANDALONE] = "standalone",
                                        [SCHEDULE_COORDINATOR] = "coordinator",
                                        [SCHEDULE_SUPPORTER] = "supporter"};
    return situation->unreachable ? "unknown" : names[situation->facts.role];
}

static json_t *destination_json(const struct situation *situation)
{
    return situation->url[0] ? json_stringn(situation->url, url_text_public_length(situation->url))
                             : json_null();
}

static int show_json(const struct status *status, struct strbuf *out)
{
    const struct situation *situation = &status->situation;
    json_t *object =
        json_pack("{s:s, s:o, s:s, s:s, s:b, s:b, s:b, s:o, s:o, s:s, s:b, s:b}", "schema",
                  "xenhealth-status/1", "now", time_json(status->now_s), "role",
                  role_name(situation), "pool", situation->about.pool_name, "running",
                  status->running, "timer", status->timer, "settings", !status->broken, "enrolled",
                  status->is_root ? json_boolean(situation->enrolled) : json_null(), "destination",
                  destination_json(situation), "reason", status->reason, "overdue",
                  status_is_overdue(status), "stuck", status->stuck);
    json_t *checks =
        json_pack("{s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:{s:i, s:I}, s:o}", "last",
                  check_json(status->newest), "last_good", check_json(status->good), "sent",
                  check_json(status->sent), "unsent", check_json(status->unsent), "pending",
                  check_json(status->has_pending ? &status->pending : NULL), "trend",
                  trend_json(&status->history), "changes", changes_json(status), "next",
                  next_json(status, &status->decision), "next_sent",
                  next_json(status, &status->sending), "reports", "count", status->reports.count,
                  "bytes", (json_int_t)status->reports.bytes, "problems", problems_json(status));
    if (json_object_update(object, checks) < 0) {
        json_decref(object);
        object = NULL;
    }
    json_decref(checks);
    char *text = object ? json_dumps(object, JSON_INDENT(2)) : NULL;
    json_decref(object);
    if (!text)
        return 1;
    strbuf_adds(out, text);
    strbuf_addc(out, '\n');
    free(text);
    return 0;
}

const struct status_format status_format_json = {.name = "json", .show = show_json};
