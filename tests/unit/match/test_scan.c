/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * Scanning logs: every pattern finds its lines, once each, with number and groups, however the
 * bytes arrive.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "analyzer/match/matcher.h"
#include "common/strbuf.h"

struct fixture {
    struct arena *arena;
    struct matcher *matcher;
    struct regex *regexes[8];
    struct path_pattern file;
    size_t count;
    struct strbuf seen; /* "number@line*count:group" of every hit */
};

static void add(struct fixture *f, const char *match, const char *unless)
{
    struct log_pattern pattern = {.files = &f->file, .file_count = 1};
    unsigned number;
    assert_int_equal(regex_compile(match, strlen(match), &f->regexes[f->count], NULL), 0);
    pattern.match = f->regexes[f->count++];
    if (unless) {
        assert_int_equal(regex_compile(unless, strlen(unless), &f->regexes[f->count], NULL), 0);
        pattern.unless = f->regexes[f->count++];
    }
    assert_int_equal(matcher_add(f->matcher, &pattern, &number, NULL), 0);
}

static int setup(void **state)
{
    static struct fixture fixture;
    fixture = (struct fixture){.arena = arena_new(1 << 20), .seen = STRBUF_INIT};
    path_pattern_compile(fixture.arena, "var/log/kern.log", &fixture.file, NULL);
    *state = &fixture;
    return matcher_new(&fixture.matcher, NULL);
}

static int teardown(void **state)
{
    struct fixture *f = *state;
    matcher_free(f->matcher);
    for (size_t i = 0; i < f->count; i++)
        regex_free(f->regexes[i]);
    arena_free(f->arena);
    strbuf_release(&f->seen);
    return 0;
}

static int remember(void *context, const struct line_hit *hit, struct err *err)
{
    struct fixture *f = context;
    (void)err;
    strbuf_addf(&f->seen, "%u@%lld*%lld:%.*s;", hit->pattern, (long long)hit->line,
                (long long)hit->count, (int)hit->length, hit->text);
    return 0;
}

/* What is seen when `text` arrives in pieces of `step` bytes. */
static const char *scan(struct fixture *f, const char *path, const char *text, size_t step)
{
    struct scan *run = NULL;
    struct audience *audience = NULL;
    strbuf_clear(&f->seen);
    assert_int_equal(matcher_audience(f->matcher, path, &audience, NULL), 0);
    if (!audience)
        return "(not scanned)";
    assert_int_equal(scan_begin(f->matcher, audience, remember, f, &run, NULL), 0);
    for (size_t at = 0, length = strlen(text); at < length; at += step)
        assert_int_equal(scan_feed(run, text + at, length - at < step ? length - at : step, NULL),
                         0);
    assert_int_equal(scan_end(run, NULL), 0);
    scan_free(run);
    audience_release(audience);
    return f->seen.data;
}

static void a_line_is_a_hit_once_a_pattern_wherever_the_pieces_end(void **state)
{
    struct fixture *f = *state;
    add(f, "killed (?<who>\\w+)", NULL);
    add(f, "o+m", NULL);
    assert_int_equal(matcher_compile(f->matcher, NULL, NULL), 0);
    for (size_t step = 1; step < 60; step++)
        assert_string_equal(
            scan(f, "var/log/kern.log", "a\nkilled xapi and killed ovs\nb\nooooom\nkilled z", step),
            "0@2*1:killed xapi and killed ovs;1@4*1:ooooom;0@5*1:killed z;");
}

static void a_match_never_spans_lines(void **state)
{
    struct fixture *f = *state;
    add(f, "begin[^x]+end", NULL);
    add(f, "first\\s", NULL);
    assert_int_equal(matcher_compile(f->matcher, NULL, NULL), 0);
    assert_string_equal(scan(f, "var/log/kern.log", "begin\nend\nfirst\nbegin - end\n", 100),
                        "0@4*1:begin - end;");
}

static void unless_takes_lines_back(void **state)
{
    struct fixture *f = *state;
    add(f, "I/O error", "floppy");
    assert_int_equal(matcher_compile(f->matcher, NULL, NULL), 0);
    assert_string_equal(scan(f, "var/log/kern.log", "floppy: I/O error\nsda: I/O error\n", 100),
                        "0@2*1:sda: I/O error;");
}

static void repeated_messages_count(void **state)
{
    struct fixture *f = *state;
    add(f, "link down", NULL);
    assert_int_equal(matcher_compile(f->matcher, NULL, NULL), 0);
    assert_string_equal(
        scan(f, "var/log/kern.log", "kernel: message repeated 25 times: [ eth0: link down]\n", 100),
        "0@1*25:kernel: message repeated 25 times: [ eth0: link down];");
}

