/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * The text for terminals: what it says, how wide it is, and that nothing foreign moves the cursor.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <cmocka.h>

#include "analyzer/render/text_writer.h"
#include "common/escape.h"
#include "sample_view.h"

static const char payload[] = "\033[2J\033]0;x\a\r\b\t\n\xc2\x9b"
                              "1m\xe2\x80\xae\xff\xfe<b>'\"";

static void render(const struct view *view, struct strbuf *out)
{
    struct err err = ERR_INIT;
    if (view_as_text(view, out, &err) < 0)
        fail_msg("%s", err.text);
}

static void the_report_is_told_from_doubts_to_score(void **state)
{
    (void)state;
    static const char *const in_order[] = {
        "\nScore 21 of 100 (bad)\n2 critical, 3 errors, 6 warnings, 2 info; 1 suppressed\n",
        "xcp-fra-01: XCP-ng 8.3.0, taken 2025-11-02 12:00:00",
        "Data quality",
        "xcp-fra-02: truncated: var/log/xensource.log: ",
        "CRITICAL  Storage repository iSCSI-SAN-01 lost all paths",
        "> xcp-fra-01 var/log/kern.log:18234, 2025-11-02 05:00:00\n",
        "Why: All paths",
        "Do:  Repair the way",
        "1. Look at",
        "What follows from it:",
        "- error: Virtual disks of iSCSI-SAN-01",
        "CRITICAL  Control domain",
        "INFO  14 updates",
        "Suppressed",
        "J. Doe",
        "3 rules: no nvme-smart-log",
        "21 of 100 (bad)\n  from 46 of 52 applicable rules",
        "+21 without: Storage repository",
        "2 critical, 3 errors, 6 warnings, 2 info; 1 suppressed\n",
    };
    struct view *view = sample_new("", SEVERITY_INFO);
    CLEANUP(strbuf_release) struct strbuf out = STRBUF_INIT;
    render(view, &out);
    const char *place = out.data;
    for (size_t i = 0; i < ARRAY_SIZE(in_order); i++) {
        const char *found = strstr(place, in_order[i]);
        if (!found)
            fail_msg("'%s' is missing, or too early", in_order[i]);
        place = found;
    }
    sample_free(view);
}

static size_t widest_line(const char *text)
{
    size_t widest = 0;
    for (; *text; text += strcspn(text, "\n"), text += *text == '\n') {
        size_t columns = 0;
        for (size_t i = 0; i < strcspn(text, "\n"); i++)
            columns += ((unsigned char)text[i] & 0xc0) != 0x80;
        widest = columns > widest ? columns : widest;
    }
    return widest;
}

static void no_line_is_wider_than_the_terminal(void **state)
{
    (void)state;
    static const int widths[] = {60, 80, 100, 200};
    for (size_t i = 0; i < ARRAY_SIZE(widths); i++) {
        struct view *view = sample_new("\xc3\xbc"
                                       "berlang",
                                       SEVERITY_INFO);
        CLEANUP(strbuf_release) struct strbuf out = STRBUF_INIT;
        view->width = widths[i];
        render(view, &out);
        size_t widest = widest_line(out.data);
        if (widest > (size_t)widths[i])
            fail_msg("a line of %zu columns on a terminal of %d", widest, widths[i]);
        sample_free(view);
    }
}

static void without_a_width_lines_are_whole(void **state)
{
    (void)state;
    struct view *view = sample_new("", SEVERITY_INFO);
    CLEANUP(strbuf_release) struct strbuf out = STRBUF_INIT;
    view->width = 0;
    render(view, &out);
    assert_non_null(strstr(out.data,
                           "kern.log:18234  Nov  2 05:00:00 xcp-fra-01 kernel: "
                           "[1093822.412938] device-mapper: multipath: Failing path 8:48.\n"));
    assert_null(strstr(out.data, "..."));
    sample_free(view);
}

