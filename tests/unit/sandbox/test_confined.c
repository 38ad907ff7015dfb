/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * A command line of reports of which some end their reader. The job stands in for an analysis: it
 * does what the report's text says, and lists what it could read in its output.
 */
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "analyzer/cli/commands.h"
#include "analyzer/cli/confined.h"
#include "analyzer/sandbox/confine.h"
#include "common/io.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

static char folder[] = "/tmp/test_confined.XXXXXX";

static int crash(void)
{
    signal(SIGSEGV, SIG_DFL);
    return raise(SIGSEGV);
}

static int eat(void)
{
    for (;;) {
        char *piece = malloc(64 << 20);
        if (!piece)
            return ERR_NOMEM;
        memset(piece, 1, 64 << 20);
    }
}

static int act(const char *text)
{
    if (strcmp(text, "crash") == 0)
        return crash();
    if (strcmp(text, "leave") == 0)
        _exit(0);
    if (strcmp(text, "eat") == 0)
        return eat();
    if (strcmp(text, "intrude") == 0)
        return socket(AF_INET, SOCK_STREAM, 0);
    return 0;
}

/* Reads the inputs; judges, where a report "poison" is a crash; writes what it has seen. */
static int job(struct confined *confined, struct err *err)
{
    CLEANUP(strbuf_release) struct strbuf seen = STRBUF_INIT;
    bool is_poisoned = false;
    int count = 0, r = confined_begin(confined, err);
    for (size_t i = 0; r == 0 && i < confined->inputs->list.count; i++) {
        const struct input *input = &confined->inputs->list.items[i];
        char text[32] = "";
        if (!confined_takes(confined, i)) {
            if (input->rejected)
                strbuf_addf(&seen, "[%s]\n", input->rejected);
            continue;
        }
        confined_reading(confined, i);
        if (read(input->fd, text, sizeof text - 1) < 0)
            return err_set(err, ERR_IO, "cannot read");
        r = act(text);
        if (r < 0)
            return r == ERR_NOMEM ? err_nomem(err) : r;
        is_poisoned = is_poisoned || strcmp(text, "poison") == 0;
        strbuf_addf(&seen, "%s\n", text);
        count++;
    }
    confined_reading(confined, confined->inputs->list.count);
    if (is_poisoned)
        crash();
    if (r == 0 && !confined->is_trial)
        r = output_write(&confined->outputs->files[0], &seen, err);
    return r < 0 ? r : count ? EXIT_FINDINGS : EXIT_NO_REPORT;
}

static int failing_job(struct confined *confined, struct err *err)
{
    CLEANUP(strbuf_release) struct strbuf half = STRBUF_INIT;
    strbuf_adds(&half, "half of it");
    int r = output_write(&confined->outputs->files[0], &half, err);
    return r < 0 ? r : err_set(err, ERR_PARSE, "the rule is wrong");
}

/* --- a command line: its reports are files with these texts */

struct command_line {
    struct options options;
    const char *names[8];
    char paths[8][64];
    char output[64];
    struct err err;
};

static void command_init(struct command_line *command, const char *const *texts)
{
    *command = (struct command_line){0};
    snprintf(command->output, sizeof command->output, "%s/output", folder);
    for (size_t i = 0; texts[i]; i++) {
        snprintf(command->paths[i], sizeof command->paths[i], "%s/report%zu", folder, i);
        int fd = open(command->paths[i], O_WRONLY | O_CREAT | O_TRUNC, 0600);
        assert_int_equal(write(fd, texts[i], strlen(texts[i])), strlen(texts[i]));
        close(fd);
        *vec_push(&command->options.operands) = command->paths[i];
    }
    *vec_push(&command->options.outputs) = (struct output){.format = "text", .path = command->output};
}

static void command_release(struct command_line *command)
{
    options_release(&command->options);
    unlink(command->output);
    for (size_t i = 0; i < ARRAY_SIZE(command->paths); i++)
        unlink(command->paths[i]);
}

static char *output_of(const struct command_line *command)
{
    static char text[2048];
    CLEANUP_FD int fd = open(command->output, O_RDONLY);
    ssize_t length = fd >= 0 ? read(fd, text, sizeof text - 1) : 0;
    text[length > 0 ? length : 0] = '\0';
    return text;
}

