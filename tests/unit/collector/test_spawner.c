/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * Nasty children. Every program inherits a PATH with a marker in it, so that whoever survives is
 * found in /proc/<pid>/environ, wherever it hid.
 */
#include "collector/process/spawner.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <pthread.h>
#include <sys/wait.h>
#include <cmocka.h>

#include "common/io.h"
#include "common/units.h"

static char marker[64];
static struct spawner *spawner;

struct capture {
    struct strbuf text;
    size_t cut_at; /* 0: never */
    int fail_with;
};

static int keep(void *context, const void *bytes, size_t length, struct err *err)
{
    struct capture *capture = context;
    if (capture->fail_with)
        return err_set(err, capture->fail_with, "the archive is full");
    strbuf_add(&capture->text, bytes, length);
    return capture->cut_at && capture->text.length >= capture->cut_at;
}

static struct child_end run(const struct child_spec *spec, struct capture *capture)
{
    struct err err = ERR_INIT;
    struct child_end end = {0};
    capture->text = (struct strbuf)STRBUF_INIT;
    int r = child_run(spawner, spec, keep, capture, &end, &err);
    if (r != 0)
        fail_msg("child_run: %s", err.text);
    return end;
}

/* Limits that let a script get to its point: under valgrind everything takes longer. */
static int64_t patient(int64_t ms)
{
    const char *patience = getenv("XENHEALTH_PATIENCE");
    int64_t factor = 1;
    if (patience && units_integer(patience, &factor) && factor > 4)
        return ms * (factor / 4);
    return ms;
}

static struct child_end run_shell(const char *script, int64_t limit_ms, struct capture *capture)
{
    const char *argv[] = {"/bin/sh", "-c", script, NULL};
    return run(&(struct child_spec){.argv = argv, .time_limit_ms = limit_ms}, capture);
}

static bool is_marked(const char *pid)
{
    char path[300];
    snprintf(path, sizeof path, "/proc/%s/environ", pid);
    struct strbuf environment = STRBUF_INIT;
    io_read_file(AT_FDCWD, path, 1 << 20, &environment, NULL);
    bool found = memmem(environment.data, environment.length, marker, strlen(marker)) != NULL;
    strbuf_release(&environment);
    return found;
}

static unsigned survivors(void)
{
    unsigned count = 0;
    DIR *proc = opendir("/proc");
    assert_non_null(proc);
    for (struct dirent *entry; (entry = readdir(proc));) {
        int64_t pid;
        if (units_integer(entry->d_name, &pid))
            count += is_marked(entry->d_name);
    }
    closedir(proc);
    return count;
}

/*
 * Up to two minutes: a client has its answer in half a second, but on a busy machine the keeper may
 * need longer, and what died of KILL takes a moment to leave /proc. Returns how many are left.
 */
static unsigned wait_for_survivors(void)
{
    for (int i = 0; i < 6000 && survivors() > 0; i++)
        nanosleep(&(struct timespec){0, 20000000}, NULL);
    return survivors();
}

static void assert_no_survivors(void)
{
    assert_int_equal(wait_for_survivors(), 0);
}

static int say(void *context, int argc, const char *const *argv)
{
    printf("%s %d %s\n", (const char *)context, argc, argv[1]);
    return 7;
}

_Noreturn static void hang_for_ever(void)
{
    signal(SIGTERM, SIG_IGN);
    for (;;)
        pause();
}

static int hang(void *context, int argc, const char *const *argv)
{
    (void)context, (void)argc, (void)argv;
    dprintf(1, "%d", (int)getpid());
    hang_for_ever();
}

static const struct spawner_function functions[] = {{"say", say}, {"hang", hang}, {NULL, NULL}};

static int start(void **state)
{
    (void)state;
    char path[256];
    snprintf(marker, sizeof marker, "/nonexistent/marker-%d", (int)getpid());
    snprintf(path, sizeof path, "%s:.::%s:/usr/bin", getenv("PATH"), marker);
    setenv("PATH", path, 1);
    static char greeting[] = "hello";
    return spawner_start(functions, greeting, &spawner, NULL);
}

