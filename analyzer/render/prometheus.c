/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * --format prometheus: the text exposition format (prometheus.io/docs/instrumenting/
 * exposition_formats), as a file for node_exporter's textfile collector.
 *
 * The number of series is bounded whatever the reports hold: labels are severities, outcomes, kinds
 * and components, whose lists are fixed, and hosts and rules, of which so many are told. No label
 * holds a log line. Samples carry no time stamps, which that collector refuses.
 */
#include "analyzer/render/view.h"
#include "common/escape.h"
#include "common/io.h"
#include "common/version.h"

#define HOSTS_TOLD 64  /* a pool's maximum */
#define RULES_TOLD 256 /* that fail; worst first */
#define LABEL_MAX  120

struct label {
    char text[4 * LABEL_MAX]; /* escaped: a backslash for each byte, "\xNN" with its own */
};

struct exposition {
    const struct view *view;
    struct strbuf *out;
    struct label *hosts; /* of the view's hosts; "" for one that is not told */
};

/* Dangerous characters become \xNN first, whose backslash is then escaped like any other. */
static void label_set(struct label *label, const char *value)
{
    CLEANUP(strbuf_release) struct strbuf safe = STRBUF_INIT;
    escape_terminal(&safe, value, strlen(value), false);
    size_t length = safe.length, used = 0;
    if (length > LABEL_MAX)
        for (length = LABEL_MAX; length && ((unsigned char)safe.data[length] & 0xc0) == 0x80;)
            length--;
    for (size_t i = 0; i < length; i++) {
        if (safe.data[i] == '\\' || safe.data[i] == '"')
            label->text[used++] = '\\';
        label->text[used++] = safe.data[i];
    }
    label->text[used] = '\0';
}

static void describe(const struct exposition *e, const char *name, const char *help)
{
    strbuf_addf(e->out, "# HELP xenhealth_%s %s\n# TYPE xenhealth_%s gauge\n", name, help, name);
}

static bool is_told(const struct exposition *e, size_t host)
{
    return e->hosts[host].text[0] != '\0';
}

/* A series may occur once only, and two hosts can have one name, or one shortened name. */
static void choose_hosts(struct exposition *e)
{
    size_t told = 0;
    for (size_t i = 0; i < e->view->host_count && told < HOSTS_TOLD; i++) {
        label_set(&e->hosts[i], e->view->hosts[i].name);
        for (size_t j = 0; j < i && is_told(e, i); j++)
            if (strcmp(e->hosts[j].text, e->hosts[i].text) == 0)
                e->hosts[i].text[0] = '\0';
        told += is_told(e, i);
    }
}

static void add_scores(const struct exposition *e)
{
    const struct verdict *verdict = e->view->verdict;
    if (!view_is_judged(e->view))
        return;
    describe(e, "score", "Health of all hosts together, 0 to 100; see xenhealth_coverage_ratio.");
    strbuf_addf(e->out, "xenhealth_score %d\n", verdict->score);
    describe(e, "host_score", "Health of a host, 0 to 100.");
    for (size_t i = 0; i < e->view->host_count; i++)
        if (is_told(e, i) && e->view->hosts[i].score >= 0)
            strbuf_addf(e->out, "xenhealth_host_score{host=\"%s\"} %d\n", e->hosts[i].text,
                        e->view->hosts[i].score);
    describe(e, "component_score",
             "Health of a component, 0 to 100, where a rule about it had data.");
    for (size_t i = 0; i < verdict->component_score_count; i++)
        strbuf_addf(e->out, "xenhealth_component_score{component=\"%s\"} %d\n",
                    verdict->component_scores[i].name, verdict->component_scores[i].value);
}

/* Findings of a severity that are not suppressed; of one host, or (NULL) of all. */
static size_t count_findings(const struct verdict *verdict, enum severity severity,
                             const char *host)
{
    size_t count = 0;
    for (size_t i = 0; i < verdict->finding_count; i++) {
        const struct finding *finding = &verdict->findings[i];
        count += !finding->suppressed && finding->severity == severity &&
                 (!host || finding_concerns(finding, host));
    }
    return count;
}

static void add_findings(const struct exposition *e)
{
    const struct verdict *verdict = e->view->verdict;
    size_t suppressed = 0;
    describe(e, "findings", "Findings that are not suppressed, by severity.");
    for (int i = SEVERITY_COUNT - 1; i >= 0; i--)
        strbuf_addf(e->out, "xenhealth_findings{severity=\"%s\"} %zu\n",
                    severity_name((enum severity)i),
                    count_findings(verdict, (enum severity)i, NULL));
    describe(e, "host_findings", "Findings that concern a host, by severity.");
    for (size_t host = 0; host < e->view->host_count; host++)
        for (int i = SEVERITY_COUNT - 1; is_told(e, host) && i >= 0; i--)
            strbuf_addf(e->out, "xenhealth_host_findings{host=\"%s\",severity=\"%s\"} %zu\n",
                        e->hosts[host].text, severity_name((enum severity)i),
                        count_findings(verdict, (enum severity)i, e->view->hosts[host].name));
    for (size_t i = 0; i < verdict->finding_count; i++)
        suppressed += verdict->findings[i].suppressed != NULL;
    describe(e, "findings_suppressed", "Findings that a suppression covers.");
    strbuf_addf(e->out, "xenhealth_findings_suppressed %zu\n", suppressed);
}

/* One series a rule that has findings, with their number. The verdict keeps those of a rule
 * together within severity and component, and a rule has one of each. */
