/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * Suppressions: which findings they excuse, until when, and what is said about those that excuse
 * nothing.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "analyzer/rules/suppress.h"

#define JUNE_2026 1780272000 /* 2026-06-01T00:00:00 */
#define A_DAY     86400

static const char rule_text[] = "id: disk-bad\n"
                                "title: Disk {device} is bad\n"
                                "component: storage\n"
                                "severity: error\n"
                                "log: {files: [var/log/kern.log], match: 'dev (?<device>sd.)'}\n";

struct fixture {
    struct rule_set *rules;
    struct suppressions *set;
    struct verdict verdict;
    struct finding findings[2];
};

static const char *const one_host[] = {"host1", NULL};
static const char *const two_hosts[] = {"host1", "host2", NULL};
static const struct finding_value sda[] = {{"device", "sda"}};
static const struct finding_value sdb[] = {{"device", "sdb"}};

static int setup(void **state)
{
    static const char groups[] = "groups: {kernel: [var/log/kern.log]}\n";
    static const struct embedded_file logs = {"logs.yaml", groups, groups + sizeof groups - 1};
    static const struct embedded_file rules[] = {
        {"disk-bad.yaml", rule_text, rule_text + sizeof rule_text - 1}, {0}};
    static struct fixture f;
    f = (struct fixture){
        .verdict = {.arena = arena_new(1024 * 1024), .finding_count = 2},
        .findings = {{.rule = "disk-bad",
                      .hosts = one_host,
                      .host_count = 1,
                      .values = sda,
                      .value_count = 1},
                     {.rule = "disk-bad",
                      .hosts = two_hosts,
                      .host_count = 2,
                      .values = sdb,
                      .value_count = 1}},
    };
    f.verdict.findings = f.findings;
    *state = &f;
    return rule_set_load(&logs, rules, NULL, false, &f.rules, NULL);
}

static int teardown(void **state)
{
    struct fixture *f = *state;
    rule_set_free(f->rules);
    suppressions_free(f->set);
    arena_free(f->verdict.arena);
    return 0;
}

static void apply(struct fixture *f, const char *yaml, int64_t now)
{
    struct err err = ERR_INIT;
    int r = suppressions_parse("s.yaml", yaml, strlen(yaml), &f->set, &err);
    if (r < 0)
        fail_msg("%d:%d: %s", err.line, err.column, err.text);
    assert_int_equal(suppressions_apply(f->set, f->rules, now, &f->verdict, NULL), 0);
}

static void a_suppression_of_a_rule_excuses_all_its_findings(void **state)
{
    struct fixture *f = *state;
    apply(f, "- {rule: disk-bad, reason: test lab, owner: me, expires: 2026-06-30}\n", JUNE_2026);
    assert_string_equal(f->findings[0].suppressed, "test lab");
    assert_string_equal(f->findings[0].suppressed_owner, "me");
    assert_string_equal(f->findings[0].suppressed_until, "2026-06-30");
    assert_string_equal(f->findings[1].suppressed, "test lab");
    assert_int_equal(f->verdict.note_count, 0);
}

static void an_object_is_a_value_of_the_finding(void **state)
{
    struct fixture *f = *state;
    apply(f, "- {rule: disk-bad, object: [sdb, sdc], reason: spare}\n", JUNE_2026);
    assert_null(f->findings[0].suppressed);
    assert_string_equal(f->findings[1].suppressed, "spare");
    assert_null(f->findings[1].suppressed_until);
}

static void a_finding_of_two_hosts_is_excused_when_both_are(void **state)
{
    struct fixture *f = *state;
    apply(f,
          "- {rule: disk-bad, host: host1, reason: a}\n"
          "- {rule: disk-bad, host: host2, reason: b}\n",
          JUNE_2026);
    assert_string_equal(f->findings[0].suppressed, "a");
    assert_string_equal(f->findings[1].suppressed, "a");
    assert_int_equal(f->verdict.note_count, 0);
}

