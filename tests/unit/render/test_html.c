/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * The page, as far as a string can tell; the integration test of the renderers reads it with an
 * HTML parser.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <openssl/evp.h>
#include <cmocka.h>

#include "analyzer/render/html.h"
#include "common/io.h"
#include "sample_view.h"

static void render(const struct view *view, struct strbuf *out)
{
    struct err err = ERR_INIT;
    if (view_as_html(view, out, &err) < 0)
        fail_msg("%s", err.text);
}

static size_t count_of(const char *text, const char *word)
{
    size_t count = 0;
    for (; (text = strstr(text, word)); text += strlen(word))
        count++;
    return count;
}

static void the_policy_allows_exactly_our_style(void **state)
{
    (void)state;
    struct view *view = sample_new("", SEVERITY_INFO);
    CLEANUP(strbuf_release) struct strbuf out = STRBUF_INIT;
    render(view, &out);
    const char *begin = strstr(out.data, "<style>") + strlen("<style>");
    const char *end = strstr(begin, "</style>");
    unsigned char hash[EVP_MAX_MD_SIZE], base64[100];
    unsigned size;
    char policy[300];
    assert_int_equal(EVP_Digest(begin, (size_t)(end - begin), hash, &size, EVP_sha256(), NULL), 1);
    EVP_EncodeBlock(base64, hash, (int)size);
    snprintf(policy, sizeof policy,
             "content=\"default-src 'none'; style-src 'sha256-%s'; base-uri 'none'; form-action "
             "'none'\">",
             base64);
    assert_non_null(strstr(out.data, policy));
    assert_int_equal(count_of(out.data, "<style>"), 1);
    assert_true(strstr(out.data, "Content-Security-Policy") < strstr(out.data, "<style>"));
    assert_null(strstr(out.data, " style="));
    assert_null(strstr(out.data, "<script"));
    CLEANUP_FREE char *style = strndup(begin, (size_t)(end - begin));
    assert_null(strstr(style, "url("));
    assert_null(strstr(style, "@import"));
    assert_int_equal(count_of(out.data, "url("), count_of(out.data, "\"url(#hatch)\""));
    sample_free(view);
}

static void only_plain_https_addresses_become_links(void **state)
{
    (void)state;
    static const struct {
        const char *url;
        bool is_link;
    } cases[] = {
        {"https://docs.xcp-ng.org/storage/", true},
        {"https://x.example/a?b=c&d=%20#e", true},
        {"http://x.example/", false},
        {"javascript:alert(1)", false},
        {" https://x.example/", false},
        {"HTTPS://x.example/", false},
        {"https://", false},
        {"https://x.example/\" onclick=\"x", false},
        {"https://x.example/<b>", false},
        {"https://x.example/a b", false},
        {"https://x.example/\xc3\xbc", false},
        {"https://x.example\\@evil.example/", false},
        {"data:text/html,x", false},
        {"", false},
    };
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        CLEANUP(strbuf_release) struct strbuf out = STRBUF_INIT;
        html_link(&out, cases[i].url);
        if ((strstr(out.data, "<a ") != NULL) != cases[i].is_link)
            fail_msg("'%s' became '%s'", cases[i].url, out.data);
    }
}

static void long_texts_are_cut_between_characters(void **state)
{
    (void)state;
    CLEANUP(strbuf_release) struct strbuf out = STRBUF_INIT;
    html_cut(&out, "abc\xc3\xbcxyz", 4);
    assert_string_equal(out.data, "abc <span class=\"cut\">… and 5 bytes more</span>");
    strbuf_clear(&out);
    html_cut(&out, "abc", 3);
    assert_string_equal(out.data, "abc");
    strbuf_clear(&out);
    html_cut(&out, "\x80\x80\x80\x80", 2);
    assert_non_null(strstr(out.data, "and 4 bytes more"));
    strbuf_clear(&out);
    html_around(&out, "a<hit>z", 1, 5, 20);
    assert_string_equal(out.data, "a<b>&lt;hit&gt;</b>z");
    strbuf_clear(&out);
    html_around(&out, "a long way to the hit", 18, 3, 12);
    assert_string_equal(out.data, "<span class=\"cut\">…</span> o the <b>hit</b>"
                                  " <span class=\"cut\">… and 12 bytes more</span>");
    strbuf_clear(&out);
    html_abbreviate(&out, "a\xc3\xbc<d", 3);
    assert_string_equal(out.data, "aü&lt;…");
    strbuf_clear(&out);
    html_abbreviate(&out, "ab", 2);
    assert_string_equal(out.data, "ab");
}