static int add_rule_findings(const struct exposition *e, struct err *err)
{
    const struct verdict *verdict = e->view->verdict;
    CLEANUP_FREE struct label *told = calloc(RULES_TOLD, sizeof *told);
    CLEANUP_FREE size_t *counts = calloc(RULES_TOLD, sizeof *counts);
    CLEANUP_FREE const struct finding **first = calloc(RULES_TOLD, sizeof *first);
    size_t count = 0;
    if (!told || !counts || !first)
        return err_nomem(err);
    for (size_t i = 0; i < verdict->finding_count; i++) {
        struct label label;
        size_t at = 0;
        label_set(&label, verdict->findings[i].rule);
        while (at < count && strcmp(told[at].text, label.text) != 0)
            at++;
        if (verdict->findings[i].suppressed || at == RULES_TOLD)
            continue;
        if (at == count) {
            told[count] = label;
            first[count++] = &verdict->findings[i];
        }
        counts[at]++;
    }
    describe(e, "rule_findings", "Findings of each rule that has any.");
    for (size_t i = 0; i < count; i++)
        strbuf_addf(
            e->out, "xenhealth_rule_findings{rule=\"%s\",component=\"%s\",severity=\"%s\"} %zu\n",
            told[i].text, first[i]->component, severity_name(first[i]->severity), counts[i]);
    return 0;
}

static void add_coverage(const struct exposition *e)
{
    const struct coverage *coverage = &e->view->verdict->coverage;
    size_t applicable = coverage_applicable(coverage);
    describe(e, "rules", "Rules by what became of them.");
    strbuf_addf(e->out,
                "xenhealth_rules{outcome=\"fail\"} %zu\n"
                "xenhealth_rules{outcome=\"pass\"} %zu\n"
                "xenhealth_rules{outcome=\"unknown\"} %zu\n"
                "xenhealth_rules{outcome=\"not-applicable\"} %zu\n",
                coverage->failed, coverage->passed, coverage->unknown, coverage->not_applicable);
    describe(e, "coverage_ratio", "Part of the applicable rules that had the data they need.");
    strbuf_addf(e->out, "xenhealth_coverage_ratio %.4f\n",
                applicable ? (double)coverage->evaluated / (double)applicable : 0.0);
}

static size_t count_problems(const struct view *view, size_t host, const char *kind)
{
    size_t count = 0;
    for (size_t i = 0; i < view->problem_count; i++)
        count += view->problems[i].host == (int)host && strcmp(view->problems[i].kind, kind) == 0;
    return count;
}

static void add_problems(const struct exposition *e)
{
    describe(e, "trust_level", "How far the result can be trusted: 2 full, 1 partial, 0 poor.");
    strbuf_addf(e->out, "xenhealth_trust_level %d\n", TRUST_POOR - (int)e->view->trust.level);
    describe(e, "report_problems", "What is wrong with the reports themselves, by kind.");
    for (size_t host = 0; host < e->view->host_count; host++)
        for (int kind = 0; is_told(e, host) && kind < PROBLEM_KINDS; kind++) {
            const char *name = problem_kind_name((enum problem_kind)kind);
            strbuf_addf(e->out, "xenhealth_report_problems{host=\"%s\",kind=\"%s\"} %zu\n",
                        e->hosts[host].text, name, count_problems(e->view, host, name));
        }
}

static void add_reports(const struct exposition *e)
{
    describe(e, "report_timestamp_seconds",
             "When the report was taken, by the wall clock of the host read as UTC.");
    for (size_t i = 0; i < e->view->host_count; i++)
        if (is_told(e, i) && e->view->hosts[i].taken != TIME_UNKNOWN)
            strbuf_addf(e->out, "xenhealth_report_timestamp_seconds{host=\"%s\"} %lld\n",
                        e->hosts[i].text, (long long)e->view->hosts[i].taken);
    describe(e, "report_size_bytes", "Size of the host's report, decompressed.");
    for (size_t i = 0; i < e->view->host_count; i++)
        if (is_told(e, i))
            strbuf_addf(e->out, "xenhealth_report_size_bytes{host=\"%s\"} %lld\n", e->hosts[i].text,
                        (long long)e->view->hosts[i].bytes);
}

static void add_baseline(const struct exposition *e)
{
    const struct baseline *baseline = e->view->verdict->baseline;
    struct view_changes changes = view_changes(e->view);
    if (!baseline)
        return;
    describe(e, "baseline_findings", "Findings by how they changed since the baseline.");
    strbuf_addf(e->out,
                "xenhealth_baseline_findings{change=\"new\"} %zu\n"
                "xenhealth_baseline_findings{change=\"still\"} %zu\n"
                "xenhealth_baseline_findings{change=\"gone\"} %zu\n"
                "xenhealth_baseline_findings{change=\"lost\"} %zu\n",
                changes.fresh, changes.still, changes.gone, changes.lost);
    describe(e, "baseline_differences", "Packages, firmware and settings that differ from it.");
    strbuf_addf(e->out, "xenhealth_baseline_differences %zu\n", baseline->difference_count);
}

int view_as_prometheus(const struct view *view, struct strbuf *out, struct err *err)
{
    CLEANUP_FREE struct label *hosts = calloc(view->host_count + 1, sizeof *hosts);
    struct exposition e = {.view = view, .out = out, .hosts = hosts};
    if (!hosts)
        return err_nomem(err);
    choose_hosts(&e);
    describe(&e, "build_info", "The version of xen-analyze that judged.");
    strbuf_addf(out, "xenhealth_build_info{version=\"%s\"} 1\n", XENHEALTH_VERSION);
    add_problems(&e);
    add_coverage(&e);
    add_scores(&e);
    add_findings(&e);
    int r = add_rule_findings(&e, err);
    if (r < 0)
        return r;
    add_reports(&e);
    add_baseline(&e);
    return strbuf_ok(out) ? 0 : err_nomem(err);
}