static int stop(void **state)
{
    (void)state;
    spawner = spawner_stop(spawner);
    return wait_for_survivors() == 0 ? 0 : -1;
}

static void output_and_exit_status_arrive(void **state)
{
    (void)state;
    struct capture capture = {0};
    struct child_end end = run_shell("echo out; echo bad >&2; exit 3", 20000, &capture);
    assert_int_equal(end.outcome, CHILD_EXITED);
    assert_int_equal(end.status, 3);
    assert_string_equal(capture.text.data, "out\n");
    assert_string_equal(end.errors, "bad\n");
    strbuf_release(&capture.text);
}

static void all_of_a_large_output_arrives(void **state)
{
    (void)state;
    struct capture capture = {0};
    struct child_end end = run_shell("head -c 3000000 /dev/zero", 60000, &capture);
    assert_int_equal(end.outcome, CHILD_EXITED);
    assert_int_equal(capture.text.length, 3000000);
    strbuf_release(&capture.text);
}

static void a_program_that_does_not_exist_is_not_started(void **state)
{
    (void)state;
    struct capture capture = {0};
    const char *argv[] = {"no-such-program", "-x", NULL};
    struct child_end end =
        run(&(struct child_spec){.argv = argv, .time_limit_ms = 20000}, &capture);
    assert_int_equal(end.outcome, CHILD_NOT_STARTED);
    assert_int_equal(end.sysno, ENOENT);
    argv[0] = "/etc/passwd";
    end = run(&(struct child_spec){.argv = argv, .time_limit_ms = 20000}, &capture);
    assert_int_equal(end.outcome, CHILD_NOT_STARTED);
    assert_int_equal(end.sysno, EACCES);
}

static void input_is_the_given_text_or_nothing(void **state)
{
    (void)state;
    struct capture capture = {0};
    const char *argv[] = {"cat", NULL};
    run(&(struct child_spec){.argv = argv, .input = "show\n", .time_limit_ms = 20000}, &capture);
    assert_string_equal(capture.text.data, "show\n");
    strbuf_release(&capture.text);
    struct child_end end =
        run(&(struct child_spec){.argv = argv, .time_limit_ms = 20000}, &capture);
    assert_int_equal(end.outcome, CHILD_EXITED);
    assert_int_equal(capture.text.length, 0);
}

static void the_environment_is_fixed(void **state)
{
    (void)state;
    struct capture capture = {0};
    setenv("HTTP_PROXY_PASSWORD", "hunter2", 1);
    const char *argv[] = {"env", NULL};
    run(&(struct child_spec){.argv = argv, .time_limit_ms = 20000}, &capture);
    const char *expected =
        "PATH=/opt/xensource/bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/root/bin";
    assert_int_equal(strncmp(capture.text.data, expected, strlen(expected)), 0);
    assert_non_null(strstr(capture.text.data, "\nLC_ALL=C\nHOME="));
    assert_null(strstr(capture.text.data, "hunter2"));
    /* Relative and empty elements of PATH are gone. */
    assert_null(strstr(capture.text.data, ":.:"));
    assert_null(strstr(capture.text.data, "::"));
    strbuf_release(&capture.text);
}

static void a_child_has_a_session_low_priority_and_three_descriptors(void **state)
{
    (void)state;
    struct capture capture = {0};
    run_shell("ls /proc/self/fd | wc -l; cut -d' ' -f5,6 /proc/$$/stat; echo $$; nice; ulimit -c;"
              "grep SigBlk /proc/self/status",
              20000, &capture);
    long fds, group, session, pid, niceness, core;
    unsigned long long blocked;
    assert_int_equal(sscanf(capture.text.data, "%ld %ld %ld %ld %ld %ld SigBlk: %llx", &fds, &group,
                            &session, &pid, &niceness, &core, &blocked),
                     7);
    assert_int_equal(fds, 4); /* and the one that ls opens */
    assert_int_equal(group, pid);
    assert_int_equal(session, pid);
    assert_true(niceness >= 10);
    assert_int_equal(core, 0);
    assert_int_equal(blocked, 0);
    strbuf_release(&capture.text);
}

