/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * `rules list` and `rules show`: rules for people who read them.
 */
#include "analyzer/cli/commands.h"
#include "analyzer/cli/page.h"
#include "analyzer/cli/rules_load.h"
#include "analyzer/rules/site.h"
#include "common/units.h"

static const enum text_style severity_styles[] = {
    [SEVERITY_INFO] = STYLE_INFO,
    [SEVERITY_WARNING] = STYLE_WARNING,
    [SEVERITY_ERROR] = STYLE_ERROR,
    [SEVERITY_CRITICAL] = STYLE_CRITICAL,
};

/* Room for the longest id, so that the columns stand straight. */
static int id_width(const struct rule_set *rules, enum severity least)
{
    int width = 2;
    for (size_t i = 0; i < rule_set_count(rules); i++) {
        const struct rule *rule = rule_set_at(rules, i);
        if (rule->severity >= least && (int)strlen(rule->id) > width)
            width = (int)strlen(rule->id);
    }
    return width;
}

/* "  [replaces rules/xapi/root-fs-full.yaml]" */
static void add_origin(struct strbuf *out, const struct rule *rule)
{
    if (rule->replaces)
        strbuf_addf(out, "  [%s, replaces %s]", rule->file, rule->replaces);
    else if (rule->pack > 0)
        strbuf_addf(out, "  [%s]", rule->file);
}

int command_rules_list(struct options *options, struct err *err)
{
    CLEANUP(parts_release) struct parts parts = {0};
    CLEANUP(page_release) struct page page;
    struct rule_filter filter = {.only = options->only.count ? options->only.items : NULL,
                                 .skip = options->skip.items,
                                 .component = options->component};
    page_begin(&page);
    int r = rules_load(options, &parts, err);
    if (r == 0)
        r = rule_set_select(parts.rules, &filter, err);
    if (r < 0)
        return r;
    int width = id_width(parts.rules, options->min_severity);
    page.writer.width = page_width(); /* a pipe gets whole lines */
    for (size_t i = 0; i < rule_set_count(parts.rules); i++) {
        const struct rule *rule = rule_set_at(parts.rules, i);
        CLEANUP(strbuf_release) struct strbuf first = STRBUF_INIT, title = STRBUF_INIT;
        if (rule->severity < options->min_severity)
            continue;
        strbuf_addf(&first, "%-*s  %-8s  %-10s  ", width, rule->id, severity_name(rule->severity),
                    rule->component);
        strbuf_adds(&title, rule->title);
        add_origin(&title, rule);
        textw_cut(&page.writer, STYLE_NONE, first.data, title.data);
    }
    return page_print(&page, err);
}

static void show_severity(struct page *page, const struct rule *rule)
{
    page_heading(page, "SEVERITY");
    strbuf_adds(&page->text, "    ");
    textw_styled(&page->writer, severity_styles[rule->severity], "%s",
                 severity_name(rule->severity));
    strbuf_addf(&page->text, ", confidence %s, component %s\n", confidence_name(rule->confidence),
                rule->component);
    if (rule->severity_set_at)
        page_item(page, "", "The severity is set by %s.", rule->severity_set_at);
}

static void show_applies(struct page *page, const struct rule *rule)
{
    if (!rule->applies && !rule->versions)
        return;
    page_heading(page, "APPLIES");
    if (rule->versions)
        page_item(page, "", "%s", rule->versions);
    if (rule->applies)
        page_item(page, "where ", "%s", rule->applies);
}

static void show_log(struct page *page, const struct rule *rule, const struct rule_log *log)
{
    CLEANUP(strbuf_release) struct strbuf files = STRBUF_INIT;
    char within[32];
    for (size_t i = 0; i < log->file_count; i++)
        strbuf_addf(&files, "%s%s", i ? ", " : "", log->files[i].text);
    if (rule->query)
        page_item(page, "lines ", "'%s' in %s that match", log->alias, files.data);
    else
        page_item(page, "", "lines in %s that match", files.data);
    page_code(page, regex_pattern(log->match));
    if (log->unless) {
        page_item(page, "", "but not");
        page_code(page, regex_pattern(log->unless));
    }
    if (log->at_least > 1 && log->within_s)
        page_item(page, "", "at least %lld times within %s", (long long)log->at_least,
                  units_format_seconds(log->within_s, within, sizeof within));
    else if (log->at_least > 1)
        page_item(page, "", "at least %lld times", (long long)log->at_least);
}

