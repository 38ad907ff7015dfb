/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * Reading order: causes before symptoms, suppressed apart, unknown rules by reason.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <cmocka.h>

#include "analyzer/render/view.h"
#include "common/strbuf.h"

/* Findings named by one letter each: severity, index of the cause. */
struct plain {
    const char *rule;
    enum severity severity;
    int cause;
    const char *suppressed;
};

/* "a(bc)d": a explains b and c; behind "/" what is suppressed. */
static void check(const struct plain *plain, size_t count, enum severity minimum,
                  const char *expected, size_t hidden)
{
    struct finding findings[8] = {{0}};
    for (size_t i = 0; i < count; i++)
        findings[i] = (struct finding){.rule = plain[i].rule,
                                       .severity = plain[i].severity,
                                       .explained_by = plain[i].cause,
                                       .suppressed = plain[i].suppressed};
    struct verdict verdict = {.findings = findings, .finding_count = count};
    struct view *view;
    CLEANUP(strbuf_release) struct strbuf order = STRBUF_INIT;
    assert_int_equal(view_new(&verdict, &view, NULL), 0);
    view->min_severity = minimum;
    assert_int_equal(view_arrange(view, NULL), 0);
    bool is_open = false;
    for (size_t i = 0; i < view->finding_count; i++) {
        bool is_symptom = view->findings[i].is_symptom;
        if (is_symptom != is_open)
            strbuf_addc(&order, is_symptom ? '(' : ')');
        is_open = is_symptom;
        strbuf_adds(&order, view->findings[i].finding->rule);
    }
    strbuf_adds(&order, is_open ? ")" : "");
    for (size_t i = 0; i < view->suppressed_count; i++)
        strbuf_addf(&order, "/%s", view->suppressed[i]->rule);
    assert_string_equal(order.data, expected);
    assert_int_equal(view->hidden, hidden);
    view_free(view);
}

static void symptoms_follow_their_cause(void **state)
{
    (void)state;
    static const struct plain findings[] = {{"a", SEVERITY_CRITICAL, 2, NULL},
                                            {"b", SEVERITY_ERROR, -1, NULL},
                                            {"c", SEVERITY_ERROR, -1, NULL},
                                            {"d", SEVERITY_INFO, 2, NULL},
                                            {"e", SEVERITY_INFO, 1, NULL}};
    check(findings, 5, SEVERITY_INFO, "c(ad)b(e)", 0); /* the critical one moves its cause up */
}

static void a_chain_of_causes_is_shown_under_the_first(void **state)
{
    (void)state;
    static const struct plain findings[] = {{"a", SEVERITY_ERROR, -1, NULL},
                                            {"b", SEVERITY_ERROR, 0, NULL},
                                            {"c", SEVERITY_ERROR, 1, NULL}};
    check(findings, 3, SEVERITY_INFO, "a(bc)", 0);
}

static void a_symptom_without_a_visible_cause_stands_for_itself(void **state)
{
    (void)state;
    static const struct plain suppressed[] = {{"a", SEVERITY_ERROR, -1, "known"},
                                              {"b", SEVERITY_ERROR, 0, NULL}};
    static const struct plain low[] = {{"a", SEVERITY_INFO, -1, NULL},
                                       {"b", SEVERITY_ERROR, 0, NULL},
                                       {"c", SEVERITY_WARNING, -1, NULL}};
    check(suppressed, 2, SEVERITY_INFO, "b/a", 0);
    check(low, 3, SEVERITY_ERROR, "b", 2);
}

static void causes_in_a_circle_or_out_of_range_lose_no_finding(void **state)
{
    (void)state;
    static const struct plain findings[] = {{"a", SEVERITY_ERROR, 1, NULL},
                                            {"b", SEVERITY_ERROR, 0, NULL},
                                            {"c", SEVERITY_ERROR, 0, NULL},
                                            {"d", SEVERITY_ERROR, 3, NULL},
                                            {"e", SEVERITY_ERROR, 99, NULL}};
    check(findings, 5, SEVERITY_INFO, "abcde", 0);
    check(NULL, 0, SEVERITY_INFO, "", 0);
}

static void unknown_rules_are_grouped_by_reason_most_frequent_first(void **state)
{
    (void)state;
    struct unknown_rule unknown[] = {{.rule = "r1", .reason = "no b"},
                                     {.rule = "r2", .reason = "no a"},
                                     {.rule = "r3", .reason = "no b"},
                                     {.rule = "r0", .reason = "no c"}};
    struct verdict verdict = {.unknown = unknown, .unknown_count = 4};
    struct view *view;
    assert_int_equal(view_new(&verdict, &view, NULL), 0);
    assert_int_equal(view_arrange(view, NULL), 0);
    assert_int_equal(view->unknown_count, 3);
    assert_string_equal(view->unknown[0].reason, "no b");
    assert_int_equal(view->unknown[0].count, 2);
    assert_string_equal(view->unknown[0].rules[0], "r1");
    assert_string_equal(view->unknown[0].rules[1], "r3");
    assert_string_equal(view->unknown[1].reason, "no a");
    assert_string_equal(view->unknown[2].reason, "no c");
    view_free(view);
}

static void a_period_says_no_more_than_it_must(void **state)
{
    (void)state;
    static const int64_t noon = 1762084800; /* 2025-11-02 12:00:00 */
    static const struct {
        int64_t first, last;
        const char *text;
    } cases[] = {
        {TIME_UNKNOWN, TIME_UNKNOWN, ""},
        {noon, noon, "2025-11-02 12:00:00"},
        {TIME_UNKNOWN, noon, "2025-11-02 12:00:00"},
        {noon, TIME_UNKNOWN, "2025-11-02 12:00:00"},
        {noon, noon + 60, "2025-11-02 12:00:00 - 12:01:00"},
        {noon, noon + 86400, "2025-11-02 12:00:00 - 2025-11-03 12:00:00"},
        {-1, noon, "1969-12-31 23:59:59 - 2025-11-02 12:00:00"},
    };
    char buffer[80];
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
        assert_string_equal(view_period(cases[i].first, cases[i].last, buffer), cases[i].text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(symptoms_follow_their_cause),
        cmocka_unit_test(a_chain_of_causes_is_shown_under_the_first),
        cmocka_unit_test(a_symptom_without_a_visible_cause_stands_for_itself),
        cmocka_unit_test(causes_in_a_circle_or_out_of_range_lose_no_finding),
        cmocka_unit_test(unknown_rules_are_grouped_by_reason_most_frequent_first),
        cmocka_unit_test(a_period_says_no_more_than_it_must),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
