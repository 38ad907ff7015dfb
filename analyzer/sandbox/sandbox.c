/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * Starting the child, waiting for it, and finding out how it ended.
 *
 * Parent and child share one page: the child's last step and, at the end, what its job returned. A
 * child that exits without having said so has not ended well, whatever its status is. The parent
 * reads the page only when the child is gone, and believes nothing of it but numbers in range and
 * text that it ends itself.
 */
#include "analyzer/sandbox/sandbox.h"

#include <errno.h>
#include <fcntl.h>
#include <seccomp.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "analyzer/sandbox/confine.h"
#include "common/io.h"

/* The caller's exit statuses are small; anything else is a lie. */
#define STATUS_MAX 125

struct page {
    atomic_int step;
    atomic_bool said; /* the rest is there */
    int result;
    struct err err;
};

struct sandbox {
    struct page *page;
    struct sandbox_limits limits;
};

/* Signals that the parent takes while it waits. */
struct waiting {
    sigset_t taken, before;
    struct sigaction child_before;
};

static void begin_waiting(struct waiting *waiting)
{
    static const int stops[] = {SIGINT, SIGTERM, SIGHUP};
    const struct sigaction standard = {.sa_handler = SIG_DFL};
    sigemptyset(&waiting->taken);
    sigaddset(&waiting->taken, SIGCHLD);
    for (size_t i = 0; i < ARRAY_SIZE(stops); i++) {
        struct sigaction action;
        /* What the user lets us ignore (nohup) stays ignored. */
        if (sigaction(stops[i], NULL, &action) == 0 && action.sa_handler != SIG_IGN)
            sigaddset(&waiting->taken, stops[i]);
    }
    sigaction(SIGCHLD, &standard, &waiting->child_before);
    sigprocmask(SIG_BLOCK, &waiting->taken, &waiting->before);
}

static void end_waiting(struct waiting *waiting)
{
    sigprocmask(SIG_SETMASK, &waiting->before, NULL);
    sigaction(SIGCHLD, &waiting->child_before, NULL);
}

#ifndef XENHEALTH_UNCONFINED
int sandbox_enter(struct sandbox *sandbox, const struct sandbox_folders *folders, struct err *err)
{
    int r = confine_privileges(folders, err);
    if (r == 0)
        r = confine_paths(folders, err);
    if (r == 0)
        r = confine_cpu_time(&sandbox->limits, err);
    if (r == 0)
        r = confine_calls(folders, err);
    return err_prefix(err, r, "the sandbox for reading reports cannot be set up");
}

static int prepare_child(const struct sandbox_job *job, struct err *err)
{
    confine_descriptors(job->keep, job->keep_count);
    return confine_resources(&job->limits, err);
}
#else
int sandbox_enter(struct sandbox *sandbox, const struct sandbox_folders *folders, struct err *err)
{
    (void)sandbox, (void)folders, (void)err;
    return 0;
}

static int prepare_child(const struct sandbox_job *job, struct err *err)
{
    (void)job, (void)err;
    return 0;
}
#endif

void sandbox_step(struct sandbox *sandbox, int step)
{
    atomic_store(&sandbox->page->step, step);
}

/* What the terminal's user types belongs to the parent; a report from a pipe has its own
 * descriptor. */
static void leave_standard_input(void)
{
    CLEANUP_FD int nothing = open("/dev/null", O_RDONLY | O_CLOEXEC);
    if (nothing >= 0)
        dup2(nothing, STDIN_FILENO);
    else
        close(STDIN_FILENO);
}

/* A write beyond a limit is an error with a name, not a death. */
static void ignore_file_size_signal(void)
{
    const struct sigaction ignore = {.sa_handler = SIG_IGN};
    sigaction(SIGXFSZ, &ignore, NULL);
}

__attribute__((noreturn)) static void be_the_child(const struct sandbox_job *job, struct page *page,
                                                   struct waiting *waiting, pid_t parent)
{
    struct sandbox sandbox = {page, job->limits};
    struct err err = ERR_INIT;
    end_waiting(waiting);
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != parent)
        _exit(EXIT_FAILURE);
    leave_standard_input();
    ignore_file_size_signal();
    int r = prepare_child(job, &err);
    if (r == 0)
        r = job->run(job->context, &sandbox, &err);
    fflush(NULL);
    page->result = r;
    page->err = err;
    atomic_store(&page->said, true);
#ifdef XENHEALTH_UNCONFINED
    exit(EXIT_SUCCESS); /* for what measures a program at its exit */
#else
    _exit(EXIT_SUCCESS);
#endif
}

/* Waits until the child is gone, and kills it when its time is over or somebody wants us to stop.
 */
