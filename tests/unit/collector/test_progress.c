/* SPDX-License-Identifier: LGPL-2.1-only */
#include "collector/run/progress_bar.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <string.h>

#include "collector/plan/columns.h"
#include "common/terminal.h"

static void shows(const struct progress_state *state, unsigned cells, const char *expected)
{
    struct strbuf line = STRBUF_INIT;
    progress_bar_format(state, cells, &line);
    assert_string_equal(line.data, expected);
    strbuf_release(&line);
}

static const struct progress_state halfway = {.done = 152,
                                              .total = 304,
                                              .bytes = 12 * 1024 * 1024,
                                              .elapsed_ms = 5000,
                                              .left_ms = 67000,
                                              .name = "/var/log/xen/hypervisor.log"};

static void a_narrow_terminal_gets_what_matters(void **state)
{
    (void)state;
    shows(&halfway, 79,
          "[######.......] 152/304  12.0 MiB  0:05, ~1:07 left  .../log/xen/hypervisor.log");
    shows(&halfway, 39, "152/304 12.0 MiB ~1:07 left  ...sor.log");
    shows(&halfway, 30, "152/304 12.0 MiB ~1:07 left");
    shows(&halfway, 10, "152/304 12");
    shows(&halfway, 0, "");
}

static void no_line_is_longer_than_the_terminal(void **state)
{
    (void)state;
    struct progress_state foreign = halfway;
    const char *const names[] = {"", "ip -s addr", "/\xe6\x97\xa5\xe6\x9c\xac/\xe8\xaa\x9e",
                                 "/a\033[2J\n", "\xff\xfe\xff\xfe\xff\xfe\xff\xfe\xff\xfe\xff\xfe"};
    for (size_t i = 0; i < ARRAY_SIZE(names); i++)
        for (unsigned cells = 0; cells < 150; cells++) {
            struct strbuf line = STRBUF_INIT;
            foreign.name = names[i];
            foreign.left_ms = cells % 2 ? -1 : 400000000;
            progress_bar_format(&foreign, cells, &line);
            assert_true(terminal_width(line.data, line.length) <= cells);
            assert_null(memchr(line.data, '\033', line.length));
            strbuf_release(&line);
        }
}

static void an_estimate_that_is_not_known_is_left_out(void **state)
{
    (void)state;
    struct progress_state early = halfway;
    early.left_ms = -1;
    early.name = "ip -s addr";
    shows(&early, 70, "[#####......] 152/304  12.0 MiB  0:05  ip -s addr");
    struct strbuf words = STRBUF_INIT;
    progress_words_format(&early, &words);
    assert_string_equal(words.data, "152 of 304 entries, 12.0 MiB, 0:05: ip -s addr");
    strbuf_release(&words);
}

static void a_plan_without_entries_is_done(void **state)
{
    (void)state;
    shows(&(struct progress_state){.left_ms = -1, .name = ""}, 60,
          "[##########] 0/0  0 bytes  0:00  ");
}

static void times_are_told_as_clocks_do(void **state)
{
    (void)state;
    char text[24];
    assert_string_equal(progress_clock(-5, text, sizeof text), "0:00");
    assert_string_equal(progress_clock(59600, text, sizeof text), "1:00");
    assert_string_equal(progress_clock(3723000, text, sizeof text), "1:02:03");
}

static void clipped(const char *text, unsigned columns, const char *expected)
{
    struct strbuf out = STRBUF_INIT;
    terminal_clip(text, columns, &out);
    assert_string_equal(out.data, expected);
    strbuf_release(&out);
}

static void a_path_keeps_its_end_and_a_command_its_beginning(void **state)
{
    (void)state;
    clipped("/var/log/kern.log", 17, "/var/log/kern.log");
    clipped("/var/log/kern.log", 12, ".../kern.log");
    clipped("ip -s addr", 9, "ip -s ...");
    clipped("/bin/sh -c true", 10, "/bin/sh...");
    clipped("ip -s addr", 3, "");
    clipped("a\tb\033", 20, "a\\x09b\\x1b");
    clipped("\xe6\x97\xa5\xe6\x9c\xac\xe8\xaa\x9e", 6, "\xe6\x97\xa5\xe6\x9c\xac\xe8\xaa\x9e");
    clipped("\xe6\x97\xa5\xe6\x9c\xac\xe8\xaa\x9e", 5, "\xe6\x97\xa5...");
}

static void columns_are_as_wide_as_what_stands_in_them(void **state)
{
    (void)state;
    struct columns table = {.sides = "lrl"};
    struct strbuf out = STRBUF_INIT;
    const char *const cells[] = {"name", "n", "what it is", "\xc3\xa4", "1200", "a\nb"};
    for (size_t i = 0; i < ARRAY_SIZE(cells); i++)
        assert_int_equal(columns_add(&table, NULL, "%s", cells[i]), 0);
    columns_print(&table, 0, &out);
    assert_string_equal(out.data, "name     n  what it is\n\xc3\xa4     1200  a\\x0ab\n");
    strbuf_clear(&out);
    columns_print(&table, 20, &out);
    assert_string_equal(out.data, "name     n  what ...\n\xc3\xa4     1200  a\\x0ab\n");
    strbuf_release(&out);
    columns_release(&table);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_narrow_terminal_gets_what_matters),
        cmocka_unit_test(no_line_is_longer_than_the_terminal),
        cmocka_unit_test(an_estimate_that_is_not_known_is_left_out),
        cmocka_unit_test(a_plan_without_entries_is_done),
        cmocka_unit_test(times_are_told_as_clocks_do),
        cmocka_unit_test(a_path_keeps_its_end_and_a_command_its_beginning),
        cmocka_unit_test(columns_are_as_wide_as_what_stands_in_them),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