static void symptoms_stand_inside_their_cause(void **state)
{
    (void)state;
    struct view *view = sample_new("", SEVERITY_INFO);
    CLEANUP(strbuf_release) struct strbuf out = STRBUF_INIT;
    render(view, &out);
    const char *cause = strstr(out.data, "<div class=\"body\" id=\"f1\">");
    const char *symptoms = strstr(out.data, "<div class=\"symptoms\">");
    const char *next = strstr(out.data, "id=\"f4\"");
    assert_true(cause && symptoms && next);
    assert_true(cause < symptoms && symptoms < strstr(out.data, "id=\"f2\""));
    assert_true(strstr(out.data, "id=\"f3\"") < next);
    assert_int_equal(count_of(out.data, "<details class=\"finding "), 13);
    sample_free(view);
}

static void nothing_found_is_said_with_its_coverage(void **state)
{
    (void)state;
    struct view *view = sample_new_clean(46);
    CLEANUP(strbuf_release) struct strbuf out = STRBUF_INIT;
    render(view, &out);
    assert_non_null(strstr(out.data, "None. 46 of 60 applicable rules had the data they need"));
    assert_null(strstr(out.data, "id=\"timeline\""));
    assert_null(strstr(out.data, "id=\"quality\""));
    sample_free(view);
}

static void nothing_judged_has_no_score(void **state)
{
    (void)state;
    struct view *view = sample_new_clean(0);
    CLEANUP(strbuf_release) struct strbuf out = STRBUF_INIT;
    render(view, &out);
    assert_non_null(strstr(out.data, "No score"));
    assert_non_null(strstr(out.data, "this says nothing"));
    assert_null(strstr(out.data, "of 100"));
    sample_free(view);
}

static void a_host_that_differs_from_the_others_is_marked(void **state)
{
    (void)state;
    struct view *view = sample_new_clean(46);
    CLEANUP(strbuf_release) struct strbuf out = STRBUF_INIT;
    html_hosts(view, &out);
    assert_int_equal(count_of(out.data, "class=\"differs\""), 2); /* product and memory */
    assert_non_null(strstr(out.data, "<dd>only xcp-fra-03</dd>"));
    assert_non_null(strstr(out.data, "known of 2 hosts")); /* microcode */
    assert_null(strstr(out.data, "The hosts are alike"));
    sample_free(view);
}

static void the_lines_around_a_proof_are_numbered_and_the_proof_is_marked(void **state)
{
    (void)state;
    struct view *view = sample_new("", SEVERITY_INFO);
    struct evidence evidence[] = {{.host = "xcp-fra-01",
                                   .path = "var/log/kern.log",
                                   .line = 12,
                                   .time = TIME_UNKNOWN,
                                   .text = "first <hit>",
                                   .before = "ten\neleven",
                                   .after = "second hit\nfourteen"},
                                  {.host = "xcp-fra-01",
                                   .path = "var/log/kern.log",
                                   .line = 13,
                                   .time = TIME_UNKNOWN,
                                   .text = "second hit",
                                   .before = "eleven\nfirst <hit>",
                                   .after = "fourteen"}};
    CLEANUP(strbuf_release) struct strbuf out = STRBUF_INIT;
    view->verdict->findings[0].evidence = evidence;
    view->verdict->findings[0].evidence_count = 2;
    html_findings(view, &out);
    assert_non_null(
        strstr(out.data, "<span class=\"row\"><span class=\"no\">10</span><span>ten</span>"));
    assert_non_null(strstr(
        out.data, "<mark class=\"row\"><span class=\"no\">12</span><span>first &lt;hit&gt;"));
    assert_non_null(
        strstr(out.data, "<mark class=\"row\"><span class=\"no\">13</span><span>second hit"));
    assert_non_null(strstr(out.data, "<span class=\"no\">14</span><span>fourteen"));
    assert_int_equal(count_of(out.data, "second hit"), 1); /* not shown again for itself */
    sample_free(view);
}

