/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * --format json: docs/findings.schema.json says what stands here, and other programs rely on it.
 * Fields are added, never renamed or dropped. Every field is always there: null where there is no
 * time, no cause or no suppression, "" for a text that is not known.
 */
#include "analyzer/render/json_writer.h"
#include "analyzer/render/view.h"
#include "common/version.h"

static void add_time(struct json_writer *w, const char *key, int64_t time)
{
    char buffer[32];
    verdict_time(time, buffer);
    jsonw_string_or_null(w, key, *buffer ? buffer : NULL);
}

static void add_texts(struct json_writer *w, const char *key, const char *const *texts)
{
    jsonw_list(w, key);
    for (; texts && *texts; texts++)
        jsonw_string(w, NULL, *texts);
    jsonw_end_list(w);
}

static void add_problems(struct json_writer *w, const struct view *view, int host,
                         const char *source)
{
    jsonw_list(w, "problems");
    for (size_t i = 0; i < view->problem_count; i++) {
        const struct view_problem *problem = &view->problems[i];
        if (problem->host != host || (host < 0 && strcmp(problem->source, source) != 0))
            continue;
        jsonw_object(w, NULL);
        jsonw_string(w, "kind", problem->kind);
        jsonw_string(w, "path", problem->path);
        jsonw_string(w, "text", problem->text);
        jsonw_string(w, "effect", problem->effect);
        jsonw_integer(w, "unknown_rules", (int64_t)problem->unknown);
        jsonw_end_object(w);
    }
    jsonw_end_list(w);
}

static void add_trust(struct json_writer *w, const struct view *view)
{
    jsonw_object(w, "trust");
    jsonw_string(w, "level", trust_name(view->trust.level));
    jsonw_string(w, "text", view->trust.sentence);
    jsonw_integer(w, "problems", (int64_t)view->problem_count);
    jsonw_integer(w, "unknown_by_problems", (int64_t)view->trust.unknown_by_problems);
    jsonw_integer(w, "lowered_confidence", (int64_t)view->trust.lowered);
    jsonw_end_object(w);
}

static bool gave_a_host(const struct view *view, const char *source)
{
    for (size_t i = 0; i < view->host_count; i++)
        if (strcmp(view->hosts[i].source, source) == 0)
            return true;
    return false;
}

static void add_report(struct json_writer *w, const struct view *view, const char *path, int index)
{
    static const struct view_host nobody = {
        .name = "", .product = "", .version = "", .taken = TIME_UNKNOWN};
    const struct view_host *host = index < 0 ? &nobody : &view->hosts[index];
    jsonw_object(w, NULL);
    jsonw_string(w, "path", path);
    jsonw_string(w, "host", host->name);
    jsonw_string(w, "product", host->product);
    jsonw_string(w, "version", host->version);
    add_time(w, "taken", host->taken);
    jsonw_integer(w, "entries", host->entries);
    jsonw_integer(w, "bytes", host->bytes);
    add_problems(w, view, index, path);
    jsonw_end_object(w);
}

/* One element a host, and one without a host name for a REPORT that gave none: it must not go
 * unseen. */
static void add_reports(struct json_writer *w, const struct view *view)
{
    jsonw_list(w, "reports");
    for (size_t i = 0; i < view->host_count; i++)
        add_report(w, view, view->hosts[i].source, (int)i);
    for (size_t i = 0; i < view->source_count; i++)
        if (!gave_a_host(view, view->sources[i]))
            add_report(w, view, view->sources[i], -1);
    jsonw_end_list(w);
}

/* Names can occur twice in hostile input only; a JSON object may not repeat a key, so the first one
 * wins. */
static void add_score_map(struct json_writer *w, const char *key, const struct score *scores,
                          size_t count)
{
    jsonw_object(w, key);
    for (size_t i = 0; i < count; i++) {
        bool is_repeated = false;
        for (size_t j = 0; j < i && !is_repeated; j++)
            is_repeated = strcmp(scores[i].name, scores[j].name) == 0;
        if (!is_repeated)
            jsonw_integer(w, scores[i].name, scores[i].value);
    }
    jsonw_end_object(w);
}

