/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * --format sarif: SARIF 2.1.0 (OASIS, docs.oasis-open.org/sarif/sarif/v2.1.0), which code scanning
 * and many viewers read.
 *
 * Only findings are results. Code scanning makes an alert of each result, whatever its kind, so
 * that a rule passed is told by its being in the list of rules without a result; that it is unknown
 * or not applicable, and what is wrong with the reports, are notifications of the invocation.
 */
#include <openssl/evp.h>

#include "analyzer/render/json_writer.h"
#include "analyzer/render/view.h"
#include "common/escape.h"
#include "common/hex.h"
#include "common/version.h"

#define LOCATIONS_SHOWN 10 /* of a finding; viewers show each */

static const char *const levels[SEVERITY_COUNT] = {
    [SEVERITY_INFO] = "note",
    [SEVERITY_WARNING] = "warning",
    [SEVERITY_ERROR] = "error",
    [SEVERITY_CRITICAL] = "error",
};

/*
 * A message for people. In a plain text message [text](target) is a link (3.11.6), so a bracket
 * that could end the text of one is escaped; control characters are shown, not sent.
 */
static void add_message_text(struct json_writer *w, const char *key, const char *text)
{
    CLEANUP(strbuf_release) struct strbuf safe = STRBUF_INIT, plain = STRBUF_INIT;
    escape_terminal(&safe, text, strlen(text), true);
    for (size_t i = 0; i < safe.length; i++) {
        if (safe.data[i] == ']' && (safe.data[i + 1] == '(' || safe.data[i + 1] == '['))
            strbuf_addc(&plain, '\\');
        strbuf_addc(&plain, safe.data[i]);
    }
    jsonw_string(w, key, plain.data);
    if (!strbuf_ok(&safe) || !strbuf_ok(&plain))
        w->out->failed = true;
}

static void add_message(struct json_writer *w, const char *key, const char *text)
{
    jsonw_object(w, key);
    add_message_text(w, "text", *text ? text : "-");
    jsonw_end_object(w);
}

/* One segment of a path for a URI: unreserved characters as they are (RFC 3986), the rest in
 * per cent. What would climb ("..") or vanish (".", "") is written so that it stays. */
static void add_segment(struct strbuf *uri, const char *text, size_t length)
{
    bool dots = length > 0 && length <= 2 && strspn(text, ".") >= length;
    for (size_t i = 0; i < length; i++) {
        unsigned char c = (unsigned char)text[i];
        bool is_letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
        if (!dots && (is_letter || strchr("-._~", c)))
            strbuf_addc(uri, (char)c);
        else
            strbuf_addf(uri, "%%%02X", dots ? '_' : c);
    }
}

static void add_path(struct strbuf *uri, const char *path)
{
    while (*path) {
        size_t length = strcspn(path, "/");
        if (length > 0 && uri->length > 0)
            strbuf_addc(uri, '/');
        add_segment(uri, path, length);
        path += length + (path[length] == '/');
    }
}

/* "host1/var/log/kern.log": reports have no common root, so hosts are the top folders. */
static void add_artifact(struct json_writer *w, const char *host, const char *path)
{
    CLEANUP(strbuf_release) struct strbuf uri = STRBUF_INIT;
    size_t length = strlen(host);
    add_segment(&uri, host, length); /* a slash in a host's name is no folder */
    add_path(&uri, path);
    jsonw_object(w, "artifactLocation");
    jsonw_string(w, "uri", uri.length ? uri.data : "report");
    jsonw_end_object(w);
    if (!strbuf_ok(&uri))
        w->out->failed = true;
}

static void add_location(struct json_writer *w, const char *host, const char *path, int64_t line,
                         const char *text)
{
    jsonw_object(w, NULL);
    jsonw_object(w, "physicalLocation");
    add_artifact(w, host, path);
    if (line > 0) {
        jsonw_object(w, "region");
        jsonw_integer(w, "startLine", line);
        add_message(w, "snippet", text);
        jsonw_end_object(w);
    }
    jsonw_end_object(w);
    if (*host) {
        jsonw_list(w, "logicalLocations");
        jsonw_object(w, NULL);
        add_message_text(w, "name", host);
        jsonw_string(w, "kind", "host");
        jsonw_end_object(w);
        jsonw_end_list(w);
    }
    jsonw_end_object(w);
}

