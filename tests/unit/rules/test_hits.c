/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * The store of hits: bounded, dated, and without counting a kernel line twice.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "analyzer/judge/hits.h"

struct fixture {
    struct hits *hits;
    struct regex *regex;
    struct regex_scratch *scratch;
    int64_t line;
};

static int setup(void **state)
{
    static struct fixture fixture;
    fixture = (struct fixture){.scratch = regex_scratch_new()};
    *state = &fixture;
    return regex_compile("x", 1, &fixture.regex, NULL) < 0 ? -1 : hits_new(1, &fixture.hits, NULL);
}

static int teardown(void **state)
{
    struct fixture *f = *state;
    hits_free(f->hits);
    regex_free(f->regex);
    regex_scratch_free(f->scratch);
    return 0;
}

/* A hit on host 0 at 10:minute:second on 2 November, or without a time when minute is negative. */
static void hit_bytes(struct fixture *f, const char *path, const char *text, size_t length,
                      int minute, int second)
{
    struct stamp stamp = {0};
    if (minute >= 0)
        stamp = (struct stamp){.month = 11,
                               .day = 2,
                               .hour = 10,
                               .minute = (signed char)minute,
                               .second = (signed char)second,
                               .known = true};
    struct line_hit line = {
        .line = ++f->line, .text = text, .length = length, .count = 1, .groups = f->scratch};
    regex_match(f->regex, f->scratch, text, length, 0);
    assert_int_equal(hits_add(f->hits, f->regex, 0, path, &line, &stamp, NULL), 0);
}

static void hit(struct fixture *f, const char *path, const char *text, int minute, int second)
{
    hit_bytes(f, path, text, strlen(text), minute, second);
}

static void date(struct fixture *f)
{
    int64_t taken = 1793620800; /* 2026-11-02T12:00:00 */
    hits_date(f->hits, &(struct host_clock){.taken = taken}, 1);
}

static void a_kernel_line_in_two_logs_counts_once(void **state)
{
    struct fixture *f = *state;
    hit(f, "var/log/kern.log", "Nov  2 10:00:00 h kernel: [   12.345678] x", 0, 0);
    hit(f, "var/log/messages", "Nov  2 10:00:00 other kernel: [   12.345678] x", 0, 0);
    hit(f, "dmesg.out", "[   12.345678] x", -1, 0);
    hit(f, "dmesg.out", "[   12.345679] x", -1, 0);
    assert_int_equal(hits_list(f->hits, 0, 0).events, 2);
}

static void lines_without_a_kernel_stamp_all_count(void **state)
{
    struct fixture *f = *state;
    hit(f, "var/log/SMlog", "x", 0, 0);
    hit(f, "var/log/SMlog", "x", 0, 0);
    assert_int_equal(hits_list(f->hits, 0, 0).events, 2);
}

/* A dump of one line that holds the message far behind its start. */
static void of_a_long_line_the_part_around_the_match_is_kept(void **state)
{
    struct fixture *f = *state;
    static char text[10001];
    memset(text, '-', sizeof text - 1);
    text[7000] = 'x';
    hit(f, "var/log/messages", text, 0, 0);
    hit(f, "var/log/messages", "a short x", 0, 1);
    struct hit_list list = hits_list(f->hits, 0, 0);
    const struct hit *cut = list.items[0], *whole = list.items[1];
    assert_int_equal(strlen(cut->text), HIT_TEXT_MAX);
    assert_int_equal(strncmp(cut->text, "...-", 4), 0);
    assert_string_equal(cut->text + HIT_TEXT_MAX - 4, "-...");
    assert_int_equal(cut->text[cut->match], 'x');
    assert_int_equal(cut->match_length, 1);
    assert_string_equal(whole->text, "a short x");
    assert_int_equal(whole->match, 8);
}

/* As a crash leaves them. */
static void a_line_with_nuls_is_kept_to_its_end(void **state)
{
    struct fixture *f = *state;
    static const char text[] = "kernel: \0\0\0 an x";
    hit_bytes(f, "var/log/kern.log", text, sizeof text - 1, 0, 0);
    const struct hit *kept = hits_list(f->hits, 0, 0).items[0];
    assert_string_equal(kept->text, "kernel:     an x");
    assert_int_equal(kept->match, strlen(kept->text) - 1);
}

static void the_first_and_the_last_are_kept_and_all_are_counted(void **state)
{
    struct fixture *f = *state;
    for (int i = 0; i < 3000; i++)
        hit(f, "var/log/SMlog", "x", i / 60, i % 60);
    date(f);
    struct hit_list list = hits_list(f->hits, 0, 0);
    assert_int_equal(list.events, 3000);
    assert_int_equal(list.count, 2 * HITS_KEPT);
    assert_false(list.complete);
    assert_int_equal(list.items[0]->line, 1);
    assert_int_equal(list.items[list.count - 1]->line, 3000);
}