static void a_page_of_endless_findings_stays_small(void **state)
{
    (void)state;
    struct view *view = sample_new("", SEVERITY_INFO);
    static char text[4001];
    memset(text, 'x', 4000);
    struct view_finding *many = calloc(20000, sizeof *many);
    struct evidence evidence = {.host = "h",
                                .path = "p",
                                .line = 7,
                                .time = TIME_UNKNOWN,
                                .text = text,
                                .before = text,
                                .after = text};
    CLEANUP(strbuf_release) struct strbuf out = STRBUF_INIT;
    view->verdict->findings[0].evidence = &evidence;
    view->verdict->findings[0].evidence_count = 1;
    for (size_t i = 0; i < 20000; i++)
        many[i] = (struct view_finding){&view->verdict->findings[0], i % 3 != 0};
    view->findings = many;
    view->finding_count = 20000;
    render(view, &out);
    assert_true(out.length > 5 * 1024 * 1024 && out.length < 8 * 1024 * 1024);
    assert_non_null(strstr(out.data, " more; --format json has all</p>"));
    free(many);
    sample_free(view);
}

static void what_the_baseline_had_is_gone_or_lost_and_new_findings_are_marked(void **state)
{
    (void)state;
    struct view *view = sample_new("", SEVERITY_INFO);
    CLEANUP(strbuf_release) struct strbuf out = STRBUF_INIT;
    render(view, &out);
    struct view_changes changes = view_changes(view);
    assert_true(changes.fresh > 0 && changes.gone > 0 && changes.lost > 0);
    assert_int_equal(count_of(out.data, "<span class=\"new\">new</span>"), changes.fresh);
    const char *lost = strstr(out.data, "Lost sight of</h3>"),
               *gone = strstr(out.data, "Gone</h3>");
    assert_true(lost && gone && lost < gone);
    assert_non_null(strstr(out.data, "and 7 more that were not kept"));
    sample_free(view);
}

static void what_became_of_the_sites_own_files_is_said(void **state)
{
    (void)state;
    struct view *view = sample_new("", SEVERITY_INFO);
    CLEANUP(strbuf_release) struct strbuf out = STRBUF_INIT;
    render(view, &out);
    assert_non_null(
        strstr(out.data, "<code>excused.yaml:3:5</code> this suppression ended on 2025-09-30</p>"));
    sample_free(view);
}

static void every_kind_of_event_has_its_own_row_and_shape(void **state)
{
    (void)state;
    struct view *view = sample_new("", SEVERITY_INFO);
    CLEANUP(strbuf_release) struct strbuf out = STRBUF_INIT;
    html_timeline(view, &out);
    assert_int_equal(count_of(out.data, "<use href=\"#mark-triangle\" x=\"9\""), 1); /* legend */
    assert_int_equal(count_of(out.data, "<div class=\"lane\">"), 3);
    assert_non_null(strstr(out.data, "class=\"silent\""));
    assert_non_null(strstr(out.data, "<g class=\"blue\">"));
    assert_non_null(strstr(out.data, "y=\"15\"")); /* rows begin at the top of the lane */
    assert_non_null(strstr(out.data, "y=\"35\""));
    assert_non_null(strstr(out.data, "1 earlier event is in the table only"));
    sample_free(view);
}