static void add_rule(struct json_writer *w, const struct judged_rule *rule)
{
    CLEANUP(strbuf_release) struct strbuf help = STRBUF_INIT;
    strbuf_addf(&help, "%s\n\nWhat to do:\n%s", rule->explanation, rule->advice);
    jsonw_object(w, NULL);
    add_message_text(w, "id", rule->rule);
    add_message(w, "shortDescription", rule->title);
    add_message(w, "fullDescription", *rule->explanation ? rule->explanation : rule->title);
    add_message(w, "help", help.data);
    if (rule->links[0] && view_is_address(rule->links[0]))
        jsonw_string(w, "helpUri", rule->links[0]);
    jsonw_object(w, "defaultConfiguration");
    jsonw_string(w, "level", levels[rule->severity]);
    jsonw_end_object(w);
    jsonw_object(w, "properties");
    jsonw_list(w, "tags");
    jsonw_string(w, NULL, rule->component);
    jsonw_end_list(w);
    jsonw_string(w, "severity", severity_name(rule->severity));
    jsonw_string(w, "confidence", confidence_name(rule->confidence));
    jsonw_string(w, "outcome", outcome_name(rule->outcome));
    jsonw_end_object(w);
    jsonw_end_object(w);
    if (!strbuf_ok(&help))
        w->out->failed = true;
}

static void add_tool(struct json_writer *w, const struct verdict *verdict)
{
    jsonw_object(w, "tool");
    jsonw_object(w, "driver");
    jsonw_string(w, "name", "xen-analyze");
    jsonw_string(w, "version", XENHEALTH_VERSION);
    jsonw_list(w, "rules");
    for (size_t i = 0; i < verdict->rule_count; i++)
        add_rule(w, &verdict->rules[i]);
    jsonw_end_list(w);
    jsonw_end_object(w);
    jsonw_end_object(w);
}

static int index_of_rule(const struct verdict *verdict, const char *id)
{
    for (size_t i = 0; i < verdict->rule_count; i++)
        if (strcmp(verdict->rules[i].rule, id) == 0)
            return (int)i;
    return -1;
}

/* The same finding of a later report has the same fingerprint: rule, hosts and title, which are
 * what a person would say it is. */
static void add_fingerprint(struct json_writer *w, const char *rule, const char *const *hosts,
                            const char *title)
{
    CLEANUP(strbuf_release) struct strbuf text = STRBUF_INIT;
    unsigned char digest[EVP_MAX_MD_SIZE];
    char hex[33] = "";
    unsigned length = 0;
    strbuf_addf(&text, "%s\n%s\n", rule, title);
    for (; hosts && *hosts; hosts++)
        strbuf_addf(&text, "%s\n", *hosts);
    if (!strbuf_ok(&text) ||
        !EVP_Digest(text.data, text.length, digest, &length, EVP_sha256(), NULL)) {
        w->out->failed = true;
        return;
    }
    hex_write(digest, 16, hex);
    jsonw_object(w, "partialFingerprints");
    jsonw_string(w, "xenhealthFinding/v1", hex);
    jsonw_end_object(w);
}

static void add_rule_reference(struct json_writer *w, const struct verdict *verdict, const char *id)
{
    int index = index_of_rule(verdict, id);
    add_message_text(w, "ruleId", id);
    if (index >= 0)
        jsonw_integer(w, "ruleIndex", index);
}

static void add_suppression(struct json_writer *w, const struct finding *finding)
{
    CLEANUP(strbuf_release) struct strbuf text = STRBUF_INIT;
    strbuf_adds(&text, finding->suppressed);
    if (finding->suppressed_owner)
        strbuf_addf(&text, " (%s)", finding->suppressed_owner);
    if (finding->suppressed_until)
        strbuf_addf(&text, ", until %s", finding->suppressed_until);
    jsonw_list(w, "suppressions");
    jsonw_object(w, NULL);
    jsonw_string(w, "kind", "external");
    jsonw_string(w, "status", "accepted");
    add_message_text(w, "justification", text.data);
    jsonw_end_object(w);
    jsonw_end_list(w);
    if (!strbuf_ok(&text))
        w->out->failed = true;
}

