/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * Runs xen-analyze once for all forms of its result, and reads what we need of its JSON. The report
 * itself is opened only there, in its sandbox.
 */
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "common/escape.h"
#include "common/io.h"
#include "healthcheck/run/step.h"

#define MAX_FINDINGS_BYTES (64 << 20) /* of findings.json */
#define MAX_TITLE          200        /* bytes that are kept of a title */
#define MAX_HOSTS          200

static int to_severity(const char *name)
{
    for (int i = 0; name && i < CHECK_SEVERITIES; i++)
        if (strcmp(name, check_severity_names[i]) == 0)
            return i;
    return -1;
}

static int to_int(const json_t *value, int otherwise)
{
    json_int_t number = json_integer_value(value);
    return json_is_integer(value) && number >= 0 && number <= INT_MAX ? (int)number : otherwise;
}

static bool is_suppressed(const json_t *finding)
{
    const json_t *value = json_object_get(finding, "suppressed");
    return value && !json_is_null(value) && !json_is_false(value);
}

/* Foreign text: harmless on a terminal, and not too long. */
static void add_clipped(struct strbuf *out, const char *text, size_t maximum)
{
    size_t before = out->length;
    escape_terminal(out, text, strlen(text), false);
    if (out->length - before > maximum) {
        size_t end = before + maximum;
        while (end > before && ((unsigned char)out->data[end] & 0xc0) == 0x80)
            end--;
        strbuf_truncate(out, end);
        strbuf_adds(out, "...");
    }
}

static void add_hosts(struct strbuf *out, const json_t *hosts)
{
    const json_t *each;
    size_t i;
    json_array_foreach(hosts, i, each)
    {
        const char *host = json_string_value(each);
        if (!host || out->length > MAX_HOSTS)
            continue;
        strbuf_adds(out, out->length ? ", " : "");
        add_clipped(out, host, MAX_HOSTS);
    }
}

static int take_finding(const json_t *finding, struct check *check, json_t *rules, struct err *err)
{
    CLEANUP(strbuf_release) struct strbuf title = STRBUF_INIT, hosts = STRBUF_INIT;
    const char *rule = json_string_value(json_object_get(finding, "rule"));
    const char *text = json_string_value(json_object_get(finding, "title"));
    int severity = to_severity(json_string_value(json_object_get(finding, "severity")));
    if (!rule || !text || severity < 0)
        return err_set(err, ERR_PARSE, "the result of xen-analyze has a finding of no known form");
    if (is_suppressed(finding))
        return 0;
    check->counts[severity]++;
    json_object_set_new(rules, rule, json_true());
    add_clipped(&title, text, MAX_TITLE);
    add_hosts(&hosts, json_object_get(finding, "hosts"));
    if (!strbuf_ok(&title) || !strbuf_ok(&hosts))
        return err_nomem(err);
    return check_add_finding(check, rule, title.data, hosts.data, (enum check_severity)severity,
                             err);
}

static int take_result(const json_t *result, struct check *check, struct err *err)
{
    json_auto_t *rules = json_object();
    const json_t *findings = json_object_get(result, "findings"), *each;
    const json_t *coverage = json_object_get(result, "coverage");
    const char *schema = json_string_value(json_object_get(result, "schema"));
    size_t i;
    int r = 0;
    if (!schema || strcmp(schema, "xenhealth-findings/1") != 0 || !json_is_array(findings))
        return err_set(err, ERR_PARSE, "the result of xen-analyze is not of the known form");
    json_array_foreach(findings, i, each) r = r < 0 ? r : take_finding(each, check, rules, err);
    json_array_foreach(json_object_get(result, "unknown"), i, each)
    {
        const char *rule = json_string_value(json_object_get(each, "rule"));
        if (r == 0 && rule)
            r = check_add_unknown(check, rule, err);
    }
    check->score = to_int(json_object_get(result, "score"), -1);
    check->rules = to_int(json_object_get(coverage, "rules"), 0);
    check->unknown = to_int(json_object_get(coverage, "unknown"), 0);
    if (check->rules > 0 && check->unknown >= check->rules)
        check->score = -1; /* full marks, of nothing */
    check->hosts = (int)json_array_size(json_object_get(result, "reports"));
    check->issues = (int)json_object_size(rules);
    check->analysed = r == 0;
    return r;
}

int analysis_read(const char *bytes, size_t length, struct check *check, struct err *err)
{
    json_error_t why;
    json_auto_t *result = json_loadb(bytes, length, 0, &why);
    if (!result)
        return err_set(err, ERR_PARSE, "the result of xen-analyze is no JSON: line %d: %s",
                       why.line, why.text);
    return take_result(result, check, err);
}

int analysis_run(struct run *run, struct check *check, const char *report, struct err *err)
{
    const struct settings *settings = run->options->settings;
    CLEANUP(strbuf_release)
    struct strbuf json = STRBUF_INIT, html = STRBUF_INIT, metrics = STRBUF_INIT, text = STRBUF_INIT;
    const char *folder = store_path(run->store);
    strbuf_addf(&json, "%s/work/findings.json", folder);
    strbuf_addf(&html, "%s/work/report.html", folder);
    strbuf_addf(&metrics, "%s/work/xenhealth.prom", folder);
    if (!strbuf_ok(&json) || !strbuf_ok(&html) || !strbuf_ok(&metrics))
        return err_nomem(err);
    run_say(run, "Analysing it.");
    const char *const own[] = {"--format", "json",       "--output", json.data,  "--format",
                               "html",     "--output",   html.data,  "--format", "prometheus",
                               "--output", metrics.data, report,     NULL};
    int r = run_program(run, "xen-analyze", own, settings->analyze.arguments,
                        settings->analyze.time_limit_s, 1 << 0 | 1 << 1, NULL, NULL, err);
    if (r == 0)
        r = io_read_file(AT_FDCWD, json.data, MAX_FINDINGS_BYTES, &text, err);
    return r == 0 ? analysis_read(text.data, text.length, check, err) : r;
}