static void look_around_works_and_is_not_slow(void **state)
{
    struct fixture *f = *state;
    add(f, "error(?! injected)", NULL);
    assert_int_equal(matcher_compile(f->matcher, NULL, NULL), 0);
    assert_false(matcher_is_slow(f->matcher, 0, NULL));
    assert_string_equal(scan(f, "var/log/kern.log", "error injected\nerror 5\n", 100),
                        "0@2*1:error 5;");
}

static void a_pattern_that_can_match_nothing_is_slow_but_works(void **state)
{
    struct fixture *f = *state;
    const char *reason = "";
    add(f, "^(?:x)?$", NULL);
    assert_int_equal(matcher_compile(f->matcher, NULL, NULL), 0);
    assert_true(matcher_is_slow(f->matcher, 0, &reason));
    assert_string_equal(reason, "it can match nothing at all");
    assert_string_equal(scan(f, "var/log/kern.log", "x\ny\n", 100), "0@1*1:x;");
}

static void other_files_are_not_scanned_but_rotations_are(void **state)
{
    struct fixture *f = *state;
    add(f, "bad", NULL);
    assert_int_equal(matcher_compile(f->matcher, NULL, NULL), 0);
    assert_string_equal(scan(f, "var/log/SMlog", "bad\n", 9), "(not scanned)");
    assert_string_equal(scan(f, "var/log/kern.log.3", "bad\n", 9), "0@1*1:bad;");
}

static void lines_longer_than_a_block_are_searched(void **state)
{
    struct fixture *f = *state;
    add(f, "needle", NULL);
    assert_int_equal(matcher_compile(f->matcher, NULL, NULL), 0);
    struct strbuf text = STRBUF_INIT;
    for (int i = 0; i < 600000; i++)
        strbuf_addc(&text, 'a');
    strbuf_adds(&text, "\nneedle\n");
    assert_string_equal(scan(f, "var/log/kern.log", text.data, 4096), "0@2*1:needle;");
    strbuf_release(&text);
}

/* The last hit's text and what is at hand around it, and how many hits there were. */
struct surroundings {
    struct strbuf before, after;
    int hits;
};

static int look_around(void *context, const struct line_hit *hit, struct err *err)
{
    struct surroundings *seen = context;
    (void)err;
    seen->hits++;
    strbuf_clear(&seen->before);
    strbuf_clear(&seen->after);
    strbuf_add(&seen->before, hit->around, (size_t)(hit->text - hit->around));
    const char *end = hit->text + hit->length;
    strbuf_add(&seen->after, end, (size_t)(hit->around_end - end));
    return 0;
}

static int count_lines(const struct strbuf *text)
{
    int lines = 0;
    for (size_t i = 0; i < text->length; i++)
        lines += text->data[i] == '\n';
    return lines;
}

/* Who is about the kernel's log when "needle" is looked for there. */
static struct audience *needle_seekers(struct fixture *f)
{
    struct audience *audience = NULL;
    add(f, "needle", NULL);
    assert_int_equal(matcher_compile(f->matcher, NULL, NULL), 0);
    assert_int_equal(matcher_audience(f->matcher, "var/log/kern.log", &audience, NULL), 0);
    return audience;
}

static void lines_around_a_hit_are_at_hand_wherever_it_stands(void **state)
{
    struct fixture *f = *state;
    struct audience *audience = needle_seekers(f);
    /* 700 KB: three blocks, whose borders fall on any of the lines as the needle moves. */
    for (int needle = 0; needle < 20000; needle += 1 + needle / 7) {
        CLEANUP(strbuf_release) struct strbuf text = STRBUF_INIT;
        struct surroundings seen = {.before = STRBUF_INIT, .after = STRBUF_INIT};
        struct scan *run = NULL;
        for (int i = 0; i < 20000; i++)
            strbuf_addf(&text, "line %05d %s of a long log file\n", i, i == needle ? "needle" : "");
        assert_int_equal(scan_begin(f->matcher, audience, look_around, &seen, &run, NULL), 0);
        assert_int_equal(scan_feed(run, text.data, text.length, NULL), 0);
        assert_int_equal(scan_end(run, NULL), 0);
        scan_free(run);
        assert_int_equal(seen.hits, 1);
        assert_true(count_lines(&seen.before) >= (needle < 5 ? needle : 5));
        assert_true(count_lines(&seen.after) >= 5 || needle > 19990);
        strbuf_release(&seen.before);
        strbuf_release(&seen.after);
    }
}

