/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * JSON: read back with another library. What its fields must be is checked against the schema in
 * the integration test of the renderers.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <cmocka.h>
#include <jansson.h>

#include "analyzer/render/json_writer.h"
#include "sample_view.h"

static json_t *render(const struct view *view)
{
    CLEANUP(strbuf_release) struct strbuf out = STRBUF_INIT;
    struct err err = ERR_INIT;
    json_error_t problem;
    if (view_as_json(view, &out, &err) < 0)
        fail_msg("%s", err.text);
    json_t *root = json_loadb(out.data, out.length, JSON_REJECT_DUPLICATES, &problem);
    if (!root)
        fail_msg("line %d: %s", problem.line, problem.text);
    return root;
}

static const char *text_of(const json_t *object, const char *key)
{
    const char *text = json_string_value(json_object_get(object, key));
    return text ? text : "(not a text)";
}

static void every_finding_is_there_in_the_order_of_the_verdict(void **state)
{
    (void)state;
    struct view *view = sample_new("", SEVERITY_INFO);
    json_t *root = render(view), *findings = json_object_get(root, "findings");
    assert_int_equal(json_array_size(findings), view->verdict->finding_count);
    for (size_t i = 0; i < json_array_size(findings); i++)
        assert_string_equal(text_of(json_array_get(findings, i), "rule"),
                            view->verdict->findings[i].rule);
    json_t *first = json_array_get(findings, 0), *symptom = json_array_get(findings, 2);
    assert_string_equal(text_of(first, "severity"), "critical");
    assert_string_equal(text_of(first, "first_seen"), "2025-11-02T05:00:00");
    assert_true(json_is_null(json_object_get(first, "explained_by")));
    assert_true(json_is_null(json_object_get(first, "suppressed")));
    assert_string_equal(text_of(symptom, "explained_by"), "storage-sr-path-lost");
    json_decref(root);
    sample_free(view);
}

static void a_time_that_is_not_known_is_null(void **state)
{
    (void)state;
    struct view *view = sample_new("", SEVERITY_INFO);
    view->hosts[0].taken = TIME_UNKNOWN;
    view->hosts[1].taken = INT64_MAX;
    json_t *root = render(view), *reports = json_object_get(root, "reports");
    assert_true(json_is_null(json_object_get(json_array_get(reports, 0), "taken")));
    assert_true(json_is_null(json_object_get(json_array_get(reports, 1), "taken")));
    json_decref(root);
    sample_free(view);
}

static void a_report_without_a_host_does_not_go_unseen(void **state)
{
    (void)state;
    struct view *view = sample_new("", SEVERITY_INFO);
    const char *sources[] = {view->sources[0], "broken.zip"};
    struct view_problem problem = {.kind = "damaged",
                                   .host = -1,
                                   .subject = "broken.zip",
                                   .source = "broken.zip",
                                   .path = "",
                                   .text = "no archive",
                                   .effect = "nothing of it was looked at"};
    view->sources = sources;
    view->source_count = 2;
    view->problems = &problem;
    view->problem_count = 1;
    json_t *root = render(view), *reports = json_object_get(root, "reports");
    assert_int_equal(json_array_size(reports), 4);
    json_t *last = json_array_get(reports, 3);
    assert_string_equal(text_of(last, "path"), "broken.zip");
    assert_string_equal(text_of(last, "host"), "");
    assert_int_equal(json_array_size(json_object_get(last, "problems")), 1);
    json_decref(root);
    sample_free(view);
}

static void findings_below_the_asked_severity_are_left_out(void **state)
{
    (void)state;
    struct view *view = sample_new("", SEVERITY_ERROR);
    json_t *root = render(view);
    assert_int_equal(json_array_size(json_object_get(root, "findings")), 5);
    assert_int_equal(json_integer_value(json_object_get(root, "score")), 21);
    json_decref(root);
    sample_free(view);
}

static void a_name_that_occurs_twice_becomes_one_key(void **state)
{
    (void)state;
    struct view *view = sample_new("", SEVERITY_INFO);
    struct score scores[] = {{"h", 10}, {"h", 20}};
    struct verdict verdict = *view->verdict;
    verdict.host_scores = scores;
    verdict.host_score_count = 2;
    struct view changed = *view;
    changed.verdict = &verdict;
    json_t *root = render(&changed);
    json_t *hosts = json_object_get(json_object_get(root, "scores"), "hosts");
    assert_int_equal(json_object_size(hosts), 1);
    assert_int_equal(json_integer_value(json_object_get(hosts, "h")), 10);
    json_decref(root);
    sample_free(view);
}

static void hostile_texts_come_back_as_they_were_where_they_are_utf8(void **state)
{
    (void)state;
    static const char payload[] =
        "</script>\x01\033[31m\x7f\"\\\n\t\xc2\x9b\xe2\x80\xae\xe2\x80\xa8&";
    struct view *view = sample_new(payload, SEVERITY_INFO);
    json_t *root = render(view);
    json_t *finding = json_array_get(json_object_get(root, "findings"), 0);
    assert_string_equal(text_of(finding, "title"), view->verdict->findings[0].title);
    json_decref(root);
    sample_free(view);
}

static void the_document_itself_is_harmless_and_utf8(void **state)
{
    (void)state;
    CLEANUP(strbuf_release) struct strbuf out = STRBUF_INIT;
    struct json_writer w = {.out = &out};
    jsonw_list(&w, NULL);
    jsonw_string(&w, NULL, "<\033\xff\xe2\x80\xa8\xc3\xbc>");
    jsonw_end_list(&w);
    assert_string_equal(out.data, "[\n  \"\\u003c\\u001b\xef\xbf\xbd\\u2028\xc3\xbc\\u003e\"\n]");
}

static void empty_things_are_short_and_commas_stand_between(void **state)
{
    (void)state;
    CLEANUP(strbuf_release) struct strbuf out = STRBUF_INIT;
    struct json_writer w = {.out = &out};
    jsonw_object(&w, NULL);
    jsonw_list(&w, "a");
    jsonw_end_list(&w);
    jsonw_object(&w, "b");
    jsonw_end_object(&w);
    jsonw_integer(&w, "c", INT64_MIN);
    jsonw_string_or_null(&w, "d", NULL);
    jsonw_end_object(&w);
    assert_string_equal(out.data, "{\n  \"a\": [],\n  \"b\": {},\n  \"c\": -9223372036854775808,\n"
                                  "  \"d\": null\n}");
}

static void depth_beyond_the_limit_fails_instead_of_overflowing(void **state)
{
    (void)state;
    CLEANUP(strbuf_release) struct strbuf out = STRBUF_INIT;
    struct json_writer w = {.out = &out};
    for (int i = 0; i < 2 * JSON_WRITER_DEPTH; i++)
        jsonw_list(&w, NULL);
    assert_false(strbuf_ok(&out));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_finding_is_there_in_the_order_of_the_verdict),
        cmocka_unit_test(a_time_that_is_not_known_is_null),
        cmocka_unit_test(a_report_without_a_host_does_not_go_unseen),
        cmocka_unit_test(findings_below_the_asked_severity_are_left_out),
        cmocka_unit_test(a_name_that_occurs_twice_becomes_one_key),
        cmocka_unit_test(hostile_texts_come_back_as_they_were_where_they_are_utf8),
        cmocka_unit_test(the_document_itself_is_harmless_and_utf8),
        cmocka_unit_test(empty_things_are_short_and_commas_stand_between),
        cmocka_unit_test(depth_beyond_the_limit_fails_instead_of_overflowing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
