/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * Children that behave and children that do not.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <cmocka.h>

#include <signal.h>

#include "common/io.h"
#include "healthcheck/child/child.h"

#define LONG_MS 60000

static struct strbuf out, errors;

static int empty(void **state)
{
    (void)state;
    out = errors = (struct strbuf)STRBUF_INIT_MAX(1000);
    return 0;
}

static int release(void **state)
{
    (void)state;
    strbuf_release(&out);
    strbuf_release(&errors);
    return 0;
}

static struct child_end run(const char *script, int64_t limit_ms, const atomic_bool *cancelled,
                            struct err *err)
{
    const char *const argv[] = {"/bin/sh", "-c", script, NULL};
    const struct child_spec spec = {.argv = argv,
                                    .time_limit_ms = limit_ms,
                                    .cancelled = cancelled,
                                    .out = &out,
                                    .errors = &errors};
    struct child_end end = {.status = -1};
    struct err own = ERR_INIT;
    if (child_run(&spec, &end, &own) < 0)
        fail_msg("%s", own.text);
    if (err && (end.outcome != CHILD_EXITED || end.status))
        child_complain(&spec, &end, ERR_IO, err);
    return end;
}

static void output_and_status_come_back(void **state)
{
    (void)state;
    struct child_end end = run("echo out; echo err >&2; exit 7", LONG_MS, NULL, NULL);
    assert_int_equal(end.outcome, CHILD_EXITED);
    assert_int_equal(end.status, 7);
    assert_string_equal(out.data, "out\n");
    assert_string_equal(errors.data, "err\n");
}

static void more_output_than_wanted_is_read_and_lost(void **state)
{
    (void)state;
    struct child_end end =
        run("head -c 1000000 /dev/zero | tr '\\0' x; exit 3", LONG_MS, NULL, NULL);
    assert_int_equal(end.status, 3);
    assert_int_equal(out.length, 1000);
}

static void a_signal_is_told(void **state)
{
    (void)state;
    struct err err = ERR_INIT;
    struct child_end end = run("kill -SEGV $$", LONG_MS, NULL, &err);
    assert_int_equal(end.outcome, CHILD_SIGNALLED);
    assert_int_equal(end.status, SIGSEGV);
    assert_string_equal(err.text, "sh was ended by signal 11");
}

static void one_that_takes_too_long_is_asked_to_end(void **state)
{
    (void)state;
    /* On a busy machine the shell may need longer to set its trap. */
    for (int limit_ms = 300;; limit_ms *= 4) {
        struct err err = ERR_INIT;
        struct child_end end =
            run("trap 'echo bye; exit 9' TERM; while :; do sleep 0.05; done", limit_ms, NULL, &err);
        assert_int_equal(end.outcome, CHILD_TIMEOUT);
        assert_int_equal(err.code, ERR_TIMEOUT);
        if (end.status == 9) {
            assert_string_equal(out.data, "bye\n");
            return;
        }
        assert_true(limit_ms < 60000);
    }
}

static void an_interrupt_ends_a_child(void **state)
{
    (void)state;
    atomic_bool cancelled = true;
    struct err err = ERR_INIT;
    assert_int_equal(run("sleep 1000", LONG_MS, &cancelled, &err).outcome, CHILD_CANCELLED);
    assert_int_equal(err.code, ERR_CANCELLED);
}

static bool is_alive(const char *number)
{
    char path[64], text[512] = "";
    snprintf(path, sizeof path, "/proc/%d/stat", (int)strtol(number, NULL, 10));
    CLEANUP_FILE FILE *file = fopen(path, "re");
    return file && fgets(text, sizeof text, file) && !strstr(text, ") Z ");
}

static void what_a_child_left_running_ends_with_it(void **state)
{
    (void)state;
    struct child_end end = run("sleep 1000 & echo $!", LONG_MS, NULL, NULL);
    assert_int_equal(end.outcome, CHILD_EXITED);
    assert_int_equal(end.status, 0);
    for (int i = 0; i < 2400 && is_alive(out.data); i++)
        usleep(50000);
    assert_false(is_alive(out.data));
}

static void a_child_has_no_input(void **state)
{
    (void)state;
    struct child_end end = run("cat && echo end", LONG_MS, NULL, NULL);
    assert_int_equal(end.status, 0);
    assert_string_equal(out.data, "end\n");
}

static void a_program_that_is_not_there_is_an_error(void **state)
{
    (void)state;
    const char *const argv[] = {"/nonexistent/program", NULL};
    const struct child_spec spec = {.argv = argv, .time_limit_ms = LONG_MS};
    struct child_end end;
    struct err err = ERR_INIT;
    char path[100] = "untouched";
    assert_int_equal(child_run(&spec, &end, &err), ERR_NOTFOUND);
    assert_non_null(strstr(err.text, "/nonexistent/program"));
    assert_int_equal(child_find("no-such-program", path, sizeof path, NULL), ERR_NOTFOUND);
    assert_string_equal(path, "untouched");
}

static void programs_are_found_beside_this_one(void **state)
{
    (void)state;
    char path[4096];
    assert_int_equal(child_find("test_child", path, sizeof path, NULL), 0);
    assert_int_equal(access(path, X_OK), 0);
    assert_int_equal(child_find("test_child", path, 5, NULL), ERR_NOTFOUND);
}

static void the_last_line_says_why_and_cannot_harm(void **state)
{
    (void)state;
    struct err err = ERR_INIT;
    run("printf 'first\\nwhy \\033[2J\\n\\n' >&2; exit 1", LONG_MS, NULL, &err);
    assert_string_equal(err.text, "sh: why \\x1b[2J");
    err_clear(&err);
    strbuf_clear(&errors);
    run("exit 4", LONG_MS, NULL, &err);
    assert_string_equal(err.text, "sh ended with status 4");
}

#define CASE(function) cmocka_unit_test_setup_teardown(function, empty, release)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(output_and_status_come_back),
        CASE(more_output_than_wanted_is_read_and_lost),
        CASE(a_signal_is_told),
        CASE(one_that_takes_too_long_is_asked_to_end),
        CASE(an_interrupt_ends_a_child),
        CASE(what_a_child_left_running_ends_with_it),
        CASE(a_child_has_no_input),
        CASE(a_program_that_is_not_there_is_an_error),
        CASE(programs_are_found_beside_this_one),
        CASE(the_last_line_says_why_and_cannot_harm),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