static void a_signal_that_is_not_ours_is_told(void **state)
{
    (void)state;
    struct capture capture = {0};
    struct child_end end = run_shell("kill -SEGV $$", 20000, &capture);
    assert_int_equal(end.outcome, CHILD_SIGNALED);
    assert_int_equal(end.status, SIGSEGV);
}

/* Each would keep the original tool busy or leave something running. */
static const struct nasty {
    const char *name, *script;
    enum child_outcome outcome;
} nasty[] = {
    {"never ends", "sleep 1000", CHILD_TIMEOUT},
    {"ignores TERM", "trap '' TERM HUP INT; while :; do sleep 1000; done", CHILD_TIMEOUT},
    {"part of a line, then silence", "printf part; sleep 1000", CHILD_TIMEOUT},
    {"a byte now and then", "while :; do printf x; sleep 0.05; done", CHILD_TIMEOUT},
    {"endless output", "cat /dev/zero", CHILD_TIMEOUT},
    {"endless errors", "cat /dev/zero >&2", CHILD_TIMEOUT},
    {"endless lines without newline", "yes | tr -d '\\n'", CHILD_TIMEOUT},
    {"closes its output and lives on", "exec >&- 2>&-; sleep 1000", CHILD_TIMEOUT},
    {"a background child holds the pipe", "sleep 1000 & exit 0", CHILD_EXITED},
    {"waits for its background child", "sleep 1000 & wait", CHILD_TIMEOUT},
    {"double fork and new session", "(setsid sh -c 'setsid sleep 1000 & sleep 1000' &) ; exit 0",
     CHILD_EXITED},
    {"a daemon that ignores everything",
     "setsid sh -c \"trap '' TERM HUP INT; (trap '' TERM; sleep 1000) & sleep 1000\" & sleep 0.1",
     CHILD_EXITED},
    {"a family of many", "for i in 1 2 3 4 5 6 7 8 9; do (sleep 1000 & sleep 1000) & done; wait",
     CHILD_TIMEOUT},
    {"keeps forking", "f() { sleep 0.02; (f &) ; }; trap '' TERM; f; f; sleep 1000", CHILD_TIMEOUT},
    {"stops itself", "kill -STOP $$", CHILD_TIMEOUT},
    {"its parent dies first", "sh -c 'kill -KILL $PPID; sleep 1000'", CHILD_SIGNALED},
    {"reads its input for ever", "while :; do cat; done", CHILD_TIMEOUT},
};

static void nothing_survives_a_nasty_command(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(nasty); i++) {
        struct capture capture = {0};
        /*
         * The limit must let the shell get to the point on a busy machine; endless output is only
         * counted.
         */
        int64_t limit_ms = nasty[i].outcome == CHILD_TIMEOUT ? patient(300) : 60000;
        struct child_end end = run_shell(nasty[i].script, limit_ms, &capture);
        if (end.outcome != nasty[i].outcome)
            fail_msg("'%s': outcome %d", nasty[i].name, (int)end.outcome);
        strbuf_release(&capture.text);
        assert_no_survivors();
    }
}

static void output_before_the_time_limit_is_kept(void **state)
{
    (void)state;
    /* On a busy machine the shell may need longer to say anything. */
    for (int limit_ms = 300;; limit_ms *= 4) {
        struct capture capture = {0};
        struct child_end end = run_shell("printf begun; printf why >&2; sleep 1000", limit_ms, &capture);
        assert_int_equal(end.outcome, CHILD_TIMEOUT);
        bool has_said = strcmp(end.errors, "why") == 0;
        if (has_said)
            assert_string_equal(capture.text.data, "begun");
        strbuf_release(&capture.text);
        if (has_said)
            return;
        assert_true(limit_ms < 60000);
    }
}

