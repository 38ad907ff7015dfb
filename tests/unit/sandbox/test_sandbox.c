/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * A child that tries. Each job enters the sandbox like the reader of a report does, and then does
 * what a parser that was taken over would do: it must not come far, and the parent must know.
 */
#include "analyzer/sandbox/sandbox.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#include "analyzer/sandbox/confine.h"
#include "common/io.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#define MEMORY    (256LL << 20)
#define FILE_SIZE (1LL << 20)

/* What a job returns. */
enum { REFUSED = 10, SUCCEEDED = 11, WRONG_ERROR = 12 };

static char folder[] = "/tmp/test_sandbox.XXXXXX";

/* --- running a job */

struct trial {
    int (*act)(void); /* REFUSED, SUCCEEDED, ... */
    bool below_folder;
    bool stay_outside; /* do not enter the sandbox */
    bool in_no_time;   /* no CPU time but the second that is rounded up to */
};

static int folder_fd = -1, file_fd = -1, report_fd = -1;

static int run_trial(void *context, struct sandbox *sandbox, struct err *err)
{
    const struct trial *trial = context;
    struct sandbox_folders folders = {&folder_fd, trial->below_folder ? 1 : 0};
    int r = trial->stay_outside ? 0 : sandbox_enter(sandbox, &folders, err);
    if (r < 0)
        return r;
    sandbox_step(sandbox, 3);
    return trial->act();
}

static struct sandbox_end run(const struct trial *trial)
{
    const int keep[] = {folder_fd, file_fd, report_fd};
    struct sandbox_job job = {
        .run = run_trial,
        .context = (void *)trial,
        .keep = keep,
        .keep_count = 3,
        .limits = {.memory = MEMORY,
                   .file_size = FILE_SIZE,
                   .cpu_seconds = trial->in_no_time ? 0 : 1,
                   .wall_seconds = 1000, /* of a busy machine */
                   .prepare_seconds = 20,
                   .descriptors = 64},
    };
    struct sandbox_end end;
    struct err err = ERR_INIT;
    assert_int_equal(sandbox_run(&job, &end, &err), 0);
    return end;
}

static struct sandbox_end try(int (*act)(void))
{
    return run(&(struct trial){.act = act});
}

static int result_of(long returned)
{
    return returned < 0 ? REFUSED : SUCCEEDED;
}

#define ACT(name, call)                                                                            \
    static int name(void)                                                                          \
    {                                                                                              \
        return result_of((long)(call));                                                            \
    }

/* --- what is refused with an error, because libraries try it too */

ACT(open_for_reading, open("/etc/passwd", O_RDONLY))
ACT(open_for_writing, open("/tmp/test_sandbox.new", O_WRONLY | O_CREAT, 0600))
ACT(create, creat("/tmp/test_sandbox.new", 0600))
ACT(create_unnamed, open("/tmp", O_TMPFILE | O_RDWR, 0600))
ACT(open_below_a_descriptor, openat(folder_fd, "inside", O_RDONLY))
ACT(open_by_openat2, syscall(437, folder_fd, "inside", (uint64_t[3]){0}, 24))
ACT(make_a_folder, mkdir("/tmp/test_sandbox.new", 0700))
ACT(remove_a_file, unlinkat(folder_fd, "inside", 0))
ACT(rename_a_file, renameat(folder_fd, "inside", folder_fd, "other"))
ACT(link_a_file, linkat(folder_fd, "inside", folder_fd, "other", 0))
ACT(make_a_link, symlinkat("/etc/passwd", folder_fd, "other"))
ACT(read_a_link, readlink("/proc/self/exe", (char[99]){0}, 99))
ACT(change_the_mode, fchmod(file_fd, 04777))
ACT(change_the_owner, fchown(file_fd, 1, 1))
ACT(change_the_folder, fchdir(folder_fd))
ACT(fork_a_process, fork())
ACT(fork_by_system_call, syscall(SYS_clone, SIGCHLD, 0, 0, 0, 0))
ACT(fork_by_clone3, syscall(435, (uint64_t[11]){[4] = SIGCHLD}, 88))
ACT(unshare_a_namespace_by_clone,
    syscall(SYS_clone, CLONE_THREAD | CLONE_SIGHAND | CLONE_VM | CLONE_NEWUSER, 0, 0, 0, 0))
