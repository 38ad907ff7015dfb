/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * What is taken from xen-analyze's JSON.
 */
#include "healthcheck/run/step.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#define HEAD                                                                                       \
    "{\"schema\":\"xenhealth-findings/"                                                            \
    "1\",\"score\":42,\"coverage\":{\"rules\":300,\"unknown\":7},"                                 \
    "\"reports\":[{},{}],\"unknown\":[{\"rule\":\"u\",\"reason\":\"r\"}],\"findings\":["
#define FINDING(rule, severity, more)                                                              \
    "{\"rule\":\"" rule "\",\"title\":\"T\",\"severity\":\"" severity "\"," more                   \
    "\"hosts\":[\"h1\",\"h2\"]}"

static int read_result(const char *text, struct check *check)
{
    struct err err = ERR_INIT;
    assert_true(check_init(check));
    return analysis_read(text, strlen(text), check, &err);
}

static void findings_are_counted_and_rules_told_apart(void **state)
{
    struct check check;
    (void)state;
    assert_int_equal(
        read_result(HEAD FINDING("a", "critical", "") "," FINDING("b", "warning", "") "," FINDING(
                        "b", "warning", "\"suppressed\":null,") "]}",
                    &check),
        0);
    assert_true(check.analysed);
    assert_int_equal(check.score, 42);
    assert_int_equal(check.counts[CHECK_CRITICAL], 1);
    assert_int_equal(check.counts[CHECK_WARNING], 2);
    assert_int_equal(check.issues, 2);
    assert_int_equal(check.hosts, 2);
    assert_int_equal(check.unknown, 7);
    assert_string_equal(check.findings[0].hosts, "h1, h2");
    assert_true(check_is_unknown(&check, "u"));
    check_release(&check);
}

static void suppressed_findings_do_not_count(void **state)
{
    struct check check;
    (void)state;
    assert_int_equal(
        read_result(HEAD FINDING("a", "error", "\"suppressed\":{\"reason\":\"known\"},") "]}",
                    &check),
        0);
    assert_int_equal(check.counts[CHECK_ERROR], 0);
    assert_int_equal(check.issues, 0);
    assert_int_equal(check.finding_count, 0);
    check_release(&check);
}

static void titles_are_cut_and_made_harmless(void **state)
{
    struct check check;
    char text[4096], title[1001];
    (void)state;
    memset(title, 'x', 1000);
    title[1000] = '\0';
    snprintf(text, sizeof text,
             HEAD "{\"rule\":\"a\",\"severity\":\"info\",\"title\":\"\\u001b[31m%s\"}]}", title);
    assert_int_equal(read_result(text, &check), 0);
    assert_null(strchr(check.findings[0].title, '\033'));
    assert_true(strlen(check.findings[0].title) < 210);
    check_release(&check);
}

static void anything_else_is_no_result(void **state)
{
    static const char *const texts[] = {
        "",
        "{}",
        "[]",
        "{\"schema\":\"xenhealth-findings/2\",\"findings\":[]}",
        "{\"schema\":\"xenhealth-findings/1\"}",
        HEAD "1]}",
        HEAD "{}]}",
        HEAD FINDING("a", "fatal", "") "]}",
        HEAD "{\"rule\":1,\"title\":2,\"severity\":3}]}",
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
        struct check check;
        assert_int_equal(read_result(texts[i], &check), ERR_PARSE);
        assert_false(check.analysed);
        check_release(&check);
    }
}

static void a_report_that_nobody_could_judge_has_no_score(void **state)
{
    struct check check;
    (void)state;
    assert_int_equal(
        read_result("{\"schema\":\"xenhealth-findings/1\",\"score\":null,\"findings\":[]}", &check),
        0);
    assert_int_equal(check.score, -1);
    check_release(&check);
    assert_int_equal(
        read_result("{\"schema\":\"xenhealth-findings/1\",\"score\":100,\"findings\":[],"
                    "\"coverage\":{\"rules\":2,\"unknown\":2}}",
                    &check),
        0);
    assert_int_equal(check.score, -1);
    check_release(&check);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(findings_are_counted_and_rules_told_apart),
        cmocka_unit_test(suppressed_findings_do_not_count),
        cmocka_unit_test(titles_are_cut_and_made_harmless),
        cmocka_unit_test(anything_else_is_no_result),
        cmocka_unit_test(a_report_that_nobody_could_judge_has_no_score),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