static void a_finding_that_another_host_has_too_is_shown_and_noted(void **state)
{
    struct fixture *f = *state;
    apply(f, "- {rule: disk-bad, host: host2, reason: b}\n", JUNE_2026);
    assert_null(f->findings[1].suppressed);
    assert_int_equal(f->verdict.note_count, 1);
    assert_string_equal(f->verdict.notes[0].place, "s.yaml:1:3");
    assert_non_null(strstr(f->verdict.notes[0].text, "other hosts"));
}

static void the_last_day_counts_and_the_next_does_not(void **state)
{
    struct fixture *f = *state;
    apply(f, "- {rule: disk-bad, reason: a, expires: 2026-06-01}\n", JUNE_2026 + A_DAY - 1);
    assert_non_null(f->findings[0].suppressed);
    f->set = suppressions_free(f->set);
    f->findings[0].suppressed = f->findings[1].suppressed = NULL;
    apply(f, "- {rule: disk-bad, reason: a, expires: 2026-06-01}\n", JUNE_2026 + A_DAY);
    assert_null(f->findings[0].suppressed);
    assert_int_equal(f->verdict.note_count, 1);
    assert_non_null(strstr(f->verdict.notes[0].text, "expired on 2026-06-01"));
}

static void what_fits_nothing_is_noted_and_a_mistyped_rule_gets_a_hint(void **state)
{
    struct fixture *f = *state;
    apply(f,
          "- {rule: disk-bad, object: sdz, reason: a}\n"
          "- {rule: disk-bat, reason: b}\n",
          JUNE_2026);
    assert_int_equal(f->verdict.note_count, 2);
    assert_non_null(strstr(f->verdict.notes[0].text, "fits no finding"));
    assert_string_equal(f->verdict.notes[1].text, "the suppression does nothing: there is no rule "
                                                  "'disk-bat'; did you mean 'disk-bad'?");
}

static void errors_name_the_place_the_cause_and_the_remedy(void **state)
{
    static const struct {
        const char *yaml;
        int line, column;
        const char *text;
    } cases[] = {
        {"rule: a\n", 1, 1, "expected a list of suppressions: '- rule: ...' with a 'reason'"},
        {"- {rule: a}\n", 1, 3, "a suppression needs a 'reason': it is shown with the finding"},
        {"- {reason: a}\n", 1, 3,
         "a suppression needs a 'rule': the id of the rule whose findings it is about"},
        {"- {rule: a, reason: b, expire: 2026-01-01}\n", 1, 24,
         "unknown key 'expire'; did you mean 'expires'?"},
        {"- rule: a\n  reason: b\n  expires: 2026-02-30\n", 3, 12,
         "expected a day of the calendar such as 2027-03-31"},
        {"- {rule: a, reason: b, expires: soon}\n", 1, 33,
         "expected a day of the calendar such as 2027-03-31"},
        {"- {rule: a, reason: b, host: []}\n", 1, 30,
         "the list is empty; leave 'host' out if any will do"},
        {"- {rule: [a], reason: b}\n", 1, 10, "expected a text"},
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct suppressions *set = NULL;
        struct err err = ERR_INIT;
        assert_int_equal(
            suppressions_parse("s.yaml", cases[i].yaml, strlen(cases[i].yaml), &set, &err),
            ERR_PARSE);
        assert_string_equal(err.text, cases[i].text);
        assert_int_equal(err.line, cases[i].line);
        assert_int_equal(err.column, cases[i].column);
        assert_null(set);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_suppression_of_a_rule_excuses_all_its_findings, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(an_object_is_a_value_of_the_finding, setup, teardown),
        cmocka_unit_test_setup_teardown(a_finding_of_two_hosts_is_excused_when_both_are, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(a_finding_that_another_host_has_too_is_shown_and_noted,
                                        setup, teardown),
        cmocka_unit_test_setup_teardown(the_last_day_counts_and_the_next_does_not, setup, teardown),
        cmocka_unit_test_setup_teardown(what_fits_nothing_is_noted_and_a_mistyped_rule_gets_a_hint,
                                        setup, teardown),
        cmocka_unit_test(errors_name_the_place_the_cause_and_the_remedy),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
