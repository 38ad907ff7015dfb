/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * Parameters of rules and the site's file that changes them.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "analyzer/rules/site.h"

static const char groups[] = "groups: {kernel: [var/log/kern.log]}\n";
static const struct embedded_file logs = {"logs.yaml", groups, groups + sizeof groups - 1};

static const char disk[] =
    "id: disk-full\n"
    "title: Disk is {used}% full, more than {percent}%\n"
    "component: storage\n"
    "severity: error\n"
    "params: {percent: {default: 90, min: 50, max: 99.5}, low: -5}\n"
    "query: SELECT used FROM df WHERE used -{low} > {percent} AND name <> '{other}'\n"
    "explanation: Over {percent}% writes fail.\n";

static const char link_rule[] = "id: link-flaps\n"
                                "title: Link fails\n"
                                "component: network\n"
                                "severity: warning\n"
                                "params: {times: 5, window: {default: 10m, max: 1d}}\n"
                                "log:\n"
                                "  files: [var/log/kern.log]\n"
                                "  match: 'a{2} link'\n"
                                "  at_least: '{times}'\n"
                                "  within: '{window}'\n";

static struct rule_set *load(const char *first, const char *second, struct err *err)
{
    const struct embedded_file rules[] = {
        {"a.yaml", first, first + strlen(first)},
        {"b.yaml", second, second + strlen(second)},
        {0},
    };
    struct rule_set *set = NULL;
    rule_set_load(&logs, rules, NULL, false, &set, err);
    return set;
}

static void parameters_are_filled_in_wherever_they_are_named(void **state)
{
    (void)state;
    struct rule_set *set = load(disk, link_rule, NULL);
    const struct rule *rule = rule_set_find(set, "disk-full");
    assert_string_equal(rule->title, "Disk is {used}% full, more than 90%");
    assert_string_equal(rule->explanation, "Over 90% writes fail.");
    assert_string_equal(rule->query,
                        "SELECT used FROM df WHERE used -(-5) > 90 AND name <> '{other}'");
    rule = rule_set_find(set, "link-flaps");
    assert_int_equal(rule->logs[0].at_least, 5);
    assert_int_equal(rule->logs[0].within_s, 600);
    rule_set_free(set);
}

static void a_site_changes_thresholds_and_severities(void **state)
{
    (void)state;
    static const char site[] = "thresholds:\n"
                               "  disk-full: {percent: 75.5}\n"
                               "  link-flaps: {times: 2, window: 1h}\n"
                               "severity: {disk-full: info}\n";
    struct rule_set *set = load(disk, link_rule, NULL);
    assert_int_equal(site_apply_text(set, "site.yaml", site, sizeof site - 1, NULL), 0);
    const struct rule *rule = rule_set_find(set, "disk-full");
    assert_string_equal(rule->title, "Disk is {used}% full, more than 75.5%");
    assert_int_equal(rule->severity, SEVERITY_INFO);
    assert_string_equal(rule->severity_set_at, "site.yaml:4:23");
    assert_string_equal(rule->params[0].text, "75.5");
    assert_string_equal(rule->params[0].standard, "90");
    assert_string_equal(rule->params[0].set_at, "site.yaml:2:24");
    assert_null(rule->params[1].set_at);
    rule = rule_set_find(set, "link-flaps");
    assert_int_equal(rule->logs[0].at_least, 2);
    assert_int_equal(rule->logs[0].within_s, 3600);
    rule_set_free(set);
}

static void errors_in_a_site_file_name_the_place_the_cause_and_the_remedy(void **state)
{
    static const struct {
        const char *yaml;
        int line, column;
        const char *text;
    } cases[] = {
        {"treshold: {}\n", 1, 1, "unknown key 'treshold'; did you mean 'thresholds'?"},
        {"thresholds: [a]\n", 1, 13,
         "expected 'rule: ...' lines, for example 'root-fs-full: {percent: 85}'"},
        {"thresholds: {disk-ful: {percent: 80}}\n", 1, 14,
         "there is no rule 'disk-ful'; did you mean 'disk-full'?"},
        {"thresholds: {disk-full: {percnt: 80}}\n", 1, 26,
         "unknown key 'percnt'; did you mean 'percent'?"},
        {"thresholds: {disk-full: {percent: 20}}\n", 1, 35,
         "'percent' must be between 50 and 99.5"},
        {"thresholds: {disk-full: {percent: 90; DROP TABLE df}}\n", 1, 35,
         "expected a number, or a time such as 10m"},
        {"thresholds: {disk-full: {percent: 10m}}\n", 1, 35,
         "'percent' is a plain number (its default is 90)"},
        {"thresholds: {disk-full: {percent: 1e3}}\n", 1, 35,
         "expected a number, or a time such as 10m"},
        {"thresholds: {link-flaps: {window: 2d}}\n", 1, 35,
         "'window' must be 1d at the most"},
        {"thresholds: {link-flaps: {times: 2.5}}\n", 9, 13, "expected a whole number"},
        {"severity: {disk-full: fatal}\n", 1, 23,
         "expected one of: info, warning, error, critical"},
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct rule_set *set = load(disk, link_rule, NULL);
        struct err err = ERR_INIT;
        assert_int_equal(
            site_apply_text(set, "site.yaml", cases[i].yaml, strlen(cases[i].yaml), &err),
            ERR_PARSE);
        assert_string_equal(err.text, cases[i].text);
        assert_int_equal(err.line, cases[i].line);
        assert_int_equal(err.column, cases[i].column);
        rule_set_free(set);
    }
}

static void a_wrong_declaration_is_refused_with_its_place(void **state)
{
    static const struct {
        const char *params, *text;
    } cases[] = {
        {"{percent: {min: 3}}", "the parameter needs a 'default'"},
        {"{percent: {default: 3, min: 5}}", "the default lies outside its own bounds"},
        {"{Percent: 3}", "a parameter's name has lower-case letters, digits and '_' only"},
        {"{percent: many}", "expected a number, or a time such as 10m"},
        {"[percent]", "expected 'name: value' lines"},
        {"{word: 3}", "'match' has a group 'word' too; give the parameter another name"},
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        char text[400];
        struct err err = ERR_INIT;
        snprintf(text, sizeof text,
                 "id: r\ntitle: t\ncomponent: xapi\nseverity: info\nparams: %s\n"
                 "log: {files: [a], match: '(?<word>x)'}\n",
                 cases[i].params);
        assert_null(load(text, link_rule, &err));
        assert_string_equal(err.text, cases[i].text);
        assert_int_equal(err.line, 5);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(parameters_are_filled_in_wherever_they_are_named),
        cmocka_unit_test(a_site_changes_thresholds_and_severities),
        cmocka_unit_test(errors_in_a_site_file_name_the_place_the_cause_and_the_remedy),
        cmocka_unit_test(a_wrong_declaration_is_refused_with_its_place),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