static void long_lines_around_a_hit_do_not_stop_the_scan(void **state)
{
    struct fixture *f = *state;
    struct audience *audience = needle_seekers(f);
    CLEANUP(strbuf_release) struct strbuf text = STRBUF_INIT;
    for (int i = 0; i < 40; i++) {
        for (int n = 0; n < 3000 * (i % 12); n++)
            strbuf_adds(&text, "long ");
        strbuf_adds(&text, "\nneedle\n");
    }
    struct surroundings seen = {.before = STRBUF_INIT, .after = STRBUF_INIT};
    struct scan *run = NULL;
    assert_int_equal(scan_begin(f->matcher, audience, look_around, &seen, &run, NULL), 0);
    assert_int_equal(scan_feed(run, text.data, text.length, NULL), 0);
    assert_int_equal(scan_end(run, NULL), 0);
    scan_free(run);
    assert_int_equal(seen.hits, 40);
    strbuf_release(&seen.before);
    strbuf_release(&seen.after);
}

/* Patterns with files of their own: number i is in files[i], separated by blanks. */
static void add_in(struct fixture *f, const char *match, const char *files)
{
    struct path_pattern *patterns = arena_array(f->arena, 4, sizeof *patterns);
    size_t count = 0;
    char *copy = arena_strdup(f->arena, files), *rest = copy;
    for (char *file; (file = strsep(&rest, " "));)
        assert_int_equal(path_pattern_compile(f->arena, file, &patterns[count++], NULL), 0);
    struct log_pattern pattern = {.files = patterns, .file_count = count};
    unsigned number;
    assert_int_equal(regex_compile(match, strlen(match), &f->regexes[f->count], NULL), 0);
    pattern.match = f->regexes[f->count++];
    assert_int_equal(matcher_add(f->matcher, &pattern, &number, NULL), 0);
}

static void a_log_is_searched_for_the_patterns_that_are_about_it(void **state)
{
    struct fixture *f = *state;
    add_in(f, "needle", "var/log/kern.log var/log/messages");
    add_in(f, "needle", "var/log/SMlog");
    add_in(f, "needle", "var/log/*.log");
    add_in(f, "needle", "**");
    assert_int_equal(matcher_compile(f->matcher, NULL, NULL), 0);
    assert_string_equal(scan(f, "var/log/kern.log.2", "needle", 9),
                        "0@1*1:needle;2@1*1:needle;3@1*1:needle;");
    assert_string_equal(scan(f, "var/log/messages", "needle", 9), "0@1*1:needle;3@1*1:needle;");
    assert_string_equal(scan(f, "var/log/SMlog-20251102", "needle", 9),
                        "1@1*1:needle;3@1*1:needle;");
    assert_string_equal(scan(f, "var/log/xha.log", "needle", 9), "2@1*1:needle;3@1*1:needle;");
    assert_string_equal(scan(f, "etc/hosts", "needle", 9), "3@1*1:needle;");
}

static void wildcards_that_meet_unforeseen_find_the_same_once(void **state)
{
    struct fixture *f = *state;
    add_in(f, "needle", "crash/*/xen.log");
    add_in(f, "needle", "crash/2025-*/**");
    add_in(f, "(x?)", "crash/**"); /* a slow one */
    assert_int_equal(matcher_compile(f->matcher, NULL, NULL), 0);
    assert_string_equal(scan(f, "crash/2025-01/xen.log", "needle\nneedle\n", 3),
                        "0@1*1:needle;1@1*1:needle;0@2*1:needle;1@2*1:needle;2@1*1:needle;2@2*1:"
                        "needle;");
    assert_string_equal(scan(f, "crash/2025-01/dom0.log", "needle", 9),
                        "1@1*1:needle;2@1*1:needle;");
    assert_string_equal(scan(f, "crash/2024-12/xen.log", "needle", 9),
                        "0@1*1:needle;2@1*1:needle;");
    assert_string_equal(scan(f, "etc/hosts", "needle", 9), "(not scanned)");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_line_is_a_hit_once_a_pattern_wherever_the_pieces_end,
                                        setup, teardown),
        cmocka_unit_test_setup_teardown(a_match_never_spans_lines, setup, teardown),
        cmocka_unit_test_setup_teardown(unless_takes_lines_back, setup, teardown),
        cmocka_unit_test_setup_teardown(repeated_messages_count, setup, teardown),
        cmocka_unit_test_setup_teardown(look_around_works_and_is_not_slow, setup, teardown),
        cmocka_unit_test_setup_teardown(a_pattern_that_can_match_nothing_is_slow_but_works, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(other_files_are_not_scanned_but_rotations_are, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(lines_longer_than_a_block_are_searched, setup, teardown),
        cmocka_unit_test_setup_teardown(lines_around_a_hit_are_at_hand_wherever_it_stands, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(long_lines_around_a_hit_do_not_stop_the_scan, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(a_log_is_searched_for_the_patterns_that_are_about_it, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(wildcards_that_meet_unforeseen_find_the_same_once, setup,
                                        teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
