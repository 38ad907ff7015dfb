/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * --format junit: the XML that build servers show as test results. No standard defines it; this is
 * what Jenkins, GitLab and Ant's own schema agree on (tests/integration/test_formats.py holds it to
 * that).
 *
 * A rule is a test: it passes, fails, or is skipped (unknown, not applicable, suppressed, below
 * --min-severity). Suites are components. The first suite is about the reports themselves: a
 * problem there is an error, since what it hides could not be tested.
 */
#include "analyzer/render/view.h"
#include "common/escape.h"
#include "common/version.h"

#define EVIDENCE_SHOWN 5

struct counts {
    size_t tests, failures, errors, skipped;
};

static void add_text(struct strbuf *out, const char *text)
{
    escape_markup(out, text, strlen(text));
}

static void add_attribute(struct strbuf *out, const char *name, const char *text)
{
    strbuf_addf(out, " %s=\"", name);
    add_text(out, text);
    strbuf_addc(out, '"');
}

static void begin_case(struct strbuf *out, const char *class, const char *name)
{
    strbuf_adds(out, "    <testcase");
    add_attribute(out, "classname", class);
    add_attribute(out, "name", name);
    strbuf_adds(out, " time=\"0\"");
}

static void add_skipped(struct strbuf *out, const char *why, const char *reason)
{
    strbuf_adds(out, ">\n      <skipped message=\"");
    add_text(out, why);
    if (*reason)
        strbuf_adds(out, ": ");
    add_text(out, reason);
    strbuf_adds(out, "\"/>\n    </testcase>\n");
}

static bool is_of(const struct finding *finding, const struct judged_rule *rule)
{
    return strcmp(finding->rule, rule->rule) == 0;
}

/* The first finding of the rule that is shown, or NULL; *ret_count tells how many there are. */
static const struct finding *shown_finding(const struct view *view, const struct judged_rule *rule,
                                           size_t *ret_count)
{
    const struct finding *first = NULL;
    *ret_count = 0;
    for (size_t i = 0; i < view->finding_count; i++)
        if (is_of(view->findings[i].finding, rule)) {
            first = first ? first : view->findings[i].finding;
            ++*ret_count;
        }
    return first;
}

static const struct finding *suppressed_finding(const struct view *view,
                                                const struct judged_rule *rule)
{
    for (size_t i = 0; i < view->suppressed_count; i++)
        if (is_of(view->suppressed[i], rule))
            return view->suppressed[i];
    return NULL;
}

/* Everything a build log should tell of a finding. */
static void add_details(struct strbuf *out, const struct finding *finding)
{
    add_text(out, finding->title);
    for (size_t i = 0; i < finding->host_count; i++) {
        strbuf_adds(out, i ? ", " : "\non ");
        add_text(out, finding->hosts[i]);
    }
    strbuf_addc(out, '\n');
    for (size_t i = 0; i < finding->evidence_count && i < EVIDENCE_SHOWN; i++) {
        const struct evidence *evidence = &finding->evidence[i];
        strbuf_adds(out, "> ");
        add_text(out, evidence->host);
        strbuf_adds(out, " ");
        add_text(out, evidence->path);
        if (evidence->line > 0)
            strbuf_addf(out, ":%lld", (long long)evidence->line);
        strbuf_adds(out, "  ");
        add_text(out, evidence->text);
        strbuf_addc(out, '\n');
    }
    strbuf_adds(out, "Why: ");
    add_text(out, finding->explanation);
    strbuf_adds(out, "\nDo: ");
    add_text(out, finding->advice);
    strbuf_adds(out, "\n");
}

static void add_failure(struct strbuf *out, const struct view *view, const struct judged_rule *rule,
                        const struct finding *first, size_t count)
{
    strbuf_addf(out, ">\n      <failure type=\"%s\" message=\"", severity_name(first->severity));
    add_text(out, first->title);
    if (count > 1)
        strbuf_addf(out, " (and %zu more)", count - 1);
    strbuf_adds(out, "\">");
    for (size_t i = 0; i < view->finding_count; i++)
        if (is_of(view->findings[i].finding, rule))
            add_details(out, view->findings[i].finding);
    strbuf_adds(out, "</failure>\n    </testcase>\n");
}

static void add_failed_rule(struct strbuf *out, const struct view *view,
                            const struct judged_rule *rule, struct counts *counts)
{
    size_t count;
    const struct finding *finding = shown_finding(view, rule, &count);
    const struct finding *suppressed = suppressed_finding(view, rule);
    if (finding) {
        counts->failures++;
        add_failure(out, view, rule, finding, count);
        return;
    }
    counts->skipped++;
    if (suppressed)
        add_skipped(out, "suppressed", suppressed->suppressed);
    else
        add_skipped(out, "found, but below the asked severity", severity_name(rule->severity));
}