ACT(map_code, mmap(NULL, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0))
ACT(map_shared_memory, mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0))
ACT(type_into_the_terminal, ioctl(STDOUT_FILENO, TIOCSTI, "x"))
ACT(get_signals_sent_to_others, fcntl(file_fd, F_SETOWN, getpid()))
ACT(become_debuggable, prctl(PR_SET_DUMPABLE, 1, 0, 0, 0))
ACT(raise_a_limit, setrlimit(RLIMIT_FSIZE, &(struct rlimit){1 << 30, 1 << 30}))
ACT(signal_the_parent_as_a_thread, syscall(SYS_tgkill, getppid(), getppid(), SIGKILL))
ACT(read_standard_error, read(STDERR_FILENO, (char[1]){0}, 1))

static int make_memory_code(void)
{
    void *page = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    return page == MAP_FAILED ? WRONG_ERROR
                              : result_of(mprotect(page, 4096, PROT_READ | PROT_EXEC));
}

static void test_opening_and_changing_files_is_refused(void **state)
{
    (void)state;
    static int (*const acts[])(void) = {
        open_for_reading,
        open_for_writing,
        create,
        create_unnamed,
        open_below_a_descriptor,
        open_by_openat2,
        make_a_folder,
        remove_a_file,
        rename_a_file,
        link_a_file,
        make_a_link,
        read_a_link,
        change_the_mode,
        change_the_owner,
        change_the_folder,
    };
    for (size_t i = 0; i < ARRAY_SIZE(acts); i++) {
        struct sandbox_end end = try(acts[i]);
        assert_int_equal(end.ending, SANDBOX_DONE);
        assert_int_equal(end.status, REFUSED);
    }
    assert_int_equal(access("/tmp/test_sandbox.new", F_OK), -1);
    assert_int_equal(faccessat(folder_fd, "inside", F_OK, 0), 0);
}

static void test_processes_code_and_shared_memory_are_refused(void **state)
{
    (void)state;
    static int (*const acts[])(void) = {
        fork_a_process, fork_by_system_call, fork_by_clone3,    unshare_a_namespace_by_clone,
        map_code,       make_memory_code,    map_shared_memory,
    };
    for (size_t i = 0; i < ARRAY_SIZE(acts); i++)
        assert_int_equal(try(acts[i]).status, REFUSED);
}

static void test_reaching_for_terminal_parent_and_limits_is_refused(void **state)
{
    (void)state;
    static int (*const acts[])(void) = {
        type_into_the_terminal, get_signals_sent_to_others, signal_the_parent_as_a_thread,
        read_standard_error,    become_debuggable,          raise_a_limit,
    };
    /* The runtime of a sanitizer needs the last two. */
    size_t count = ARRAY_SIZE(acts) - (SANDBOX_CHECKER ? 2 : 0);
    for (size_t i = 0; i < count; i++)
        assert_int_equal(try(acts[i]).status, REFUSED);
}

/* --- what ends the child at once */

static char *const no_words[] = {NULL};