/* What happened stands at the end of a line; a terminal is 60 columns wide. */
static void a_line_that_does_not_fit_is_cut_around_the_match(void **state)
{
    (void)state;
    static const char line[] =
        "Nov  2 05:00:00 xcp-fra-01 kernel: [1093822.412938] session2: recovery timed out after 15 s, \x01";
    static const char match[] = "recovery timed out";
    struct evidence evidence = {.host = "xcp-fra-01",
                                .path = "var/log/kern.log",
                                .line = 9,
                                .time = 1762059600,
                                .text = line,
                                .match = (size_t)(strstr(line, match) - line),
                                .match_length = strlen(match),
                                .before = "",
                                .after = ""};
    struct view *view = sample_new("", SEVERITY_INFO);
    CLEANUP(strbuf_release) struct strbuf out = STRBUF_INIT;
    view->verdict->findings[0].evidence = &evidence;
    view->verdict->findings[0].evidence_count = 1;
    view->width = 60;
    render(view, &out);
    assert_non_null(strstr(out.data, "  > xcp-fra-01 var/log/kern.log:9, 2025-11-02 05:00:00\n"
                                     "      ...12938] session2: recovery timed out after 15 s, ...\n"));
    view->colour = true;
    strbuf_clear(&out);
    render(view, &out);
    assert_non_null(strstr(out.data, "session2: \033[1mrecovery timed out\033[0m after 15 s, ..."));
    view->width = 0;
    strbuf_clear(&out);
    render(view, &out);
    assert_non_null(strstr(out.data, "\033[1mrecovery timed out\033[0m after 15 s, \\x01\n"));
    sample_free(view);
}

/* A row has no match. */
static void a_row_that_does_not_fit_takes_a_few_lines(void **state)
{
    (void)state;
    char text[400];
    struct evidence evidence = {.host = "", .path = "proc/mounts", .text = text, .before = "", .after = ""};
    struct view *view = sample_new("", SEVERITY_INFO);
    CLEANUP(strbuf_release) struct strbuf out = STRBUF_INIT;
    memset(text, 'x', sizeof text - 1);
    text[sizeof text - 1] = '\0';
    memcpy(text + 60, " /mnt ", 6);
    view->verdict->findings[0].evidence = &evidence;
    view->verdict->findings[0].evidence_count = 1;
    view->width = 80;
    render(view, &out);
    assert_non_null(strstr(out.data, "  > proc/mounts\n      xxxxx"));
    assert_non_null(strstr(out.data, "xxx /mnt\n      xxx"));
    assert_non_null(strstr(out.data, "xxx...\n  Why:"));
    sample_free(view);
}

static void foreign_text_cannot_move_the_cursor(void **state)
{
    (void)state;
    struct view *view = sample_new(payload, SEVERITY_INFO);
    CLEANUP(strbuf_release) struct strbuf out = STRBUF_INIT;
    render(view, &out);
    unsigned point;
    for (size_t i = 0, n; i < out.length; i += n) {
        n = escape_utf8_length(out.data + i, out.length - i, &point);
        assert_true(n > 0);
        assert_true(point == '\n' || !escape_is_dangerous(point));
    }
    assert_non_null(strstr(out.data, "\\x1b[2J"));
    sample_free(view);
}

static void colours_are_ours_and_only_when_asked_for(void **state)
{
    (void)state;
    struct view *view = sample_new(payload, SEVERITY_INFO);
    CLEANUP(strbuf_release) struct strbuf out = STRBUF_INIT;
    view->colour = true;
    render(view, &out);
    assert_non_null(strstr(out.data, "\033[1;37;41mCRITICAL\033[0m"));
    size_t opened = 0, closed = 0;
    for (const char *c = strchr(out.data, '\033'); c; c = strchr(c + 1, '\033')) {
        bool is_end = strncmp(c, "\033[0m", 4) == 0;
        closed += is_end;
        opened += !is_end;
        assert_int_equal(strspn(c + 1, "[0123456789;") + 1, strcspn(c, "m"));
    }
    assert_true(opened > 10);
    assert_int_equal(opened, closed);
    sample_free(view);
}

static void nothing_found_is_said_with_its_coverage(void **state)
{
    (void)state;
    struct view *view = sample_new_clean(46);
    CLEANUP(strbuf_release) struct strbuf out = STRBUF_INIT;
    render(view, &out);
    assert_non_null(strstr(out.data, "None. 46 of 60 applicable rules had the data they need"));
    assert_non_null(strstr(out.data, "100 of 100 (healthy)\n  from 46 of 60 applicable rules"));
    sample_free(view);
}

static void nothing_judged_is_not_called_healthy(void **state)
{
    (void)state;
    struct view *view = sample_new_clean(0);
    CLEANUP(strbuf_release) struct strbuf out = STRBUF_INIT;
    render(view, &out);
    assert_non_null(strstr(out.data, "no rule had the data it needs: this says nothing"));
    assert_non_null(strstr(out.data, "\nNo score: "));
    assert_null(strstr(out.data, "100 of 100"));
    assert_null(strstr(out.data, "healthy"));
    sample_free(view);
}

