/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * `rules lint` and `rules test`: for people who write rules.
 */
#include "analyzer/cli/commands.h"
#include "analyzer/cli/outputs.h"
#include "analyzer/cli/rules_load.h"
#include "analyzer/cli/test_report.h"
#include "analyzer/rules/site.h"
#include "analyzer/verify/verify.h"
#include "common/escape.h"
#include "common/io.h"

static int add_path(struct options *options, const char *path, struct err *err)
{
    const char **slot = vec_push(&options->rules);
    if (!slot)
        return err_nomem(err);
    *slot = path;
    return 0;
}

/* Rules named on the command line are looked at alone. */
int rules_load_named(struct options *options, struct parts *ret, struct err *err)
{
    int r = 0;
    if (options->operands.count == 0)
        return rules_load(options, ret, err);
    options->default_rules = false;
    for (size_t i = 0; r == 0 && i < options->operands.count; i++)
        r = add_path(options, options->operands.items[i], err);
    if (r == 0 && (r = add_path(options, NULL, err)) == 0)
        options->rules.count--;
    return r < 0 ? r : rules_load(options, ret, err);
}

int rules_load(struct options *options, struct parts *ret, struct err *err)
{
    int r = parts_load(ret, options->rules.items, options->default_rules, options->jobs, err);
    return r == 0 && options->site ? site_apply(ret->rules, options->site, err) : r;
}

/* Ids of the built-in rules, which a pack that is looked at alone may name. */
static int load_known(const struct options *options, struct parts *ret, struct err *err)
{
    return options->default_rules ? 0 : parts_load(ret, NULL, true, options->jobs, err);
}

static void print_remark(void *context, const struct doc_node *place, const char *text)
{
    size_t *remarks = context;
    CLEANUP(strbuf_release) struct strbuf line = STRBUF_INIT, safe = STRBUF_INIT;
    (*remarks)++;
    strbuf_addf(&line, "%s:%d:%d: %s", place->file, place->line, place->column, text);
    escape_terminal(&safe, line.data, line.length, false);
    puts(safe.data);
}

int command_rules_lint(struct options *options, struct err *err)
{
    CLEANUP(parts_release) struct parts parts = {0}, known = {0};
    size_t remarks = 0;
    int r = rules_load_named(options, &parts, err);
    if (r == 0)
        r = load_known(options, &known, err);
    struct verify_parts verify = {.rules = parts.rules,
                                  .known = known.rules,
                                  .tables = parts.tables,
                                  .facts = parts.facts,
                                  .lists = parts.lists,
                                  .formats = parts.formats,
                                  .all = options->operands.count == 0};
    if (r == 0)
        r = verify_lint(&verify, print_remark, &remarks, err);
    if (r < 0)
        return r;
    size_t rules = rule_set_count(parts.rules);
    printf("%zu rule%s, %zu remark%s\n", rules, rules == 1 ? "" : "s", remarks,
           remarks == 1 ? "" : "s");
    return remarks ? EXIT_USAGE : 0;
}

static void rule_outcome(void *context, const struct rule *rule, size_t number, const char *name,
                         const struct doc_node *place, const char *failure)
{
    char group[200], which[300], where[400];
    snprintf(group, sizeof group, "rule %s", rule->id);
    snprintf(which, sizeof which, "test %zu%s%s", number, *name ? ", " : "", name);
    snprintf(where, sizeof where, "%s:%d", place->file, place->line);
    test_report_add(context, group, which, where, failure);
}

static void table_outcome(void *context, const struct table *table, const char *test,
                          const struct doc_node *place, const char *failure)
{
    char group[200], where[400];
    snprintf(group, sizeof group, "table %s", table->name);
    snprintf(where, sizeof where, "%s:%d", place->file, place->line);
    test_report_add(context, group, test, where, failure);
}

static void format_outcome(void *context, const char *format, const char *line, const char *failure)
{
    char group[200];
    snprintf(group, sizeof group, "log format %s", format);
    test_report_add(context, group, line, "", failure);
}

static int write_report(const struct options *options, const struct strbuf *out, struct err *err)
{
    CLEANUP(outputs_release) struct outputs outputs = {0};
    int r = outputs_open(&outputs, options, err);
    if (r == 0)
        r = output_write(&outputs.files[0], out, err);
    return r < 0 ? r : outputs_publish(&outputs, err);
}

int command_rules_test(struct options *options, struct err *err)
{
    CLEANUP(parts_release) struct parts parts = {0};
    CLEANUP(test_report_release) struct test_report report = {0};
    CLEANUP(strbuf_release) struct strbuf out = STRBUF_INIT;
    bool all = options->operands.count == 0;
    int r = rules_load_named(options, &parts, err);
    if (r < 0)
        return r;
    struct verify_parts verify = {.rules = parts.rules,
                                  .tables = parts.tables,
                                  .facts = parts.facts,
                                  .lists = parts.lists,
                                  .formats = parts.formats};
    r = verify_tests(&verify, rule_outcome, &report, err);
    if (r < 0)
        return r;
    if (all)
        log_formats_test(parts.formats, format_outcome, &report);
    table_set_test(parts.tables, all, table_outcome, &report);
    const char *format = options->outputs.items[0].format;
    size_t count = rule_set_count(parts.rules);
    if (strcmp(format, "text") == 0)
        strbuf_addf(&out, "%zu rule%s\n", count, count == 1 ? "" : "s");
    r = test_report_format(&report, format, &out, err);
    if (r == 0)
        r = write_report(options, &out, err);
    return r < 0 ? r : report.failed ? EXIT_FINDINGS : 0;
}