static void add_rule(struct strbuf *out, const struct view *view, const struct judged_rule *rule,
                     struct counts *counts)
{
    counts->tests++;
    begin_case(out, rule->component, rule->rule);
    switch (rule->outcome) {
    case OUTCOME_PASS:
        strbuf_adds(out, "/>\n");
        break;
    case OUTCOME_FAIL:
        add_failed_rule(out, view, rule, counts);
        break;
    case OUTCOME_UNKNOWN:
        counts->skipped++;
        add_skipped(out, "unknown", rule->reason);
        break;
    case OUTCOME_NOT_APPLICABLE:
        counts->skipped++;
        add_skipped(out, "not applicable", "");
        break;
    }
}

static void add_problem(struct strbuf *out, const struct view_problem *problem,
                        struct counts *counts)
{
    CLEANUP(strbuf_release) struct strbuf name = STRBUF_INIT;
    strbuf_addf(&name, "%s: %s%s%s", problem->subject, problem->kind, *problem->path ? " " : "",
                problem->path);
    counts->tests++;
    counts->errors++;
    begin_case(out, "data-quality", name.data);
    strbuf_adds(out, ">\n      <error");
    add_attribute(out, "type", problem->kind);
    add_attribute(out, "message", problem->text);
    strbuf_addc(out, '>');
    add_text(out, problem->effect);
    strbuf_adds(out, "</error>\n    </testcase>\n");
    if (!strbuf_ok(&name))
        out->failed = true;
}

static void add_data_quality(struct strbuf *out, const struct view *view, struct counts *counts)
{
    for (size_t i = 0; i < view->host_count; i++) {
        bool is_whole = true;
        for (size_t j = 0; j < view->problem_count; j++)
            is_whole &= view->problems[j].host != (int)i;
        if (is_whole) {
            counts->tests++;
            begin_case(out, "data-quality", view->hosts[i].name);
            strbuf_adds(out, "/>\n");
        }
    }
    for (size_t i = 0; i < view->problem_count; i++)
        add_problem(out, &view->problems[i], counts);
}

static void add_counts(struct strbuf *out, const struct counts *counts)
{
    strbuf_addf(out, " tests=\"%zu\" failures=\"%zu\" errors=\"%zu\" skipped=\"%zu\" time=\"0\"",
                counts->tests, counts->failures, counts->errors, counts->skipped);
}

static void add_property(struct strbuf *out, const char *name, const char *value)
{
    strbuf_adds(out, "      <property");
    add_attribute(out, "name", name);
    add_attribute(out, "value", value);
    strbuf_adds(out, "/>\n");
}

static void add_properties(struct strbuf *out, const struct view *view)
{
    char score[16];
    snprintf(score, sizeof score, "%d", view->verdict->score);
    strbuf_adds(out, "    <properties>\n");
    add_property(out, "tool", "xen-analyze " XENHEALTH_VERSION);
    add_property(out, "trust", trust_name(view->trust.level));
    add_property(out, "trust.text", view->trust.sentence);
    add_property(out, "score", view_is_judged(view) ? score : "none");
    strbuf_adds(out, "    </properties>\n");
}

/* A suite's head tells how many of its tests failed, so the tests are written aside first. */
static void add_suite(struct strbuf *out, const struct view *view, const char *component,
                      struct counts *total)
{
    CLEANUP(strbuf_release) struct strbuf cases = STRBUF_INIT;
    struct counts counts = {0};
    if (!component)
        add_data_quality(&cases, view, &counts);
    for (size_t i = 0; component && i < view->verdict->rule_count; i++)
        if (strcmp(view->verdict->rules[i].component, component) == 0)
            add_rule(&cases, view, &view->verdict->rules[i], &counts);
    if (counts.tests == 0)
        return;
    strbuf_adds(out, "  <testsuite");
    add_attribute(out, "name", component ? component : "data-quality");
    add_counts(out, &counts);
    strbuf_adds(out, ">\n");
    if (!component)
        add_properties(out, view);
    strbuf_add(out, cases.data, cases.length);
    strbuf_adds(out, "  </testsuite>\n");
    if (!strbuf_ok(&cases))
        out->failed = true;
    total->tests += counts.tests;
    total->failures += counts.failures;
    total->errors += counts.errors;
    total->skipped += counts.skipped;
}

int view_as_junit(const struct view *view, struct strbuf *out, struct err *err)
{
    CLEANUP(strbuf_release) struct strbuf suites = STRBUF_INIT;
    struct counts total = {0};
    add_suite(&suites, view, NULL, &total);
    for (const char *const *name = component_names; *name; name++)
        add_suite(&suites, view, *name, &total);
    strbuf_adds(out,
                "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites name=\"xen-analyze\"");
    add_counts(out, &total);
    strbuf_adds(out, ">\n");
    strbuf_add(out, suites.data, suites.length);
    strbuf_adds(out, "</testsuites>\n");
    return strbuf_ok(out) && strbuf_ok(&suites) ? 0 : err_nomem(err);
}