static void errors_are_cut_not_waited_for(void **state)
{
    (void)state;
    struct capture capture = {0};
    struct child_end end = run_shell("head -c 500000 /dev/zero | tr '\\0' e >&2", 60000, &capture);
    assert_int_equal(end.outcome, CHILD_EXITED);
    assert_int_equal(strlen(end.errors), sizeof end.errors - 1);
}

static void the_callback_can_cut_a_child_short(void **state)
{
    (void)state;
    struct capture capture = {.cut_at = 100000};
    struct child_end end = run_shell("cat /dev/zero", 60000, &capture);
    assert_int_equal(end.outcome, CHILD_CUT);
    assert_true(capture.text.length >= 100000);
    strbuf_release(&capture.text);
    assert_no_survivors();
}

static void a_failing_callback_ends_the_child(void **state)
{
    (void)state;
    struct capture capture = {.text = STRBUF_INIT, .fail_with = ERR_LIMIT};
    const char *argv[] = {"sh", "-c", "while :; do echo x; done", NULL};
    struct child_spec spec = {.argv = argv, .time_limit_ms = 60000};
    struct child_end end;
    struct err err = ERR_INIT;
    assert_int_equal(child_run(spawner, &spec, keep, &capture, &end, &err), ERR_LIMIT);
    assert_string_equal(err.text, "the archive is full");
    assert_no_survivors();
}

static void a_time_limit_of_zero_is_over_at_once(void **state)
{
    (void)state;
    struct capture capture = {0};
    assert_int_equal(run_shell("sleep 1000", 0, &capture).outcome, CHILD_TIMEOUT);
    assert_int_equal(run_shell("sleep 1000", -1, &capture).outcome, CHILD_TIMEOUT);
    assert_no_survivors();
}

static void *raise_flag(void *flag)
{
    nanosleep(&(struct timespec){0, 300000000}, NULL);
    atomic_store((atomic_bool *)flag, true);
    return NULL;
}

static void the_cancel_flag_ends_a_child(void **state)
{
    (void)state;
    atomic_bool cancelled = false;
    pthread_t thread;
    assert_int_equal(pthread_create(&thread, NULL, raise_flag, &cancelled), 0);
    const char *argv[] = {"sleep", "1000", NULL};
    struct capture capture = {0};
    struct child_end end =
        run(&(struct child_spec){.argv = argv, .time_limit_ms = 600000, .cancelled = &cancelled},
            &capture);
    pthread_join(thread, NULL);
    assert_int_equal(end.outcome, CHILD_CANCELLED);
    assert_no_survivors();
}

static void a_function_runs_with_its_context(void **state)
{
    (void)state;
    struct capture capture = {0};
    const char *argv[] = {"say", "there", NULL};
    struct child_spec spec = {.is_function = true, .argv = argv, .time_limit_ms = 20000};
    struct child_end end = run(&spec, &capture);
    assert_int_equal(end.outcome, CHILD_EXITED);
    assert_int_equal(end.status, 7);
    assert_string_equal(capture.text.data, "hello 2 there\n");
    strbuf_release(&capture.text);
    argv[0] = "unheard-of";
    end = run(&spec, &capture);
    assert_int_equal(end.outcome, CHILD_NOT_STARTED);
    assert_int_equal(end.sysno, ENOENT);
}

static void a_function_that_hangs_is_ended(void **state)
{
    (void)state;
    const char *argv[] = {"hang", NULL};
    int64_t pid = 0;
    /* On a busy machine it may need longer to say who it is. */
    for (int64_t limit_ms = 300; pid == 0 && limit_ms < 60000; limit_ms *= 4) {
        struct capture capture = {0};
        struct child_spec spec = {.is_function = true, .argv = argv, .time_limit_ms = limit_ms};
        assert_int_equal(run(&spec, &capture).outcome, CHILD_TIMEOUT);
        if (capture.text.length)
            assert_true(units_integer(capture.text.data, &pid));
        strbuf_release(&capture.text);
    }
    assert_true(pid > 0);
    for (int i = 0; i < 12000 && kill((pid_t)pid, 0) == 0; i++)
        nanosleep(&(struct timespec){0, 10000000}, NULL);
    assert_int_equal(kill((pid_t)pid, 0), -1);
}