ACT(make_a_socket, socket(AF_INET, SOCK_STREAM, 0))
ACT(make_a_socket_pair, socketpair(AF_UNIX, SOCK_STREAM, 0, (int[2]){0}))
ACT(connect_somewhere, connect(file_fd, NULL, 0))
ACT(run_a_program, execve("/bin/true", no_words, no_words))
ACT(run_by_execveat, syscall(SYS_execveat, file_fd, "", no_words, no_words, AT_EMPTY_PATH))
ACT(trace_the_parent, ptrace(PTRACE_ATTACH, getppid(), NULL, NULL))
ACT(kill_the_parent, kill(getppid(), SIGKILL))
ACT(read_the_parents_memory, process_vm_readv(getppid(), NULL, 0, NULL, 0, 0))
ACT(mount_something, mount("none", "/mnt", "tmpfs", 0, NULL))
ACT(leave_a_namespace, syscall(SYS_unshare, CLONE_NEWUSER))
ACT(load_a_bpf_program, syscall(SYS_bpf, 0, NULL, 0))
ACT(change_the_root, syscall(SYS_chroot, "/"))
ACT(become_somebody_else, syscall(SYS_setuid, 0))

static void test_what_only_an_intruder_does_ends_the_child(void **state)
{
    (void)state;
    static int (*const acts[])(void) = {
        make_a_socket,        make_a_socket_pair, connect_somewhere,  run_a_program,
        run_by_execveat,      trace_the_parent,   kill_the_parent,    read_the_parents_memory,
        mount_something,      leave_a_namespace,  load_a_bpf_program, change_the_root,
        become_somebody_else,
    };
    for (size_t i = 0; i < ARRAY_SIZE(acts); i++) {
        struct sandbox_end end = try(acts[i]);
        assert_int_equal(end.ending, SANDBOX_FORBIDDEN);
        assert_int_equal(end.step, 3);
    }
}

/* --- limits */

static int take_too_much_memory(void)
{
    size_t size = (size_t)MEMORY + 4096;
    void *memory = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    return memory == MAP_FAILED && errno == ENOMEM ? REFUSED : SUCCEEDED;
}

static int take_memory_in_pieces(void)
{
    for (int i = 0; i < 100; i++) {
        char *piece = malloc(8 << 20);
        if (!piece)
            return REFUSED;
        memset(piece, i, 8 << 20);
    }
    return SUCCEEDED;
}

static void test_memory_is_limited(void **state)
{
    (void)state;
    if (SANDBOX_CHECKER)
        skip();
    assert_int_equal(try(take_too_much_memory).status, REFUSED);
    assert_int_equal(try(take_memory_in_pieces).status, REFUSED);
}

static int loop(void)
{
    volatile unsigned long i = 0;
    while (++i < ~0ul)
        ;
    return SUCCEEDED;
}

static void test_cpu_time_is_limited(void **state)
{
    (void)state;
    struct sandbox_end end = run(&(struct trial){.act = loop, .in_no_time = true});
    assert_int_equal(end.ending, SANDBOX_CPU);
    assert_int_equal(end.step, 3);
}

/* Parent and child share the positions of their descriptors. */
static void start_over(void)
{
    assert_int_equal(ftruncate(file_fd, 0), 0);
    assert_int_equal(lseek(file_fd, 0, SEEK_SET), 0);
    assert_int_equal(lseek(report_fd, 0, SEEK_SET), 0);
}

static int write_too_much(void)
{
    static char block[65536];
    for (long long written = 0; written <= FILE_SIZE; written += (long long)sizeof block)
        if (write(file_fd, block, sizeof block) != (ssize_t)sizeof block)
            return errno == EFBIG ? REFUSED : WRONG_ERROR;
    return SUCCEEDED;
}

static void test_a_file_can_only_grow_so_far_and_the_error_says_so(void **state)
{
    (void)state;
    struct stat status;
    assert_int_equal(try(write_too_much).status, REFUSED);
    assert_int_equal(fstat(file_fd, &status), 0);
    assert_int_equal(status.st_size, FILE_SIZE);
    start_over();
}

static int wait_for_ever(void *context, struct sandbox *sandbox, struct err *err)
{
    (void)context;
    int r = sandbox_enter(sandbox, &(struct sandbox_folders){NULL, 0}, err);
    sandbox_step(sandbox, 7);
    while (r == 0)
        poll(NULL, 0, 1000);
    return r;
}