static void show_shape(struct page *page, const struct rule *rule)
{
    page_heading(page, "LOOKS FOR");
    for (size_t i = 0; i < rule->log_count; i++)
        show_log(page, rule, &rule->logs[i]);
    if (rule->query) {
        page_item(page, "", "rows of the query");
        page_code(page, rule->query);
    }
    if (rule->by)
        page_item(page, "", "Each %s gives a finding of its own.", rule->by);
}

static void show_param(struct page *page, const struct rule_param *param)
{
    CLEANUP(strbuf_release) struct strbuf text = STRBUF_INIT;
    char label[80];
    snprintf(label, sizeof label, "%-16s ", param->name);
    strbuf_adds(&text, param->text);
    if (param->set_at)
        strbuf_addf(&text, " (set by %s; the rule has %s)", param->set_at, param->standard);
    if (*param->description)
        strbuf_addf(&text, ": %s", param->description);
    if (param->least)
        strbuf_addf(&text, "; at least %s", param->least);
    if (param->most)
        strbuf_addf(&text, "; at most %s", param->most);
    page_item(page, label, "%s", text.data);
}

static void show_params(struct page *page, const struct rule *rule)
{
    if (!rule->param_count)
        return;
    page_heading(page, "PARAMETERS");
    for (size_t i = 0; i < rule->param_count; i++)
        show_param(page, &rule->params[i]);
    CLEANUP(strbuf_release) struct strbuf example = STRBUF_INIT;
    strbuf_addf(&example, "thresholds: {%s: {%s: %s}}", rule->id, rule->params[0].name,
                rule->params[0].text);
    page_item(page, "", "A site changes them with --site FILE:");
    page_code(page, example.data);
}

static void show_explains(struct page *page, const struct rule *rule)
{
    if (!rule->symptom_count)
        return;
    page_heading(page, "EXPLAINS");
    for (size_t i = 0; i < rule->symptom_count; i++) {
        const struct rule_symptom *symptom = &rule->explains[i];
        page_item(page, "", symptom->same ? "%s, where both have the same %s" : "%s", symptom->rule,
                  symptom->same);
    }
}

static void show_tests(struct page *page, const struct rule *rule)
{
    if (!rule->tests)
        return;
    page_heading(page, "TESTS");
    for (size_t i = 0; i < rule->tests->count; i++) {
        const struct doc_node *test = rule->tests->items[i];
        const struct doc_node *name = doc_get(test, "name"), *expect = doc_get(test, "expect");
        bool silent = expect && expect->kind == DOC_SCALAR;
        page_item(page, silent ? "silent  " : "found   ", "%s (%s:%d)",
                  name && name->kind == DOC_SCALAR ? name->text : "without a name", rule->file,
                  test->line);
    }
}

static void show_rule(struct page *page, const struct rule *rule)
{
    page_heading(page, "NAME");
    page_item(page, "", "%s - %s", rule->id, rule->title);
    page_item(page, "", "(%s%s%s)", rule->file, rule->replaces ? ", instead of " : "",
              rule->replaces ? rule->replaces : "");
    show_severity(page, rule);
    show_applies(page, rule);
    show_shape(page, rule);
    if (*rule->explanation) {
        page_heading(page, "EXPLANATION");
        page_prose(page, rule->explanation);
    }
    if (*rule->advice) {
        page_heading(page, "ADVICE");
        page_prose(page, rule->advice);
    }
    show_params(page, rule);
    show_explains(page, rule);
    show_tests(page, rule);
    if (rule->link_count)
        page_heading(page, "LINKS");
    for (size_t i = 0; i < rule->link_count; i++)
        page_item(page, "", "%s", rule->links[i]);
}

int command_rules_show(struct options *options, struct err *err)
{
    CLEANUP(parts_release) struct parts parts = {0};
    CLEANUP(page_release) struct page page;
    page_begin(&page);
    int r = rules_load(options, &parts, err);
    for (size_t i = 0; r == 0 && i < options->operands.count; i++) {
        const struct rule *rule = rule_set_find(parts.rules, options->operands.items[i]);
        if (rule)
            show_rule(&page, rule);
        else
            r = rule_set_no_such_rule(parts.rules, options->operands.items[i], err);
    }
    return r < 0 ? r : page_print(&page, err);
}