/* Runs the texts as reports; returns the output. */
static char *run(const char *const *texts, int *ret_status)
{
    struct command_line command;
    command_init(&command, texts);
    *ret_status = confined_run(&command.options, job, &command.err);
    char *output = output_of(&command);
    command_release(&command);
    return output;
}

#define TEXTS(...) ((const char *const[]){__VA_ARGS__, NULL})

static void one_is_rejected(const char *text, const char *words)
{
    int status;
    const char *output = run(TEXTS("first", text, "last"), &status);
    assert_int_equal(status, EXIT_FINDINGS);
    assert_non_null(strstr(output, "first\n"));
    assert_non_null(strstr(output, "last\n"));
    assert_non_null(strstr(output, "[archive rejected: its reader "));
    assert_non_null(strstr(output, words));
}

static void test_a_report_that_crashes_its_reader_costs_only_itself(void **state)
{
    (void)state;
    one_is_rejected("crash", "crashed (signal 11)");
    one_is_rejected("leave", "ended without a result");
}

static void test_a_report_that_takes_over_its_reader_is_named_an_attack(void **state)
{
    (void)state;
    one_is_rejected("intrude", "the report is an attack");
}

static void test_a_report_that_eats_memory_costs_only_itself(void **state)
{
    (void)state;
    if (SANDBOX_CHECKER)
        skip();
    one_is_rejected("eat", "needed more than 1024 MiB of memory");
}

static void test_several_bad_reports_are_all_found(void **state)
{
    (void)state;
    int status;
    const char *output = run(TEXTS("crash", "a", "crash", "leave", "b"), &status);
    assert_int_equal(status, EXIT_FINDINGS);
    assert_non_null(strstr(output, "a\n"));
    assert_non_null(strstr(output, "b\n"));
    assert_null(strstr(output, "crash\n"));
}

static void test_rows_that_crash_the_judgement_are_traced_to_their_report(void **state)
{
    (void)state;
    int status;
    const char *output = run(TEXTS("a", "poison", "b"), &status);
    assert_int_equal(status, EXIT_FINDINGS);
    assert_string_equal(output, "a\n[archive rejected: its reader crashed (signal 11)]\nb\n");
}

static void test_without_a_good_report_nothing_is_written(void **state)
{
    (void)state;
    static const char *const bad[] = {"crash", "poison", "leave"};
    for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
        struct command_line command;
        command_init(&command, TEXTS(bad[i]));
        assert_int_equal(confined_run(&command.options, job, &command.err), EXIT_NO_REPORT);
        assert_int_equal(access(command.output, F_OK), -1);
        command_release(&command);
    }
}

static void test_a_failure_leaves_the_old_output_as_it_was(void **state)
{
    (void)state;
    struct command_line command;
    command_init(&command, TEXTS("a"));
    int fd = open(command.output, O_WRONLY | O_CREAT, 0600);
    assert_int_equal(write(fd, "old", 3), 3);
    close(fd);
    assert_int_equal(confined_run(&command.options, failing_job, &command.err), ERR_PARSE);
    assert_string_equal(command.err.text, "the rule is wrong");
    assert_string_equal(output_of(&command), "old");
    command_release(&command);
}

static void test_what_cannot_be_opened_costs_only_itself(void **state)
{
    (void)state;
    struct command_line command;
    command_init(&command, TEXTS("a", "b"));
    unlink(command.paths[0]);
    assert_int_equal(confined_run(&command.options, job, &command.err), EXIT_FINDINGS);
    assert_string_equal(output_of(&command), "b\n");
    command_release(&command);
}

static int make_folder(void **state)
{
    (void)state;
    return mkdtemp(folder) ? 0 : -1;
}

/* Fails when anything was left in it: no temporary file may survive. */
static int remove_folder(void **state)
{
    (void)state;
    return rmdir(folder);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_report_that_crashes_its_reader_costs_only_itself),
        cmocka_unit_test(test_a_report_that_takes_over_its_reader_is_named_an_attack),
        cmocka_unit_test(test_a_report_that_eats_memory_costs_only_itself),
        cmocka_unit_test(test_several_bad_reports_are_all_found),
        cmocka_unit_test(test_rows_that_crash_the_judgement_are_traced_to_their_report),
        cmocka_unit_test(test_without_a_good_report_nothing_is_written),
        cmocka_unit_test(test_a_failure_leaves_the_old_output_as_it_was),
        cmocka_unit_test(test_what_cannot_be_opened_costs_only_itself),
    };
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