static void a_command_line_beyond_the_limit_is_refused(void **state)
{
    (void)state;
    struct strbuf script = STRBUF_INIT;
    while (script.length < 70000)
        strbuf_adds(&script, "true; ");
    const char *argv[] = {"sh", "-c", script.data, NULL};
    struct capture capture = {.text = STRBUF_INIT};
    struct child_end end;
    struct child_spec spec = {.argv = argv, .time_limit_ms = 1000};
    assert_int_equal(child_run(spawner, &spec, keep, &capture, &end, NULL), ERR_LIMIT);
    strbuf_release(&script);
}

static void *run_twenty(void *failures)
{
    for (int i = 0; i < 20; i++) {
        struct capture capture = {0};
        struct child_end end = run_shell("echo $$; (sleep 1000 &)", 60000, &capture);
        if (end.outcome != CHILD_EXITED || capture.text.length < 2)
            atomic_fetch_add((atomic_int *)failures, 1);
        strbuf_release(&capture.text);
    }
    return NULL;
}

static void threads_may_run_children_at_once(void **state)
{
    (void)state;
    pthread_t threads[4];
    atomic_int failures = 0;
    for (size_t i = 0; i < ARRAY_SIZE(threads); i++)
        assert_int_equal(pthread_create(&threads[i], NULL, run_twenty, &failures), 0);
    for (size_t i = 0; i < ARRAY_SIZE(threads); i++)
        pthread_join(threads[i], NULL);
    assert_int_equal(failures, 0);
    assert_no_survivors();
}

/* A client in a process of its own, in the midst of a stubborn child; its number. */
static pid_t start_doomed_client(void)
{
    pid_t pid = fork();
    if (pid != 0)
        return pid;
    struct spawner *own;
    if (spawner_start(functions, NULL, &own, NULL) < 0)
        _exit(1);
    struct capture capture = {.text = STRBUF_INIT};
    struct child_end end;
    const char *argv[] = {"sh", "-c", "trap '' TERM; (setsid sleep 1000 &); sleep 1000", NULL};
    struct child_spec spec = {.argv = argv, .time_limit_ms = 1000000};
    child_run(own, &spec, keep, &capture, &end, NULL);
    _exit(0);
}

static void killing_the_program_ends_its_children(void **state)
{
    (void)state;
    pid_t client = start_doomed_client();
    for (int i = 0; i < 12000 && survivors() < 3; i++) /* both sleeps and the shell are there */
        nanosleep(&(struct timespec){0, 10000000}, NULL);
    assert_true(survivors() >= 3);
    kill(client, SIGKILL);
    waitpid(client, NULL, 0);
    assert_no_survivors();
}

/* A process whose parent we are, but not `known`. (Numbers wrap around: the highest is not the youngest.) */
static pid_t child_other_than(pid_t known)
{
    pid_t found = 0;
    DIR *proc = opendir("/proc");
    assert_non_null(proc);
    for (struct dirent *entry; (entry = readdir(proc));) {
        char path[300];
        int64_t pid;
        int parent = 0;
        snprintf(path, sizeof path, "/proc/%s/stat", entry->d_name);
        CLEANUP_FILE FILE *stat = units_integer(entry->d_name, &pid) ? fopen(path, "re") : NULL;
        if (stat && fscanf(stat, "%*d %*s %*c %d", &parent) == 1 && parent == getpid() &&
            pid != known)
            found = (pid_t)pid;
    }
    closedir(proc);
    return found;
}

static void a_dead_helper_is_an_error_not_a_hang(void **state)
{
    (void)state;
    struct spawner *own;
    pid_t first = child_other_than(0);
    assert_int_equal(spawner_start(functions, NULL, &own, NULL), 0);
    kill(child_other_than(first), SIGKILL);
    struct capture capture = {.text = STRBUF_INIT};
    struct child_end end;
    struct err err = ERR_INIT;
    const char *argv[] = {"true", NULL};
    struct child_spec spec = {.argv = argv, .time_limit_ms = 60000};
    assert_int_equal(child_run(own, &spec, keep, &capture, &end, &err), ERR_IO);
    assert_true(err.text[0] != '\0');
    assert_null(spawner_stop(own));
}