static void add_values(struct json_writer *w, const struct finding *finding)
{
    jsonw_object(w, "values");
    for (size_t i = 0; i < finding->value_count; i++) {
        bool is_repeated = false;
        for (size_t j = 0; j < i && !is_repeated; j++)
            is_repeated = strcmp(finding->values[i].name, finding->values[j].name) == 0;
        if (!is_repeated)
            jsonw_string(w, finding->values[i].name, finding->values[i].text);
    }
    jsonw_end_object(w);
}

static void add_evidence(struct json_writer *w, const struct finding *finding)
{
    jsonw_list(w, "evidence");
    for (size_t i = 0; i < finding->evidence_count; i++) {
        const struct evidence *evidence = &finding->evidence[i];
        jsonw_object(w, NULL);
        jsonw_string(w, "host", evidence->host);
        jsonw_string(w, "path", evidence->path);
        jsonw_integer(w, "line", evidence->line);
        add_time(w, "time", evidence->time);
        jsonw_string(w, "text", evidence->text);
        jsonw_end_object(w);
    }
    jsonw_end_list(w);
}

static const char *const change_names[] = {
    [CHANGE_NONE] = NULL, [CHANGE_NEW] = "new", [CHANGE_STILL] = "still"};

static void add_finding(struct json_writer *w, const struct view *view,
                        const struct finding *finding)
{
    int cause = finding->explained_by;
    bool has_cause = cause >= 0 && (size_t)cause < view->verdict->finding_count;
    jsonw_object(w, NULL);
    jsonw_string(w, "rule", finding->rule);
    jsonw_string(w, "title", finding->title);
    jsonw_string(w, "severity", severity_name(finding->severity));
    jsonw_string(w, "component", finding->component);
    add_texts(w, "hosts", finding->hosts);
    jsonw_integer(w, "count", finding->count);
    add_time(w, "first_seen", finding->first_seen);
    add_time(w, "last_seen", finding->last_seen);
    jsonw_string(w, "confidence", confidence_name(finding->confidence));
    jsonw_string(w, "explanation", finding->explanation);
    jsonw_string(w, "advice", finding->advice);
    add_texts(w, "links", finding->links);
    add_values(w, finding);
    jsonw_string_or_null(w, "suppressed", finding->suppressed);
    jsonw_string_or_null(w, "suppressed_owner", finding->suppressed_owner);
    jsonw_string_or_null(w, "suppressed_until", finding->suppressed_until);
    jsonw_string_or_null(w, "change", change_names[finding->change]);
    jsonw_string_or_null(w, "explained_by", has_cause ? view->verdict->findings[cause].rule : NULL);
    add_evidence(w, finding);
    jsonw_end_object(w);
}

/* In the verdict's order, suppressed ones included: a program groups them as it likes. */
static void add_findings(struct json_writer *w, const struct view *view)
{
    jsonw_list(w, "findings");
    for (size_t i = 0; i < view->verdict->finding_count; i++)
        if (view->verdict->findings[i].severity >= view->min_severity)
            add_finding(w, view, &view->verdict->findings[i]);
    jsonw_end_list(w);
}

static void add_past(struct json_writer *w, const struct past_finding *past)
{
    jsonw_object(w, NULL);
    jsonw_string(w, "rule", past->rule);
    jsonw_string(w, "title", past->title);
    jsonw_string(w, "severity", severity_name(past->severity));
    add_texts(w, "hosts", past->hosts);
    jsonw_string_or_null(w, "lost", past->lost);
    jsonw_end_object(w);
}

static void add_difference(struct json_writer *w, const struct difference *difference)
{
    jsonw_object(w, NULL);
    jsonw_string(w, "host", difference->host);
    jsonw_string(w, "area", difference->area);
    jsonw_string(w, "object", difference->object);
    jsonw_string_or_null(w, "before", difference->before);
    jsonw_string_or_null(w, "now", difference->now);
    jsonw_end_object(w);
}

static void add_baseline(struct json_writer *w, const struct view *view)
{
    const struct baseline *baseline = view->verdict->baseline;
    if (!baseline) {
        jsonw_string_or_null(w, "baseline", NULL);
        return;
    }
    struct view_changes changes = view_changes(view);
    jsonw_object(w, "baseline");
    jsonw_string(w, "path", baseline->paths[0]);
    add_texts(w, "paths", baseline->paths);
    add_time(w, "taken", baseline->taken);
    jsonw_integer(w, "new", (int64_t)changes.fresh);
    jsonw_integer(w, "still", (int64_t)changes.still);
    jsonw_integer(w, "gone", (int64_t)changes.gone);
    jsonw_integer(w, "lost", (int64_t)changes.lost);
    jsonw_list(w, "past");
    for (size_t i = 0; i < baseline->past_count; i++)
        add_past(w, &baseline->past[i]);
    jsonw_end_list(w);
    jsonw_list(w, "differences");
    for (size_t i = 0; i < baseline->difference_count; i++)
        add_difference(w, &baseline->differences[i]);
    jsonw_end_list(w);
    jsonw_integer(w, "differences_dropped", (int64_t)baseline->differences_dropped);
    jsonw_end_object(w);
}