static void absurd_times_neither_overflow_nor_hang(void **state)
{
    (void)state;
    static const int64_t times[][2] = {
        {0, INT64_MAX}, {INT64_MIN + 1, INT64_MAX}, {INT64_MIN + 1, 0}, {INT64_MAX - 1, INT64_MAX},
        {5, 5},         {0, 4000000000000}};
    for (size_t i = 0; i < ARRAY_SIZE(times); i++) {
        struct view *view = sample_new("", SEVERITY_INFO);
        CLEANUP(strbuf_release) struct strbuf out = STRBUF_INIT;
        view->hosts[0].taken = times[i][1];
        view->verdict->findings[1].first_seen = times[i][0];
        view->verdict->timeline->events[0].first = times[i][0];
        view->verdict->timeline->events[0].last = times[i][1];
        view->verdict->timeline->spans[0].from = times[i][0];
        view->verdict->timeline->spans[0].to = times[i][1];
        render(view, &out);
        assert_non_null(strstr(out.data, "class=\"timeline\""));
        assert_null(strstr(out.data, " x1=\"-"));
        assert_null(strstr(out.data, "width=\"-"));
        assert_true(out.length < 1024 * 1024);
        assert_null(strstr(out.data, "=\"nan"));
        sample_free(view);
    }
}

static void the_command_can_be_pasted_into_a_shell(void **state)
{
    (void)state;
    struct view *view = sample_new_clean(46);
    CLEANUP(strbuf_release) struct strbuf out = STRBUF_INIT;
    const char *sources[] = {"plain-1.zip", "it's $(here).zip", ""};
    view->sources = sources;
    view->source_count = 3;
    render(view, &out);
    assert_non_null(strstr(
        out.data, " plain-1.zip &#39;it&#39;\\&#39;&#39;s $(here).zip&#39; &#39;&#39;</pre>"));
    sample_free(view);
    view = sample_new("", SEVERITY_ERROR); /* with a baseline */
    strbuf_clear(&out);
    render(view, &out);
    CLEANUP(strbuf_release) struct strbuf options = STRBUF_INIT;
    strbuf_addf(&options, " --min-severity error --baseline %s --baseline %s ",
                view->verdict->baseline->paths[0], view->verdict->baseline->paths[1]);
    assert_non_null(strstr(out.data, options.data));
    sample_free(view);
}

static void a_buffer_that_is_full_is_an_error(void **state)
{
    (void)state;
    struct view *view = sample_new("", SEVERITY_INFO);
    struct err err = ERR_INIT;
    CLEANUP(strbuf_release) struct strbuf out = STRBUF_INIT_MAX(20000);
    assert_int_equal(view_as_html(view, &out, &err), ERR_NOMEM);
    sample_free(view);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_policy_allows_exactly_our_style),
        cmocka_unit_test(only_plain_https_addresses_become_links),
        cmocka_unit_test(long_texts_are_cut_between_characters),
        cmocka_unit_test(symptoms_stand_inside_their_cause),
        cmocka_unit_test(nothing_found_is_said_with_its_coverage),
        cmocka_unit_test(nothing_judged_has_no_score),
        cmocka_unit_test(a_host_that_differs_from_the_others_is_marked),
        cmocka_unit_test(the_lines_around_a_proof_are_numbered_and_the_proof_is_marked),
        cmocka_unit_test(a_page_of_endless_findings_stays_small),
        cmocka_unit_test(what_the_baseline_had_is_gone_or_lost_and_new_findings_are_marked),
        cmocka_unit_test(what_became_of_the_sites_own_files_is_said),
        cmocka_unit_test(every_kind_of_event_has_its_own_row_and_shape),
        cmocka_unit_test(absurd_times_neither_overflow_nor_hang),
        cmocka_unit_test(the_command_can_be_pasted_into_a_shell),
        cmocka_unit_test(a_buffer_that_is_full_is_an_error),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