static int wait_for(pid_t child, const struct waiting *waiting, int seconds,
                    struct sandbox_end *end)
{
    int64_t deadline = io_now_ms() + (int64_t)seconds * 1000;
    int status;
    while (waitpid(child, &status, WNOHANG) == 0) {
        int64_t left = deadline - io_now_ms();
        if (left <= 0)
            end->ending = SANDBOX_WALL;
        struct timespec pause = {.tv_sec = left / 1000, .tv_nsec = left % 1000 * 1000000};
        int signal = left > 0 ? sigtimedwait(&waiting->taken, NULL, &pause) : 0;
        if (signal > 0 && signal != SIGCHLD) {
            end->ending = SANDBOX_INTERRUPTED;
            end->signal = signal;
        }
        if (end->ending == SANDBOX_DONE)
            continue;
        kill(child, SIGKILL);
        while (waitpid(child, &status, 0) < 0 && errno == EINTR)
            ;
        break;
    }
    return status;
}

static void explain_signal(struct sandbox_end *end, int signal)
{
    end->signal = signal;
    switch (signal) {
    case SIGKILL:
    case SIGTERM:
    case SIGINT:
    case SIGHUP:
    case SIGPIPE:
        end->ending = SANDBOX_KILLED;
        break;
    case SIGSYS:
        end->ending = SANDBOX_FORBIDDEN;
        break;
    case SIGXCPU:
        end->ending = SANDBOX_CPU;
        break;
    default:
        end->ending = SANDBOX_CRASHED;
    }
}

static void take_words(struct sandbox_end *end, const struct page *page)
{
    end->err = page->err;
    end->err.where[sizeof end->err.where - 1] = '\0';
    end->err.text[sizeof end->err.text - 1] = '\0';
    if (page->result < 0) {
        end->ending = SANDBOX_FAILED;
        end->err.code = page->result;
    } else if (page->result <= STATUS_MAX) {
        end->ending = SANDBOX_DONE;
        end->status = page->result;
    } else {
        end->ending = SANDBOX_VANISHED;
    }
}

static void take_stock(struct sandbox_end *end, const struct page *page, int status)
{
    int step = atomic_load(&page->step);
    end->step = step >= 0 ? step : SANDBOX_NO_STEP;
    if (end->ending != SANDBOX_DONE)
        return;
    if (WIFSIGNALED(status)) {
        explain_signal(end, WTERMSIG(status));
    } else if (atomic_load(&page->said)) {
        take_words(end, page);
    } else {
        end->ending = SANDBOX_VANISHED;
        end->status = WEXITSTATUS(status);
    }
}

int sandbox_run(const struct sandbox_job *job, struct sandbox_end *ret, struct err *err)
{
    struct page *page =
        mmap(NULL, sizeof *page, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (page == MAP_FAILED)
        return err_nomem(err);
    atomic_store(&page->step, SANDBOX_NO_STEP);
    fflush(NULL); /* or the child writes it again */

    struct sandbox_end end = {.ending = SANDBOX_DONE};
    struct waiting waiting;
    begin_waiting(&waiting);
    pid_t parent = getpid(), child = fork();
    if (child == 0)
        be_the_child(job, page, &waiting, parent);
    int sysno = errno;
    if (child > 0)
        take_stock(&end, page, wait_for(child, &waiting, job->limits.wall_seconds, &end));
    end_waiting(&waiting);
    munmap(page, sizeof *page);
    if (child < 0)
        return err_set_errno(err, sysno, "cannot start a process");
    *ret = end;
    return 0;
}

void sandbox_explain(const struct sandbox_end *end, const struct sandbox_limits *limits,
                     struct strbuf *text)
{
    switch (end->ending) {
    case SANDBOX_CRASHED:
        strbuf_addf(text, "crashed (signal %d)", end->signal);
        break;
    case SANDBOX_KILLED:
        strbuf_addf(text, "was killed (signal %d), perhaps because the system ran out of memory",
                    end->signal);
        break;
    case SANDBOX_FORBIDDEN:
        strbuf_adds(text, "tried what no report can need and was stopped: the report is an attack");
        break;
    case SANDBOX_CPU:
        strbuf_addf(text, "used more than %d s of CPU time", limits->cpu_seconds);
        break;
    case SANDBOX_WALL:
        strbuf_addf(text, "took longer than %d s", limits->wall_seconds);
        break;
    case SANDBOX_FAILED:
        if (end->err.code == ERR_NOMEM)
            strbuf_addf(text, "needed more than %lld MiB of memory",
                        (long long)(limits->memory >> 20));
        else
            strbuf_adds(text, end->err.text);
        break;
    case SANDBOX_VANISHED:
        strbuf_addf(text, "ended without a result (status %d)", end->status);
        break;
    case SANDBOX_DONE:
    case SANDBOX_INTERRUPTED:
        strbuf_adds(text, "was interrupted");
        break;
    }
}

void sandbox_describe(struct strbuf *text)
{
#ifdef XENHEALTH_UNCONFINED
    strbuf_adds(text, "none (a build for measuring)");
#else
    const struct scmp_version *seccomp = seccomp_version();
    int landlock = landlock_version();
    if (seccomp)
        strbuf_addf(text, "seccomp (library %u.%u.%u), ", seccomp->major, seccomp->minor,
                    seccomp->micro);
    if (landlock)
        strbuf_addf(text, "Landlock %d, ", landlock);
    else
        strbuf_adds(text, "no Landlock in this kernel, ");
    strbuf_adds(text, SANDBOX_CHECKER ? "no limit of memory (sanitizer)" : "limits");
#endif
}