static void add_locations(struct json_writer *w, const struct finding *finding)
{
    jsonw_list(w, "locations");
    for (size_t i = 0; i < finding->evidence_count && i < LOCATIONS_SHOWN; i++)
        add_location(w, finding->evidence[i].host, finding->evidence[i].path,
                     finding->evidence[i].line, finding->evidence[i].text);
    jsonw_end_list(w);
}

static void add_finding_properties(struct json_writer *w, const struct view *view,
                                   const struct finding *finding)
{
    char first[32], last[32];
    verdict_time(finding->first_seen, first);
    verdict_time(finding->last_seen, last);
    jsonw_object(w, "properties");
    jsonw_string(w, "severity", severity_name(finding->severity));
    jsonw_string(w, "confidence", confidence_name(finding->confidence));
    jsonw_list(w, "hosts");
    for (size_t i = 0; i < finding->host_count; i++)
        add_message_text(w, NULL, finding->hosts[i]);
    jsonw_end_list(w);
    if (*first)
        jsonw_string(w, "firstSeen", first);
    if (*last)
        jsonw_string(w, "lastSeen", last);
    if (finding->explained_by >= 0 && (size_t)finding->explained_by < view->verdict->finding_count)
        add_message_text(w, "explainedBy", view->verdict->findings[finding->explained_by].rule);
    jsonw_end_object(w);
}

static void add_result(struct json_writer *w, const struct view *view,
                       const struct finding *finding)
{
    jsonw_object(w, NULL);
    add_rule_reference(w, view->verdict, finding->rule);
    jsonw_string(w, "level", levels[finding->severity]);
    add_message(w, "message", finding->title);
    add_locations(w, finding);
    add_fingerprint(w, finding->rule, finding->hosts, finding->title);
    jsonw_integer(w, "occurrenceCount", finding->count > 0 ? finding->count : 1);
    if (finding->suppressed)
        add_suppression(w, finding);
    if (finding->change != CHANGE_NONE)
        jsonw_string(w, "baselineState", finding->change == CHANGE_NEW ? "new" : "unchanged");
    add_finding_properties(w, view, finding);
    jsonw_end_object(w);
}

/* A finding of the baseline that is gone. One that nobody can judge now is not: see notifications.
 */
static void add_absent(struct json_writer *w, const struct view *view,
                       const struct past_finding *past)
{
    jsonw_object(w, NULL);
    add_rule_reference(w, view->verdict, past->rule);
    jsonw_string(w, "level", levels[past->severity]);
    add_message(w, "message", past->title);
    add_fingerprint(w, past->rule, past->hosts, past->title);
    jsonw_string(w, "baselineState", "absent");
    jsonw_end_object(w);
}

static void add_results(struct json_writer *w, const struct view *view)
{
    const struct verdict *verdict = view->verdict;
    const struct baseline *baseline = verdict->baseline;
    jsonw_list(w, "results");
    for (size_t i = 0; i < verdict->finding_count; i++)
        if (verdict->findings[i].severity >= view->min_severity)
            add_result(w, view, &verdict->findings[i]);
    for (size_t i = 0; baseline && i < baseline->past_count; i++)
        if (!baseline->past[i].lost)
            add_absent(w, view, &baseline->past[i]);
    jsonw_end_list(w);
}

/* `rule` is NULL for what is not about a rule. */
static void begin_notification(struct json_writer *w, const struct verdict *verdict,
                               const char *kind, const char *level, const char *text,
                               const char *rule)
{
    jsonw_object(w, NULL);
    jsonw_object(w, "descriptor");
    jsonw_string(w, "id", kind);
    jsonw_end_object(w);
    jsonw_string(w, "level", level);
    add_message(w, "message", text);
    if (!rule)
        return;
    int index = index_of_rule(verdict, rule);
    jsonw_object(w, "associatedRule");
    add_message_text(w, "id", rule);
    if (index >= 0)
        jsonw_integer(w, "index", index);
    jsonw_end_object(w);
}

