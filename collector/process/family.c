/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * Finds descendants by their parents' numbers in /proc/<pid>/stat: it works on every kernel.
 *
 * The number of a process may be used again between the look and the signal. Where there are pidfds
 * the signal goes to the process that was looked at; elsewhere its start time is compared right
 * before.
 *
 * What forks and ends all the time is another process whenever somebody has looked at all of /proc.
 * Two things are faster. A signal to a process group reaches all its members in one step, also who
 * is being born; a dead child that is not reaped yet keeps the group's number from being used
 * again. And where the kernel lists a process's children (an option that dom0's may lack), there
 * are few of them, and the number of one's own child means nobody else until it is reaped.
 */
#include "collector/process/family.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "common/io.h"
#include "common/units.h"
#include "common/vec.h"

#define GRACE_MS      200  /* for clean-ups after TERM; all of a stop must fit half a second */
#define KILL_MS       100  /* who still sleeps uninterruptibly so long after KILL is given up */
#define PATIENCE_MS   2000 /* who is merely slow to die (a big process, a busy machine), or flees */
#define ROUND_MS      20 /* between rounds of KILL: what forked meanwhile is caught by the next one */
#define CHASE_MS      1 /* between looks at our own children */
#define MAX_PROCESSES 200000

struct process {
    pid_t pid, parent, group;
    char state; /* R, S, D, Z, ... of its first thread */
    long threads;
    unsigned long long start; /* together with pid this is a process's identity */
    bool ours;
};

typedef VEC(struct process) process_list;

/*
 * Reads one stat line. The name in it may hold anything, also blanks and brackets; fields follow
 * the last ')'.
 */
static bool examine(pid_t pid, struct process *ret)
{
    char path[32], line[1024];
    snprintf(path, sizeof path, "/proc/%d/stat", (int)pid);
    CLEANUP_FD int fd = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t length = fd < 0 ? -1 : read(fd, line, sizeof line - 1);
    if (length <= 0)
        return false;
    line[length] = '\0';
    const char *fields = strrchr(line, ')');
    int parent, group;
    struct process process = {.pid = pid};
    if (!fields ||
        sscanf(fields + 1,
               " %c %d %d %*d %*d %*d %*u %*u %*u %*u %*u %*u %*u %*d %*d %*d %*d %ld %*d %llu",
               &process.state, &parent, &group, &process.threads, &process.start) != 5)
        return false;
    process.parent = parent;
    process.group = group;
    *ret = process;
    return true;
}

static int compare_pids(const void *a, const void *b)
{
    const struct process *left = a, *right = b;
    return (left->pid > right->pid) - (left->pid < right->pid);
}

static bool is_ours(const process_list *list, pid_t pid)
{
    const struct process key = {.pid = pid};
    const struct process *found = bsearch(&key, list->items, list->count, sizeof key, compare_pids);
    return found && found->ours;
}

/*
 * All processes, those that descend from this one marked. Without /proc, or memory, the list is
 * short.
 */
static process_list list_processes(void)
{
    process_list list = {0};
    CLEANUP_DIR DIR *proc = opendir("/proc");
    for (struct dirent *entry; proc && list.count < MAX_PROCESSES && (entry = readdir(proc));) {
        int64_t pid;
        struct process process;
        if (!units_integer(entry->d_name, &pid) || !examine((pid_t)pid, &process))
            continue;
        struct process *slot = vec_push(&list);
        if (!slot)
            break;
        *slot = process;
    }
    if (list.count > 0)
        qsort(list.items, list.count, sizeof list.items[0], compare_pids);
    const pid_t self = getpid();
    for (bool changed = true; changed;) {
        changed = false;
        for (size_t i = 0; i < list.count; i++) {
            struct process *process = &list.items[i];
            if (process->ours || process->pid == self)
                continue;
            process->ours = process->parent == self || is_ours(&list, process->parent);
            changed |= process->ours;
        }
    }
    return list;
}