static bool shell_works(const char *script)
{
    struct capture capture = {0};
    struct child_end end = run_shell(script, 30000, &capture);
    strbuf_release(&capture.text);
    return end.outcome == CHILD_EXITED && end.status == 0;
}

/* Writing to a frozen file system sleeps uninterruptibly: not even KILL ends it before the thaw. */
static void a_child_that_cannot_be_killed_is_abandoned(void **state)
{
    (void)state;
    char directory[] = "/tmp/test-spawner-XXXXXX", script[200];
    assert_non_null(mkdtemp(directory));
    snprintf(script, sizeof script,
             "cd %s && truncate -s 8M image && /sbin/mkfs.ext4 -q image && mkdir disk && "
             "mount -o loop image disk && fsfreeze -f disk",
             directory);
    bool frozen = shell_works(script);
    bool begun = false, stuck = false;
    if (frozen) {
        snprintf(script, sizeof script, "echo begun; sleep 1000 & echo x > %s/disk/file",
                 directory);
        /* On a busy machine the shell may need longer until it writes, or the keeper to notice. */
        for (int64_t limit_ms = 500; !stuck && limit_ms < 60000; limit_ms *= 2) {
            struct capture capture = {0};
            stuck = run_shell(script, limit_ms, &capture).outcome == CHILD_STUCK;
            begun = strbuf_ok(&capture.text) && strcmp(capture.text.data, "begun\n") == 0;
            strbuf_release(&capture.text);
        }
        /* The writers end only now that they can, and until then the file system is busy. */
        snprintf(script, sizeof script,
                 "fsfreeze -u %s/disk; until umount %s/disk; do sleep 0.1; done",
                 directory, directory);
        assert_true(shell_works(script));
    }
    snprintf(script, sizeof script, "rm -rf %s", directory);
    assert_true(shell_works(script));
    if (!frozen)
        skip(); /* it takes root, a loop device and ext4 */
    assert_true(stuck);
    assert_true(begun);
    assert_no_survivors();
}

static void stopping_nothing_is_fine(void **state)
{
    (void)state;
    assert_null(spawner_stop(NULL));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(output_and_exit_status_arrive),
        cmocka_unit_test(all_of_a_large_output_arrives),
        cmocka_unit_test(a_program_that_does_not_exist_is_not_started),
        cmocka_unit_test(input_is_the_given_text_or_nothing),
        cmocka_unit_test(the_environment_is_fixed),
        cmocka_unit_test(a_child_has_a_session_low_priority_and_three_descriptors),
        cmocka_unit_test(a_signal_that_is_not_ours_is_told),
        cmocka_unit_test(nothing_survives_a_nasty_command),
        cmocka_unit_test(output_before_the_time_limit_is_kept),
        cmocka_unit_test(errors_are_cut_not_waited_for),
        cmocka_unit_test(the_callback_can_cut_a_child_short),
        cmocka_unit_test(a_failing_callback_ends_the_child),
        cmocka_unit_test(a_time_limit_of_zero_is_over_at_once),
        cmocka_unit_test(the_cancel_flag_ends_a_child),
        cmocka_unit_test(a_function_runs_with_its_context),
        cmocka_unit_test(a_function_that_hangs_is_ended),
        cmocka_unit_test(a_command_line_beyond_the_limit_is_refused),
        cmocka_unit_test(threads_may_run_children_at_once),
        cmocka_unit_test(killing_the_program_ends_its_children),
        cmocka_unit_test(a_dead_helper_is_an_error_not_a_hang),
        cmocka_unit_test(a_child_that_cannot_be_killed_is_abandoned),
        cmocka_unit_test(stopping_nothing_is_fine),
    };
    return cmocka_run_group_tests(tests, start, stop);
}