static void the_densest_window_is_found_with_and_without_all_hits(void **state)
{
    struct fixture *f = *state;
    static const int minutes[] = {0, 1, 20, 21, 22, 40};
    for (size_t i = 0; i < ARRAY_SIZE(minutes); i++)
        hit(f, "var/log/SMlog", "x", minutes[i], 0);
    date(f);
    assert_int_equal(hits_densest(f->hits, 0, 0, 120), 3);
    assert_int_equal(hits_densest(f->hits, 0, 0, 59), 1);
    assert_int_equal(hits_densest(f->hits, 0, 0, 0), 6);
    for (int i = 0; i < 1000; i++)
        hit(f, "var/log/SMlog", "x", 50, i % 60);
    date(f);
    assert_false(hits_list(f->hits, 0, 0).complete);
    assert_int_equal(hits_densest(f->hits, 0, 0, 60), 1000);
}

static void kernel_uptime_stands_in_for_a_missing_clock(void **state)
{
    struct fixture *f = *state;
    hit(f, "dmesg.out", "[  100.000000] x", -1, 0);
    hit(f, "dmesg.out", "[  130.000000] x", -1, 0);
    hit(f, "dmesg.out", "[ 9000.000000] x", -1, 0);
    date(f);
    assert_int_equal(hits_densest(f->hits, 0, 0, 60), 2);
}

static void hits_keep_the_lines_around_them_when_asked(void **state)
{
    struct fixture *f = *state;
    static const char log[] = "0\n1\n2\n3\n4\n5\nx\n7\n8\n9\n";
    const char *text = strchr(log, 'x');
    struct line_hit line = {.line = 7,
                            .text = text,
                            .length = 1,
                            .count = 1,
                            .groups = f->scratch,
                            .around = log,
                            .around_end = log + strlen(log)};
    struct stamp stamp = {0};
    regex_match(f->regex, f->scratch, text, 1, 0);
    assert_int_equal(hits_add(f->hits, f->regex, 0, "var/log/SMlog", &line, &stamp, NULL), 0);
    hits_want_context(f->hits);
    line.line = 8;
    assert_int_equal(hits_add(f->hits, f->regex, 0, "var/log/SMlog", &line, &stamp, NULL), 0);

    assert_string_equal(hits_find(f->hits, 0, 0, "var/log/SMlog", 7)->before, "");
    const struct hit *hit = hits_find(f->hits, 0, 0, "var/log/SMlog", 8);
    assert_string_equal(hit->before, "1\n2\n3\n4\n5");
    assert_string_equal(hit->after, "7\n8\n9");
    assert_null(hits_find(f->hits, 0, 0, "var/log/kern.log", 8));
}

static void long_lines_around_a_hit_are_cut(void **state)
{
    struct fixture *f = *state;
    char log[2000];
    memset(log, 'a', sizeof log);
    log[1000] = log[1002] = '\n';
    log[1001] = 'x';
    struct line_hit line = {.text = log + 1001,
                            .length = 1,
                            .count = 1,
                            .groups = f->scratch,
                            .around = log,
                            .around_end = log + sizeof log};
    struct stamp stamp = {0};
    regex_match(f->regex, f->scratch, line.text, 1, 0);
    hits_want_context(f->hits);
    assert_int_equal(hits_add(f->hits, f->regex, 0, "var/log/SMlog", &line, &stamp, NULL), 0);
    const struct hit *hit = hits_list(f->hits, 0, 0).items[0];
    assert_int_equal(strlen(hit->before), CONTEXT_LINE_MAX);
    assert_int_equal(strlen(hit->after), CONTEXT_LINE_MAX);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_kernel_line_in_two_logs_counts_once, setup, teardown),
        cmocka_unit_test_setup_teardown(lines_without_a_kernel_stamp_all_count, setup, teardown),
        cmocka_unit_test_setup_teardown(of_a_long_line_the_part_around_the_match_is_kept, setup, teardown),
        cmocka_unit_test_setup_teardown(a_line_with_nuls_is_kept_to_its_end, setup, teardown),
        cmocka_unit_test_setup_teardown(the_first_and_the_last_are_kept_and_all_are_counted, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(the_densest_window_is_found_with_and_without_all_hits,
                                        setup, teardown),
        cmocka_unit_test_setup_teardown(kernel_uptime_stands_in_for_a_missing_clock, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(hits_keep_the_lines_around_them_when_asked, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(long_lines_around_a_hit_are_cut, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
