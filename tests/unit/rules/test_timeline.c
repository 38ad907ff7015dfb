/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * rules/timeline.yaml: what its patterns match, and what is refused in such a file.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "analyzer/rules/timeline.h"

extern const struct embedded_file timeline_files[]; /* timeline.yaml, logs.yaml */

static struct rule_set *new_set(void)
{
    struct rule_set *set = NULL;
    struct err err = ERR_INIT;
    if (rule_set_load(&timeline_files[1], NULL, NULL, false, &set, &err) < 0)
        fail_msg("%s", err.text);
    return set;
}

static bool matches(const struct timeline_source *source, const char *line)
{
    struct regex_scratch *scratch = regex_scratch_new();
    size_t length = strlen(line);
    bool is_match = regex_match(source->log.match, scratch, line, length, 0) == REGEX_MATCH &&
                    (!source->log.unless ||
                     regex_match(source->log.unless, scratch, line, length, 0) != REGEX_MATCH);
    regex_scratch_free(scratch);
    return is_match;
}

static void examples_match_and_look_alikes_do_not(void **state)
{
    (void)state;
    struct rule_set *set = new_set();
    const struct timeline_plan *plan = NULL;
    struct err err = ERR_INIT;
    size_t lines = 0;
    if (timeline_plan_load(set, &timeline_files[0], &plan, &err) < 0)
        fail_msg("%d:%d %s", err.line, err.column, err.text);
    for (size_t k = 0; k < plan->kind_count; k++)
        for (size_t s = 0; s < plan->kinds[k].source_count; s++) {
            const struct timeline_source *source = &plan->kinds[k].sources[s];
            for (size_t i = 0; source->examples[i]; i++, lines++)
                if (!matches(source, source->examples[i]))
                    fail_msg("%s: no match: %s", plan->kinds[k].shown.name, source->examples[i]);
            for (size_t i = 0; source->others[i]; i++, lines++)
                if (matches(source, source->others[i]))
                    fail_msg("%s: a match: %s", plan->kinds[k].shown.name, source->others[i]);
        }
    assert_true(lines >= 6);
    rule_set_free(set);
}

static void a_mistake_is_told_with_its_place(void **state)
{
    (void)state;
    static const struct {
        const char *yaml, *error;
    } cases[] = {
        {"kinds: {}\n", "'kinds' must be a map of 1 to"},
        {"kinds: {a: {title: A, shape: star, colour: red, sources: [{query: SELECT 1}]}}\n",
         "triangle"},
        {"kinds: {a: {title: A, shape: bar, colour: pink, sources: [{query: SELECT 1}]}}\n",
         "purple"},
        {"kinds: {a: {title: A, shape: bar, colour: red, sources: []}}\n", "list 'sources'"},
        {"kinds: {a: {title: A, shape: bar, colour: red, sources: [{query: x, log: {}}]}}\n",
         "one of"},
        {"kinds: {a: {title: A, shape: bar, colour: red, sources: [{log: {files: [a], match: "
         "b}}]}}\n",
         "'examples'"},
        {"kinds: {a: {title: A, shape: bar, colour: red, sources: [{findings: {components: "
         "[disk]}}]}}\n",
         "storage"},
        {"kinds: {a: {title: A, shape: bar, colour: red, sources: [{log: {files: [$no], match: b, "
         "examples: [b]}}]}}\n",
         "no group of logs"},
    };
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        const char *yaml = cases[i].yaml;
        const struct embedded_file file = {"timeline.yaml", yaml, yaml + strlen(yaml)};
        struct rule_set *set = new_set();
        const struct timeline_plan *plan = NULL;
        struct err err = ERR_INIT;
        assert_int_equal(timeline_plan_load(set, &file, &plan, &err), ERR_PARSE);
        if (!strstr(err.text, cases[i].error))
            fail_msg("'%s' does not say '%s'", err.text, cases[i].error);
        assert_null(plan);
        rule_set_free(set);
    }
}

static void findings_are_chosen_by_rule_component_and_severity(void **state)
{
    (void)state;
    static const char *const any[] = {NULL}, *const disks[] = {"disk-*", NULL},
                             *const storage[] = {"storage", NULL};
    const struct rule rule = {
        .id = "disk-io-error", .component = "storage", .severity = SEVERITY_ERROR};
    struct timeline_source source = {.rules = any, .components = any, .is_findings = true};
    assert_true(timeline_source_takes(&source, &rule));
    source.rules = disks;
    source.components = storage;
    source.severity = SEVERITY_ERROR;
    assert_true(timeline_source_takes(&source, &rule));
    source.severity = SEVERITY_CRITICAL;
    assert_false(timeline_source_takes(&source, &rule));
    source.severity = SEVERITY_INFO;
    const struct rule other = {
        .id = "nfs-slow", .component = "storage", .severity = SEVERITY_ERROR};
    assert_false(timeline_source_takes(&source, &other));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(examples_match_and_look_alikes_do_not),
        cmocka_unit_test(a_mistake_is_told_with_its_place),
        cmocka_unit_test(findings_are_chosen_by_rule_component_and_severity),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