static void test_time_is_limited(void **state)
{
    (void)state;
    struct sandbox_end end = {.step = SANDBOX_NO_STEP};
    /* On a busy machine the child may need longer to begin. */
    for (int seconds = 1; end.step == SANDBOX_NO_STEP && seconds < 100; seconds *= 4) {
        struct sandbox_job job = {
            .run = wait_for_ever,
            .limits = {MEMORY, FILE_SIZE, 10, seconds, 10, 64},
        };
        assert_int_equal(sandbox_run(&job, &end, NULL), 0);
        assert_int_equal(end.ending, SANDBOX_WALL);
    }
    assert_int_equal(end.step, 7);
}

static int open_many(void)
{
    for (int i = 0; i < 100; i++)
        if (fcntl(file_fd, F_DUPFD_CLOEXEC, 0) < 0)
            return errno == EMFILE ? REFUSED : WRONG_ERROR;
    return SUCCEEDED;
}

static void test_descriptors_are_limited(void **state)
{
    (void)state;
    assert_int_equal(try(open_many).status, REFUSED);
}

static int inherited_fd = -1;

ACT(use_what_was_not_given, fcntl(inherited_fd, F_GETFD))
ACT(read_standard_input_outside, read(STDIN_FILENO, (char[1]){0}, 1) - 1)

static void test_descriptors_that_were_not_given_are_closed(void **state)
{
    (void)state;
    inherited_fd = open("/dev/null", O_RDWR);
    assert_true(inherited_fd >= 0);
    assert_int_equal(
        run(&(struct trial){.act = use_what_was_not_given, .stay_outside = true}).status, REFUSED);
    close(inherited_fd);
    /* Standard input is /dev/null: at its end. */
    assert_int_equal(
        run(&(struct trial){.act = read_standard_input_outside, .stay_outside = true}).status,
        REFUSED);
}

/* --- what a reader needs */

static int read_and_write(void)
{
    char bytes[6] = "";
    if (pread(report_fd, bytes, sizeof bytes, 0) != 6 || lseek(report_fd, 2, SEEK_SET) != 2 ||
        read(report_fd, bytes, 4) != 4 || memcmp(bytes, "port", 4) != 0)
        return REFUSED;
    struct stat status;
    return result_of(write(file_fd, "done", 4) == 4 && ftruncate(file_fd, 4) == 0 &&
                             fdatasync(file_fd) == 0 && fstat(file_fd, &status) == 0
                         ? 0
                         : -1);
}

static void test_what_was_given_can_be_read_and_written(void **state)
{
    (void)state;
    char written[5] = "";
    assert_int_equal(try(read_and_write).status, SUCCEEDED);
    assert_int_equal(pread(file_fd, written, 4, 0), 4);
    assert_string_equal(written, "done");
    start_over();
}

static void *count(void *counter)
{
    void *some = malloc(1 << 20);
    ++*(int *)counter;
    free(some);
    return NULL;
}

static int use_threads(void)
{
    pthread_t threads[8];
    int counters[8] = {0};
    for (int i = 0; i < 8; i++)
        if (pthread_create(&threads[i], NULL, count, &counters[i]) != 0)
            return REFUSED;
    for (int i = 0; i < 8; i++)
        if (pthread_join(threads[i], NULL) != 0 || counters[i] != 1)
            return WRONG_ERROR;
    return SUCCEEDED;
}

static void test_threads_can_be_started(void **state)
{
    (void)state;
    assert_int_equal(try(use_threads).status, SUCCEEDED);
}

