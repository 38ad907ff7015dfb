/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * The two formats that monitoring reads: states of Nagios, and series of Prometheus, whose number
 * and uniqueness must hold for any input. Their syntax is checked by tests/integration/formats.py.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <cmocka.h>

#include "sample_view.h"

static void the_state_is_the_one_of_the_worst_finding_that_is_not_suppressed(void **state)
{
    (void)state;
    struct finding findings[] = {{.severity = SEVERITY_CRITICAL, .suppressed = "known"},
                                 {.severity = SEVERITY_WARNING},
                                 {.severity = SEVERITY_INFO}};
    struct verdict verdict = {
        .findings = findings, .finding_count = 3, .coverage = {.evaluated = 5}};
    assert_int_equal(render_nagios_state(&verdict), NAGIOS_WARNING);
    findings[0].suppressed = NULL;
    assert_int_equal(render_nagios_state(&verdict), NAGIOS_CRITICAL);
    findings[0].severity = SEVERITY_ERROR;
    assert_int_equal(render_nagios_state(&verdict), NAGIOS_CRITICAL);
    verdict.findings = findings + 2;
    verdict.finding_count = 1;
    assert_int_equal(render_nagios_state(&verdict), NAGIOS_OK);
    verdict.coverage.evaluated = 0;
    assert_int_equal(render_nagios_state(&verdict), NAGIOS_UNKNOWN);
}

static void a_reason_for_unknown_is_one_harmless_line(void **state)
{
    (void)state;
    CLEANUP(strbuf_release) struct strbuf out = STRBUF_INIT;
    render_nagios_unknown("no <b>report</b> | x=1\nOK `id` $X$", &out);
    assert_string_equal(out.data, "XENHEALTH UNKNOWN - no (b)report(/b) / x=1\\x0aOK id X\n");
}

static size_t occurrences(const char *text, const char *piece)
{
    size_t count = 0;
    for (const char *at = text; (at = strstr(at, piece)); at += strlen(piece))
        count++;
    return count;
}

static void render_hosts(struct view *view, struct view_host *hosts, size_t count,
                         struct strbuf *out)
{
    struct err err = ERR_INIT;
    for (size_t i = 0; i < count; i++) {
        const char *name = hosts[i].name;
        hosts[i] = view->hosts[0];
        hosts[i].name = name;
    }
    view->hosts = hosts;
    view->host_count = count;
    if (view_as_prometheus(view, out, &err) < 0)
        fail_msg("%s", err.text);
}

static void hosts_of_one_name_are_one_series(void **state)
{
    (void)state;
    struct view *view = sample_new("", SEVERITY_INFO);
    CLEANUP(strbuf_release) struct strbuf out = STRBUF_INIT;
    struct view_host hosts[] = {{.name = "a"}, {.name = "b"}, {.name = "a"}};
    render_hosts(view, hosts, 3, &out);
    assert_int_equal(occurrences(out.data, "xenhealth_host_score{host=\"a\"}"), 1);
    assert_int_equal(occurrences(out.data, "xenhealth_host_score{host=\"b\"}"), 1);
    sample_free(view);
}

static void names_that_differ_behind_the_cut_are_one_series(void **state)
{
    (void)state;
    struct view *view = sample_new("", SEVERITY_INFO);
    CLEANUP(strbuf_release) struct strbuf out = STRBUF_INIT;
    char one[300], other[300];
    memset(one, '"', sizeof one);
    one[299] = '\0';
    memcpy(other, one, sizeof one);
    other[298] = 'x';
    struct view_host hosts[] = {{.name = one}, {.name = other}};
    render_hosts(view, hosts, 2, &out);
    assert_int_equal(occurrences(out.data, "xenhealth_host_score{"), 1);
    sample_free(view);
}

static void a_thousand_hosts_do_not_make_thousands_of_series(void **state)
{
    (void)state;
    struct view *view = sample_new("", SEVERITY_INFO);
    CLEANUP(strbuf_release) struct strbuf out = STRBUF_INIT;
    struct view_host *hosts = calloc(1000, sizeof *hosts);
    assert_non_null(hosts);
    for (size_t i = 0; i < 1000; i++) {
        hosts[i].name = arena_printf(view->arena, "host%zu", i);
        assert_non_null(hosts[i].name);
    }
    render_hosts(view, hosts, 1000, &out);
    assert_int_equal(occurrences(out.data, "xenhealth_host_score{"), 64);
    sample_free(view);
    free(hosts);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_state_is_the_one_of_the_worst_finding_that_is_not_suppressed),
        cmocka_unit_test(a_reason_for_unknown_is_one_harmless_line),
        cmocka_unit_test(hosts_of_one_name_are_one_series),
        cmocka_unit_test(names_that_differ_behind_the_cut_are_one_series),
        cmocka_unit_test(a_thousand_hosts_do_not_make_thousands_of_series),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
