/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * `xen-analyze rules`: for people who read, write and check rules.
 */
#include "analyzer/cli/commands.h"
#include "analyzer/cli/parts.h"
#include "analyzer/rules/site.h"
#include "analyzer/verify/verify.h"
#include "common/io.h"

/* Rules named on the command line are looked at alone; without any, the built-in ones. */
static int load(struct options *options, struct parts *parts, struct err *err)
{
    bool named = options->operands.count > 0 && options->command != COMMAND_SHOW;
    for (size_t i = 0; named && i < options->operands.count; i++) {
        const char **slot = vec_push(&options->rules);
        if (!slot)
            return err_nomem(err);
        *slot = NULL;
        options->rules.items[options->rules.count - 1] = options->operands.items[i];
    }
    const char **end = vec_push(&options->rules);
    if (!end)
        return err_nomem(err);
    *end = NULL;
    options->rules.count--;
    int r = parts_load(parts, options->rules.items, options->default_rules && !named, err);
    return r == 0 && options->site ? site_apply(parts->rules, options->site, err) : r;
}

int command_rules_list(struct options *options, struct err *err)
{
    CLEANUP(parts_release) struct parts parts = {0};
    struct rule_filter filter = {.component = options->component};
    int r = load(options, &parts, err);
    if (r == 0)
        r = rule_set_select(parts.rules, &filter, err);
    for (size_t i = 0; r == 0 && i < rule_set_count(parts.rules); i++) {
        const struct rule *rule = rule_set_at(parts.rules, i);
        printf("%-32s %-9s %-11s %s\n", rule->id, severity_name(rule->severity), rule->component,
               rule->title);
    }
    return r;
}

static void show_text(const char *heading, const char *text)
{
    if (!*text)
        return;
    printf("\n%s\n", heading);
    for (const char *p = text; *p;) {
        size_t length = strcspn(p, "\n");
        printf("    %.*s\n", (int)length, p);
        p += length + (p[length] == '\n');
    }
}

static void show_log(const struct rule_log *log)
{
    printf("    in");
    for (size_t i = 0; i < log->file_count; i++)
        printf("%s %s", i ? "," : "", log->files[i].text);
    printf("\n    a line that matches  %s\n", regex_pattern(log->match));
    if (log->unless)
        printf("    but not              %s\n", regex_pattern(log->unless));
}

int command_rules_show(struct options *options, struct err *err)
{
    CLEANUP(parts_release) struct parts parts = {0};
    int r = load(options, &parts, err);
    if (r < 0)
        return r;
    const char *id = options->operands.items[0];
    const struct rule *rule = rule_set_find(parts.rules, id);
    if (!rule)
        return err_set(err, ERR_USAGE,
                       "there is no rule '%s' (`xen-analyze rules list` shows them)", id);
    printf("%s - %s\n\nSeverity %s, confidence %s, component %s\nFrom %s\n", rule->id, rule->title,
           severity_name(rule->severity), confidence_name(rule->confidence), rule->component,
           rule->file);
    show_text("WHY IT MATTERS", rule->explanation);
    show_text("WHAT TO DO", rule->advice);
    if (rule->applies)
        show_text("APPLIES WHEN", rule->applies);
    printf("\nLOOKS FOR\n");
    for (size_t i = 0; i < rule->log_count; i++)
        show_log(&rule->logs[i]);
    if (rule->at_least > 1)
        printf("    at least %lld times%s%lld%s\n", (long long)rule->at_least,
               rule->within_s ? " within " : "", (long long)rule->within_s,
               rule->within_s ? " seconds" : "");
    if (rule->query)
        show_text("QUERY", rule->query);
    for (size_t i = 0; i < rule->link_count; i++)
        printf("%s%s\n", i ? "    " : "\nSEE ALSO\n    ", rule->links[i]);
    return 0;
}

struct tally {
    size_t remarks, passed, failed;
};

static void print_remark(void *context, const struct doc_node *place, const char *text)
{
    struct tally *tally = context;
    tally->remarks++;
    printf("%s:%d:%d: %s\n", place->file, place->line, place->column, text);
}

int command_rules_lint(struct options *options, struct err *err)
{
    CLEANUP(parts_release) struct parts parts = {0};
    struct tally tally = {0};
    int r = load(options, &parts, err);
    struct verify_parts verify = {parts.rules, parts.tables, parts.facts, parts.lists,
                                  parts.formats};
    if (r == 0)
        r = verify_lint(&verify, print_remark, &tally, err);
    if (r < 0)
        return r;
    printf("%zu rules, %zu remarks\n", rule_set_count(parts.rules), tally.remarks);
    return tally.remarks ? EXIT_USAGE : 0;
}

static void count_test(struct tally *tally, const char *what, const char *which,
                       const char *failure)
{
    if (failure) {
        tally->failed++;
        printf("FAILED %s %s: %s\n", what, which, failure);
    } else {
        tally->passed++;
    }
}

static void rule_outcome(void *context, const struct rule *rule, size_t number, const char *name,
                         const struct doc_node *place, const char *failure)
{
    char which[300];
    snprintf(which, sizeof which, "%s test %zu%s%s (%s:%d)", rule->id, number, *name ? ", " : "",
             name, place->file, place->line);
    count_test(context, "rule", which, failure);
}

static void table_outcome(void *context, const struct table *table, const char *test,
                          const char *failure)
{
    char which[300];
    snprintf(which, sizeof which, "%s, %s", table->name, test ? test : "");
    count_test(context, "table", which, failure);
}

static void format_outcome(void *context, const char *format, const char *line, const char *failure)
{
    char which[300];
    snprintf(which, sizeof which, "%s, '%.100s'", format, line);
    count_test(context, "log format", which, failure);
}

int command_rules_test(struct options *options, struct err *err)
{
    CLEANUP(parts_release) struct parts parts = {0};
    struct tally tally = {0};
    bool all = options->operands.count == 0;
    int r = load(options, &parts, err);
    if (r < 0)
        return r;
    struct verify_parts verify = {parts.rules, parts.tables, parts.facts, parts.lists,
                                  parts.formats};
    r = verify_tests(&verify, rule_outcome, &tally, err);
    if (r < 0)
        return r;
    if (all) {
        log_formats_test(parts.formats, format_outcome, &tally);
        table_set_test(parts.tables, table_outcome, &tally);
    }
    printf("%zu rules: %zu tests passed, %zu failed\n", rule_set_count(parts.rules), tally.passed,
           tally.failed);
    return tally.failed ? EXIT_FINDINGS : 0;
}