static void add_problem(struct json_writer *w, const struct view *view,
                        const struct view_problem *problem)
{
    CLEANUP(strbuf_release) struct strbuf text = STRBUF_INIT;
    strbuf_addf(&text, "%s: %s%s%s; so %s", problem->subject, problem->path,
                *problem->path ? ": " : "", problem->text, problem->effect);
    begin_notification(w, view->verdict, problem->kind, "warning", text.data, NULL);
    jsonw_list(w, "locations");
    add_location(w, problem->host >= 0 ? view->hosts[problem->host].name : "", problem->path, 0,
                 "");
    jsonw_end_list(w);
    jsonw_end_object(w);
    if (!strbuf_ok(&text))
        w->out->failed = true;
}

static void add_notifications(struct json_writer *w, const struct view *view)
{
    const struct verdict *verdict = view->verdict;
    static const char *const trust_levels[] = {
        [TRUST_FULL] = "note", [TRUST_PARTIAL] = "warning", [TRUST_POOR] = "error"};
    jsonw_list(w, "toolExecutionNotifications");
    begin_notification(w, verdict, "trust", trust_levels[view->trust.level], view->trust.sentence,
                       NULL);
    jsonw_end_object(w);
    for (size_t i = 0; i < view->problem_count; i++)
        add_problem(w, view, &view->problems[i]);
    for (size_t i = 0; i < verdict->rule_count; i++) {
        const struct judged_rule *rule = &verdict->rules[i];
        if (rule->outcome != OUTCOME_UNKNOWN && rule->outcome != OUTCOME_NOT_APPLICABLE)
            continue;
        begin_notification(w, verdict, outcome_name(rule->outcome), "note",
                           *rule->reason ? rule->reason : "the rule's condition holds on no host",
                           rule->rule);
        jsonw_end_object(w);
    }
    for (size_t i = 0; verdict->baseline && i < verdict->baseline->past_count; i++) {
        const struct past_finding *past = &verdict->baseline->past[i];
        if (past->lost) {
            begin_notification(w, verdict, "lost", "note", past->lost, past->rule);
            jsonw_end_object(w);
        }
    }
    jsonw_end_list(w);
}

static void add_invocation(struct json_writer *w, const struct view *view)
{
    jsonw_list(w, "invocations");
    jsonw_object(w, NULL);
    jsonw_boolean(w, "executionSuccessful", view_is_judged(view));
    add_notifications(w, view);
    jsonw_end_object(w);
    jsonw_end_list(w);
}

static void add_run_properties(struct json_writer *w, const struct view *view)
{
    const struct coverage *coverage = &view->verdict->coverage;
    jsonw_object(w, "properties");
    if (view_is_judged(view))
        jsonw_integer(w, "score", view->verdict->score);
    jsonw_string(w, "trust", trust_name(view->trust.level));
    jsonw_integer(w, "rules", (int64_t)coverage->rules);
    jsonw_integer(w, "evaluated", (int64_t)coverage->evaluated);
    jsonw_integer(w, "unknown", (int64_t)coverage->unknown);
    jsonw_end_object(w);
}

int view_as_sarif(const struct view *view, struct strbuf *out, struct err *err)
{
    struct json_writer w = {.out = out};
    jsonw_object(&w, NULL);
    jsonw_string(&w, "$schema", "https://json.schemastore.org/sarif-2.1.0.json");
    jsonw_string(&w, "version", "2.1.0");
    jsonw_list(&w, "runs");
    jsonw_object(&w, NULL);
    add_tool(&w, view->verdict);
    add_invocation(&w, view);
    jsonw_string(&w, "columnKind", "unicodeCodePoints");
    add_results(&w, view);
    add_run_properties(&w, view);
    jsonw_end_object(&w);
    jsonw_end_list(&w);
    jsonw_end_object(&w);
    strbuf_addc(out, '\n');
    return strbuf_ok(out) ? 0 : err_nomem(err);
}
