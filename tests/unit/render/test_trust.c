/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * What a problem of a report costs, and how far the whole can be trusted.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <cmocka.h>

#include "analyzer/render/view.h"

static const char *const no_hosts[] = {NULL};

/* Two hosts of one bundle, three rules that lack something, one that found something. */
struct scene {
    struct unknown_rule unknown[3];
    struct judged_rule rules[1];
    struct finding findings[1];
    struct view_host hosts[2];
    struct view_problem problem;
    struct verdict verdict;
    struct view *view;
};

static void set_scene(struct scene *scene, const char *kind, const char *subject, const char *path)
{
    *scene = (struct scene){
        .unknown = {{"r1", "no vgs.out", "vgs.out", "h1"},
                    {"r2", "no kern.log", "var/log/kern.log", "h2"},
                    {"r3", "no smart.out", "smart-{device}.out", NULL}},
        .rules = {{.rule = "f", .confidence = CONFIDENCE_HIGH, .links = no_hosts}},
        .findings = {{.rule = "f", .confidence = CONFIDENCE_HIGH, .hosts = no_hosts}},
        .hosts = {{.name = "h1", .source = "pool.zip"}, {.name = "h2", .source = "pool.zip"}},
        .problem = {.kind = kind,
                    .host = 0,
                    .subject = subject,
                    .source = "pool.zip",
                    .path = path,
                    .text = "so it is"},
    };
    scene->verdict = (struct verdict){
        .unknown = scene->unknown,
        .unknown_count = 3,
        .rules = scene->rules,
        .rule_count = 1,
        .findings = scene->findings,
        .finding_count = 1,
        .coverage = {.rules = 10, .evaluated = 7, .failed = 1, .passed = 6, .unknown = 3},
    };
    assert_int_equal(view_new(&scene->verdict, &scene->view, NULL), 0);
    scene->view->hosts = scene->hosts;
    scene->view->host_count = 2;
    scene->view->problems = &scene->problem;
    scene->view->problem_count = *kind ? 1 : 0;
}

static void weigh(struct scene *scene)
{
    assert_int_equal(view_arrange(scene->view, NULL), 0);
    assert_int_equal(view_weigh(scene->view, NULL), 0);
}

static void a_timeout_explains_the_rules_that_lack_its_file_on_its_host(void **state)
{
    (void)state;
    struct scene scene;
    set_scene(&scene, "timeout", "h1", "vgs.out");
    weigh(&scene);
    assert_int_equal(scene.problem.unknown, 1);
    assert_non_null(strstr(scene.problem.effect, "1 rule is unknown because of it"));
    assert_int_equal(scene.view->trust.level, TRUST_PARTIAL);
    view_free(scene.view);
    set_scene(&scene, "timeout", "h2", "vgs.out");
    weigh(&scene);
    assert_int_equal(scene.problem.unknown, 0);
    view_free(scene.view);
}

static void patterns_and_rotations_are_matched_like_the_reader_does(void **state)
{
    (void)state;
    struct scene scene;
    set_scene(&scene, "omitted", "h1", "smart-sda.out");
    weigh(&scene);
    assert_int_equal(scene.problem.unknown, 1);
    view_free(scene.view);
    set_scene(&scene, "damaged", "h2", "var/log/kern.log.3");
    weigh(&scene);
    assert_int_equal(scene.problem.unknown, 1);
    view_free(scene.view);
}

static void a_cut_archive_may_explain_all_that_its_hosts_lack(void **state)
{
    (void)state;
    struct scene scene;
    set_scene(&scene, "truncated", "pool.zip", "");
    weigh(&scene);
    assert_int_equal(scene.problem.unknown, 3);
    assert_non_null(strstr(scene.problem.effect, "perhaps because of it"));
    assert_int_equal(scene.view->trust.unknown_by_problems, 3);
    assert_int_equal(scene.view->trust.level, TRUST_POOR);
    view_free(scene.view);
}

static void a_missing_host_explains_nothing_that_another_host_lacks(void **state)
{
    (void)state;
    struct scene scene;
    set_scene(&scene, "missing-host", "pool.zip", "");
    weigh(&scene);
    assert_int_equal(scene.problem.unknown, 1); /* the one that no host has */
    assert_int_equal(scene.view->trust.level, TRUST_POOR);
    view_free(scene.view);
}

static void without_problems_and_unknown_rules_the_result_is_trusted(void **state)
{
    (void)state;
    struct scene scene;
    set_scene(&scene, "", "", "");
    scene.verdict.unknown_count = 0;
    scene.verdict.coverage = (struct coverage){.rules = 10, .evaluated = 10, .passed = 10};
    weigh(&scene);
    assert_int_equal(scene.view->trust.level, TRUST_FULL);
    assert_string_equal(scene.view->trust.sentence,
                        "This result can be trusted: 10 of 10 applicable rules had the data they need.");
    view_free(scene.view);
}

static void more_unknown_than_evaluated_is_poor(void **state)
{
    (void)state;
    struct scene scene;
    set_scene(&scene, "", "", "");
    scene.verdict.coverage = (struct coverage){.rules = 10, .evaluated = 4, .unknown = 6};
    weigh(&scene);
    assert_int_equal(scene.view->trust.level, TRUST_POOR);
    view_free(scene.view);
}

static void findings_that_are_less_sure_than_their_rule_are_counted(void **state)
{
    (void)state;
    struct scene scene;
    set_scene(&scene, "", "", "");
    scene.findings[0].confidence = CONFIDENCE_MEDIUM;
    weigh(&scene);
    assert_int_equal(scene.view->trust.lowered, 1);
    assert_non_null(strstr(scene.view->trust.sentence, "1 finding is less sure for want of facts"));
    view_free(scene.view);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_timeout_explains_the_rules_that_lack_its_file_on_its_host),
        cmocka_unit_test(patterns_and_rotations_are_matched_like_the_reader_does),
        cmocka_unit_test(a_cut_archive_may_explain_all_that_its_hosts_lack),
        cmocka_unit_test(a_missing_host_explains_nothing_that_another_host_lacks),
        cmocka_unit_test(without_problems_and_unknown_rules_the_result_is_trusted),
        cmocka_unit_test(more_unknown_than_evaluated_is_poor),
        cmocka_unit_test(findings_that_are_less_sure_than_their_rule_are_counted),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