static void add_notes(struct json_writer *w, const struct verdict *verdict)
{
    jsonw_list(w, "notes");
    for (size_t i = 0; i < verdict->note_count; i++) {
        jsonw_object(w, NULL);
        jsonw_string(w, "place", verdict->notes[i].place);
        jsonw_string(w, "text", verdict->notes[i].text);
        jsonw_end_object(w);
    }
    jsonw_end_list(w);
}

static void add_rules(struct json_writer *w, const struct verdict *verdict)
{
    jsonw_list(w, "rules");
    for (size_t i = 0; i < verdict->rule_count; i++) {
        const struct judged_rule *rule = &verdict->rules[i];
        jsonw_object(w, NULL);
        jsonw_string(w, "rule", rule->rule);
        jsonw_string(w, "title", rule->title);
        jsonw_string(w, "component", rule->component);
        jsonw_string(w, "severity", severity_name(rule->severity));
        jsonw_string(w, "outcome", outcome_name(rule->outcome));
        jsonw_end_object(w);
    }
    jsonw_end_list(w);
}

static void add_coverage(struct json_writer *w, const struct coverage *coverage)
{
    jsonw_object(w, "coverage");
    jsonw_integer(w, "rules", (int64_t)coverage->rules);
    jsonw_integer(w, "evaluated", (int64_t)coverage->evaluated);
    jsonw_integer(w, "failed", (int64_t)coverage->failed);
    jsonw_integer(w, "passed", (int64_t)coverage->passed);
    jsonw_integer(w, "unknown", (int64_t)coverage->unknown);
    jsonw_integer(w, "not_applicable", (int64_t)coverage->not_applicable);
    jsonw_end_object(w);
}

static void add_tool_and_packs(struct json_writer *w, const struct verdict *verdict)
{
    jsonw_object(w, "tool");
    jsonw_string(w, "name", "xen-analyze");
    jsonw_string(w, "version", XENHEALTH_VERSION);
    jsonw_end_object(w);
    jsonw_list(w, "packs");
    for (size_t i = 0; i < verdict->pack_count; i++) {
        jsonw_object(w, NULL);
        jsonw_string(w, "name", verdict->packs[i].name);
        jsonw_string(w, "version", verdict->packs[i].version);
        jsonw_integer(w, "rules", (int64_t)verdict->packs[i].rules);
        jsonw_end_object(w);
    }
    jsonw_end_list(w);
}

int view_as_json(const struct view *view, struct strbuf *out, struct err *err)
{
    const struct verdict *verdict = view->verdict;
    struct json_writer w = {.out = out};
    jsonw_object(&w, NULL);
    jsonw_string(&w, "schema", "xenhealth-findings/1");
    add_tool_and_packs(&w, verdict);
    add_trust(&w, view);
    add_reports(&w, view);
    jsonw_integer(&w, "score", verdict->score);
    jsonw_object(&w, "scores");
    add_score_map(&w, "hosts", verdict->host_scores, verdict->host_score_count);
    add_score_map(&w, "components", verdict->component_scores, verdict->component_score_count);
    jsonw_end_object(&w);
    add_coverage(&w, &verdict->coverage);
    add_findings(&w, view);
    jsonw_list(&w, "unknown");
    for (size_t i = 0; i < verdict->unknown_count; i++) {
        jsonw_object(&w, NULL);
        jsonw_string(&w, "rule", verdict->unknown[i].rule);
        jsonw_string(&w, "reason", verdict->unknown[i].reason);
        jsonw_end_object(&w);
    }
    jsonw_end_list(&w);
    add_rules(&w, verdict);
    add_baseline(&w, view);
    add_notes(&w, verdict);
    jsonw_end_object(&w);
    strbuf_addc(out, '\n');
    return strbuf_ok(out) ? 0 : err_nomem(err);
}