static void little_seen_is_healthy_at_best(void **state)
{
    (void)state;
    struct view *view = sample_new_clean(20);
    CLEANUP(strbuf_release) struct strbuf out = STRBUF_INIT;
    render(view, &out);
    assert_non_null(strstr(out.data, "This result can hardly be trusted"));
    assert_non_null(strstr(out.data, "Score 100 of 100 (healthy at best)"));
    sample_free(view);
}

static void findings_below_the_asked_severity_are_counted_not_shown(void **state)
{
    (void)state;
    struct view *view = sample_new("", SEVERITY_ERROR);
    CLEANUP(strbuf_release) struct strbuf out = STRBUF_INIT;
    render(view, &out);
    assert_null(strstr(out.data, "WARNING"));
    assert_non_null(strstr(out.data, "8 more below severity error, not shown."));
    assert_non_null(strstr(out.data, "21 of 100"));
    sample_free(view);
}

static void what_several_problems_cost_is_said_once(void **state)
{
    (void)state;
    struct view *view = sample_new("", SEVERITY_INFO);
    CLEANUP(strbuf_release) struct strbuf out = STRBUF_INIT;
    struct view_problem three[3];
    for (size_t i = 0; i < ARRAY_SIZE(three); i++) {
        three[i] = view->problems[0];
        three[i].effect = i < 2 ? "the same is lost" : "something else is lost";
    }
    view->problems = three;
    view->problem_count = ARRAY_SIZE(three);
    view->width = 0;
    render(view, &out);
    const char *first = strstr(out.data, "    so the same is lost\n  ! ");
    assert_non_null(first);
    assert_null(strstr(first + strlen("    so the"), "the same is lost"));
    assert_non_null(strstr(first, "    so something else is lost\n\n"));
    sample_free(view);
}

static void problems_beyond_ten_are_counted(void **state)
{
    (void)state;
    struct view *view = sample_new("", SEVERITY_INFO);
    CLEANUP(strbuf_release) struct strbuf out = STRBUF_INIT;
    struct view_problem many[25];
    for (size_t i = 0; i < ARRAY_SIZE(many); i++)
        many[i] = view->problems[0];
    view->problems = many;
    view->problem_count = ARRAY_SIZE(many);
    render(view, &out);
    assert_non_null(strstr(out.data, "  and 15 more (--format json has all)\n"));
    sample_free(view);
}

static void long_words_are_broken_and_blanks_at_the_edge_vanish(void **state)
{
    (void)state;
    static const struct {
        const char *text, *expected;
    } cases[] = {
        {"", "> \n"},
        {"aaaa bbbb cccc dddd eeee ffff", "> aaaa bbbb cccc dddd eeee\n  ffff\n"},
        {"0123456789012345678901234567890123456789",
         "> 01234567890123456789012345\n  67890123456789\n"},
    };
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        CLEANUP(strbuf_release) struct strbuf out = STRBUF_INIT;
        struct text_writer writer = {.out = &out, .width = 28};
        textw_wrapped(&writer, STYLE_NONE, "> ", cases[i].text, strlen(cases[i].text));
        assert_string_equal(out.data, cases[i].expected);
    }
}

static void a_buffer_that_is_full_is_an_error(void **state)
{
    (void)state;
    struct view *view = sample_new("", SEVERITY_INFO);
    struct err err = ERR_INIT;
    CLEANUP(strbuf_release) struct strbuf out = STRBUF_INIT_MAX(500);
    assert_int_equal(view_as_text(view, &out, &err), ERR_NOMEM);
    sample_free(view);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_report_is_told_from_doubts_to_score),
        cmocka_unit_test(no_line_is_wider_than_the_terminal),
        cmocka_unit_test(without_a_width_lines_are_whole),
        cmocka_unit_test(a_line_that_does_not_fit_is_cut_around_the_match),
        cmocka_unit_test(a_row_that_does_not_fit_takes_a_few_lines),
        cmocka_unit_test(foreign_text_cannot_move_the_cursor),
        cmocka_unit_test(colours_are_ours_and_only_when_asked_for),
        cmocka_unit_test(nothing_found_is_said_with_its_coverage),
        cmocka_unit_test(nothing_judged_is_not_called_healthy),
        cmocka_unit_test(little_seen_is_healthy_at_best),
        cmocka_unit_test(findings_below_the_asked_severity_are_counted_not_shown),
        cmocka_unit_test(what_several_problems_cost_is_said_once),
        cmocka_unit_test(problems_beyond_ten_are_counted),
        cmocka_unit_test(long_words_are_broken_and_blanks_at_the_edge_vanish),
        cmocka_unit_test(a_buffer_that_is_full_is_an_error),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