static int read_below(void)
{
    char bytes[4];
    CLEANUP_FD int fd = openat(folder_fd, "inside", O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
    return result_of(fd >= 0 && read(fd, bytes, 4) == 4 ? 0 : -1);
}

static int list_below(void)
{
    CLEANUP_DIR DIR *directory = fdopendir(fcntl(folder_fd, F_DUPFD_CLOEXEC, 0));
    int entries = 0;
    while (directory && readdir(directory))
        entries++;
    return result_of(entries > 2 ? 0 : -1);
}

ACT(write_below, openat(folder_fd, "inside", O_WRONLY))
ACT(truncate_below, openat(folder_fd, "inside", O_RDONLY | O_TRUNC))
ACT(create_below, openat(folder_fd, "new", O_RDONLY | O_CREAT, 0600))
ACT(unnamed_below, openat(folder_fd, ".", O_TMPFILE | O_RDWR, 0600))
ACT(follow_a_link_out, openat(folder_fd, "link", O_RDONLY))
ACT(open_an_absolute_path, openat(folder_fd, "/etc/passwd", O_RDONLY))
ACT(open_upwards, openat(folder_fd, "../../etc/passwd", O_RDONLY))

static void test_a_folder_can_be_read_and_nothing_else(void **state)
{
    (void)state;
    static int (*const works[])(void) = {read_below, list_below};
    static int (*const refused[])(void) = {write_below, truncate_below, create_below,
                                           unnamed_below};
    for (size_t i = 0; i < ARRAY_SIZE(works); i++)
        assert_int_equal(run(&(struct trial){.act = works[i], .below_folder = true}).status,
                         SUCCEEDED);
    for (size_t i = 0; i < ARRAY_SIZE(refused); i++)
        assert_int_equal(run(&(struct trial){.act = refused[i], .below_folder = true}).status,
                         REFUSED);
}

static void test_no_way_leads_out_of_a_folder(void **state)
{
    (void)state;
    static int (*const acts[])(void) = {follow_a_link_out, open_an_absolute_path, open_upwards};
    if (landlock_version() == 0)
        skip();
    for (size_t i = 0; i < ARRAY_SIZE(acts); i++)
        assert_int_equal(run(&(struct trial){.act = acts[i], .below_folder = true}).status,
                         REFUSED);
}

/* --- how it ends */

static int crash(void)
{
    signal(SIGSEGV, SIG_DFL);
    raise(SIGSEGV);
    return SUCCEEDED;
}

static int give_up(void)
{
    signal(SIGABRT, SIG_DFL);
    abort();
}

static void test_a_crash_is_told_with_signal_and_step(void **state)
{
    (void)state;
    struct sandbox_end end = try(crash);
    assert_int_equal(end.ending, SANDBOX_CRASHED);
    assert_int_equal(end.signal, SIGSEGV);
    assert_int_equal(end.step, 3);
    end = try(give_up);
    assert_int_equal(end.ending, SANDBOX_CRASHED);
    assert_int_equal(end.signal, SIGABRT);
}

static int leave_in_silence(void)
{
    _exit(0);
}

static int lie(void)
{
    return 4711;
}

static void test_an_exit_without_a_result_is_no_success(void **state)
{
    (void)state;
    assert_int_equal(try(leave_in_silence).ending, SANDBOX_VANISHED);
    assert_int_equal(try(lie).ending, SANDBOX_VANISHED);
}

static int fail_with_words(void *context, struct sandbox *sandbox, struct err *err)
{
    (void)context;
    (void)sandbox;
    return err_set_at(err, ERR_PARSE, "rule.yaml", 3, 7, "it is wrong");
}

static void test_an_error_comes_over_whole(void **state)
{
    (void)state;
    struct sandbox_job job = {.run = fail_with_words,
                              .limits = {MEMORY, FILE_SIZE, 10, 20, 10, 64}};
    struct sandbox_end end;
    char message[200];
    assert_int_equal(sandbox_run(&job, &end, NULL), 0);
    assert_int_equal(end.ending, SANDBOX_FAILED);
    assert_int_equal(end.step, SANDBOX_NO_STEP);
    assert_int_equal(end.err.code, ERR_PARSE);
    assert_string_equal(err_message(&end.err, message, sizeof message),
                        "rule.yaml:3:7: it is wrong");
}

static int stop_the_parent(void)
{
    kill(getppid(), SIGTERM);
    poll(NULL, 0, -1);
    return SUCCEEDED;
}

static void test_a_parent_that_is_told_to_stop_takes_its_child_along(void **state)
{
    (void)state;
    struct sandbox_end end = run(&(struct trial){.act = stop_the_parent, .stay_outside = true});
    assert_int_equal(end.ending, SANDBOX_INTERRUPTED);
    assert_int_equal(end.signal, SIGTERM);
}

static void explains(enum sandbox_ending ending, int code, const char *words)
{
    struct sandbox_end end = {.ending = ending, .signal = 11, .err = {.code = code, .text = "no"}};
    struct sandbox_limits limits = {.memory = MEMORY, .cpu_seconds = 5, .wall_seconds = 6};
    CLEANUP(strbuf_release) struct strbuf text = STRBUF_INIT;
    sandbox_explain(&end, &limits, &text);
    assert_non_null(strstr(text.data, words));
}

static void test_every_end_has_its_words(void **state)
{
    (void)state;
    explains(SANDBOX_CRASHED, 0, "crashed (signal 11)");
    explains(SANDBOX_KILLED, 0, "was killed (signal 11)");
    explains(SANDBOX_FORBIDDEN, 0, "is an attack");
    explains(SANDBOX_CPU, 0, "more than 5 s of CPU time");
    explains(SANDBOX_WALL, 0, "longer than 6 s");
    explains(SANDBOX_FAILED, ERR_NOMEM, "more than 256 MiB of memory");
    explains(SANDBOX_FAILED, ERR_PARSE, "no");
    explains(SANDBOX_VANISHED, 0, "without a result");
}

static int make_files(void **state)
{
    (void)state;
    if (!mkdtemp(folder))
        return -1;
    folder_fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    CLEANUP_FD int inside = openat(folder_fd, "inside", O_RDWR | O_CREAT, 0600);
    file_fd = openat(folder_fd, "output", O_RDWR | O_CREAT, 0600);
    bool good = inside >= 0 && file_fd >= 0 && write(inside, "report", 6) == 6 &&
                symlinkat("/etc/passwd", folder_fd, "link") == 0;
    report_fd = openat(folder_fd, "inside", O_RDONLY);
    return good && report_fd >= 0 ? 0 : -1;
}

static int remove_files(void **state)
{
    (void)state;
    unlinkat(folder_fd, "inside", 0);
    unlinkat(folder_fd, "output", 0);
    unlinkat(folder_fd, "link", 0);
    return rmdir(folder);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_opening_and_changing_files_is_refused),
        cmocka_unit_test(test_processes_code_and_shared_memory_are_refused),
        cmocka_unit_test(test_reaching_for_terminal_parent_and_limits_is_refused),
        cmocka_unit_test(test_what_only_an_intruder_does_ends_the_child),
        cmocka_unit_test(test_memory_is_limited),
        cmocka_unit_test(test_cpu_time_is_limited),
        cmocka_unit_test(test_a_file_can_only_grow_so_far_and_the_error_says_so),
        cmocka_unit_test(test_time_is_limited),
        cmocka_unit_test(test_descriptors_are_limited),
        cmocka_unit_test(test_descriptors_that_were_not_given_are_closed),
        cmocka_unit_test(test_what_was_given_can_be_read_and_written),
        cmocka_unit_test(test_threads_can_be_started),
        cmocka_unit_test(test_a_folder_can_be_read_and_nothing_else),
        cmocka_unit_test(test_no_way_leads_out_of_a_folder),
        cmocka_unit_test(test_a_crash_is_told_with_signal_and_step),
        cmocka_unit_test(test_an_exit_without_a_result_is_no_success),
        cmocka_unit_test(test_an_error_comes_over_whole),
        cmocka_unit_test(test_a_parent_that_is_told_to_stop_takes_its_child_along),
        cmocka_unit_test(test_every_end_has_its_words),
    };
    return cmocka_run_group_tests(tests, make_files, remove_files);
}