static void send_signal(const struct process *process, int number)
{
    struct process now;
#ifdef SYS_pidfd_open
    CLEANUP_FD int fd = (int)syscall(SYS_pidfd_open, process->pid, 0);
    if (fd >= 0) {
        if (examine(process->pid, &now) && now.start == process->start)
            syscall(SYS_pidfd_send_signal, fd, number, NULL, 0);
        return;
    }
    if (errno == ESRCH)
        return;
#endif
    if (examine(process->pid, &now) && now.start == process->start)
        kill(process->pid, number);
}

/* The first thread may have ended, and look like a zombie, while others run on. */
static bool is_alive(const struct process *process)
{
    bool ended = process->state == 'Z' || process->state == 'X';
    return !ended || process->threads > 1;
}

/*
 * The group of a dead child that nobody has reaped yet. Never ours, and never a number that means
 * more than one group (0 is a group that cannot be seen from here, -1 one that is gone).
 */
static void kill_group(const struct process *child)
{
    if (child->parent == getpid() && child->group > 1 && child->group != getpgrp())
        kill(-child->group, SIGKILL);
}

/*
 * Signals all descendants that live. Returns 0, or, when each of them sleeps uninterruptibly, a
 * number that stands for them.
 */
static uint64_t signal_all(int number)
{
    process_list list = list_processes();
    size_t alive = 0, asleep = 0;
    uint64_t who = 0;
    for (size_t i = 0; i < list.count; i++) {
        const struct process *process = &list.items[i];
        if (!process->ours)
            continue;
        if (!is_alive(process)) {
            if (number == SIGKILL)
                kill_group(process);
            continue;
        }
        alive++;
        asleep += process->state == 'D';
        who = (who + (uint64_t)process->pid) * 1000003 + process->start;
        send_signal(process, number);
    }
    vec_free(&list);
    return asleep == alive ? who : 0;
}

/* Our own children, as fast as it goes. Nothing where the kernel does not list them. */
static void kill_children(void)
{
    char path[64], numbers[4096];
    snprintf(path, sizeof path, "/proc/self/task/%d/children", (int)getpid());
    CLEANUP_FD int fd = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t length = fd < 0 ? -1 : read(fd, numbers, sizeof numbers - 1);
    numbers[length < 0 ? 0 : length] = '\0';
    /* Each number ends with a blank; one that does not was cut, and means somebody else. */
    for (char *number = numbers, *blank; (blank = strchr(number, ' ')); number = blank + 1) {
        int64_t pid;
        *blank = '\0';
        if (units_integer(number, &pid) && pid > 1)
            kill((pid_t)pid, SIGKILL);
    }
}

bool family_reap(void)
{
    pid_t pid;
    do {
        pid = waitpid(-1, NULL, WNOHANG);
    } while (pid > 0 || (pid < 0 && errno == EINTR));
    return pid == 0;
}

void family_wait(int milliseconds)
{
    sigset_t child;
    sigemptyset(&child);
    sigaddset(&child, SIGCHLD);
    const struct timespec limit = {milliseconds / 1000, milliseconds % 1000 * 1000000L};
    sigtimedwait(&child, NULL, &limit);
}

/* One round. False when there are no children left. */
static bool chase(int64_t until)
{
    do {
        kill_children();
        family_wait(CHASE_MS);
        if (!family_reap())
            return false;
    } while (io_now_ms() < until);
    return true;
}

enum family_state family_end(void)
{
    if (!family_reap())
        return FAMILY_GONE;
    signal_all(SIGTERM);
    const int64_t grace_end = io_now_ms() + GRACE_MS;
    for (int64_t left; (left = grace_end - io_now_ms()) > 0;) {
        family_wait((int)left);
        if (!family_reap())
            return FAMILY_GONE;
    }
    const int64_t start = io_now_ms();
    int64_t moved = start;
    uint64_t asleep = 0;
    while (io_now_ms() - start < PATIENCE_MS) {
        uint64_t before = asleep;
        asleep = signal_all(SIGKILL);
        int64_t now = io_now_ms();
        if (asleep == 0 || asleep != before)
            moved = now;
        if (!chase(now + ROUND_MS))
            return FAMILY_GONE;
        if (io_now_ms() - moved >= KILL_MS)
            return FAMILY_ASLEEP;
    }
    return FAMILY_RUNS;
}
