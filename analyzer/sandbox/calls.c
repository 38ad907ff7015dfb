/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * The filter of system calls.
 *
 * What is not in the lists does not exist (ENOSYS): libraries then take the older call that we do
 * know, so a newer C library does not break us. What opens or changes files by name is refused
 * (EACCES), as libraries try that on honest ways too (character sets, time zones). What no parser
 * ever does ends the process at once: it has been taken over, and the parent says so.
 *
 * A filter sees numbers, never what a pointer leads to. So openat() below a folder is limited to
 * reading here, and to the folder by Landlock.
 */
#include "analyzer/sandbox/confine.h"

#include <asm/ioctls.h>
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <seccomp.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <unistd.h>

DEFINE_CLEANUP(filter_cleanup, scmp_filter_ctx, seccomp_release)

#define CALL(name) SCMP_SYS(name)

/* What reading open files, memory, time and threads need. */
static const int allowed[] = {
    CALL(readv),
    CALL(pread64),
    CALL(preadv),
    CALL(write),
    CALL(writev),
    CALL(pwrite64),
    CALL(pwritev),
    CALL(lseek),
    CALL(_llseek),
    CALL(close),
    CALL(fstat),
    CALL(fstat64),
    CALL(ftruncate),
    CALL(ftruncate64),
    CALL(fsync),
    CALL(fdatasync),
    CALL(poll),
    CALL(ppoll),
    CALL(munmap),
    CALL(mremap),
    CALL(madvise),
    CALL(brk),
    CALL(futex),
    CALL(futex_time64),
    CALL(membarrier),
    CALL(sched_yield),
    CALL(sched_getaffinity),
    CALL(set_robust_list),
    CALL(rseq),
    CALL(set_tid_address),
    CALL(clock_gettime),
    CALL(clock_gettime64),
    CALL(clock_getres),
    CALL(clock_nanosleep),
    CALL(nanosleep),
    CALL(gettimeofday),
    CALL(time),
    CALL(times),
    CALL(getrusage),
    CALL(sysinfo),
    CALL(getrandom),
    CALL(getpid),
    CALL(gettid),
    CALL(getuid),
    CALL(geteuid),
    CALL(getgid),
    CALL(getegid),
    CALL(rt_sigreturn),
    CALL(sigreturn),
    CALL(rt_sigaction),
    CALL(rt_sigprocmask),
    CALL(sigaltstack),
    CALL(restart_syscall),
    CALL(exit),
    CALL(exit_group),
};

/* Names of files. fstat() of newer C libraries is newfstatat() with an empty name, see below. */
static const int denied[] = {
    CALL(open),      CALL(openat2),    CALL(creat),     CALL(mkdir),      CALL(mkdirat),
    CALL(mknod),     CALL(mknodat),    CALL(unlink),    CALL(unlinkat),   CALL(rmdir),
    CALL(rename),    CALL(renameat),   CALL(renameat2), CALL(link),       CALL(linkat),
    CALL(symlink),   CALL(symlinkat),  CALL(readlink),  CALL(readlinkat), CALL(access),
    CALL(faccessat), CALL(faccessat2), CALL(stat),      CALL(lstat),      CALL(chmod),
    CALL(fchmodat),  CALL(fchmod),     CALL(chown),     CALL(fchownat),   CALL(fchown),
    CALL(lchown),    CALL(truncate),   CALL(utimensat), CALL(chdir),      CALL(fchdir),
    CALL(fork),      CALL(vfork),
};

/* What only somebody who has taken over would call. */
static const int fatal[] = {
    CALL(execve),
    CALL(execveat),
    CALL(socket),
    CALL(socketpair),
    CALL(connect),
    CALL(bind),
    CALL(listen),
    CALL(accept),
    CALL(accept4),
    CALL(sendto),
    CALL(sendmsg),
    CALL(ptrace),
    CALL(kill),
    CALL(tkill),
    CALL(rt_sigqueueinfo),
    CALL(rt_tgsigqueueinfo),
    CALL(pidfd_open),
    CALL(pidfd_send_signal),
    CALL(pidfd_getfd),
    CALL(process_vm_readv),
    CALL(process_vm_writev),
    CALL(mount),
    CALL(umount2),
    CALL(move_mount),
    CALL(open_tree),
    CALL(fsopen),
    CALL(pivot_root),
    CALL(chroot),
    CALL(unshare),
    CALL(setns),
    CALL(bpf),
    CALL(perf_event_open),
    CALL(userfaultfd),
    CALL(io_uring_setup),
    CALL(keyctl),
    CALL(add_key),
    CALL(request_key),
    CALL(init_module),
    CALL(finit_module),
    CALL(kexec_load),
    CALL(reboot),
    CALL(swapon),
    CALL(setuid),
    CALL(setgid),
    CALL(setresuid),
    CALL(setresgid),
    CALL(capset),
    CALL(personality),
    CALL(memfd_create),
};

static int add_list(scmp_filter_ctx filter, uint32_t action, const int *calls, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        int r = seccomp_rule_add(filter, action, calls[i], 0);
        /* Calls that this architecture or an older libseccomp does not have. */
        if (r < 0 && r != -EDOM && r != -EINVAL)
            return r;
    }
    return 0;
}

/* Allows a call when (argument & mask) == value. */
static int allow_masked(scmp_filter_ctx filter, int call, unsigned argument, uint64_t mask,
                        uint64_t value)
{
    const struct scmp_arg_cmp compare = {argument, SCMP_CMP_MASKED_EQ, mask, value};
    int r = seccomp_rule_add_array(filter, SCMP_ACT_ALLOW, call, 1, &compare);
    return r == -EDOM ? 0 : r;
}

static int allow_each(scmp_filter_ctx filter, int call, unsigned argument, const int *values,
                      size_t count)
{
    int r = 0;
    for (size_t i = 0; r == 0 && i < count; i++)
        r = allow_masked(filter, call, argument, 0xffffffffu, (uint64_t)values[i]);
    return r;
}

/* Private memory that cannot be executed. */
static int allow_memory(scmp_filter_ctx filter)
{
    const struct scmp_arg_cmp mapping[] = {
        {2, SCMP_CMP_MASKED_EQ, PROT_EXEC, 0},
        {3, SCMP_CMP_MASKED_EQ, MAP_SHARED | MAP_PRIVATE, MAP_PRIVATE},
    };
    int r =
        seccomp_rule_add_array(filter, SCMP_ACT_ALLOW, CALL(mmap), ARRAY_SIZE(mapping), mapping);
    if (r == 0 || r == -EDOM)
        r = seccomp_rule_add_array(filter, SCMP_ACT_ALLOW, CALL(mmap2), ARRAY_SIZE(mapping),
                                   mapping);
    return r < 0 && r != -EDOM ? r : allow_masked(filter, CALL(mprotect), 2, PROT_EXEC, 0);
}

/* Threads of this process. The flags of clone3() are behind a pointer: without it glibc uses
 * clone(). */
static int allow_threads(scmp_filter_ctx filter)
{
    const uint64_t others = CLONE_NEWNS | CLONE_NEWCGROUP | CLONE_NEWUTS | CLONE_NEWIPC |
                            CLONE_NEWUSER | CLONE_NEWPID | CLONE_NEWNET | CLONE_PTRACE;
    return allow_masked(filter, CALL(clone), 0, CLONE_THREAD | others, CLONE_THREAD);
}

/* abort() signals itself. */
static int allow_abort(scmp_filter_ctx filter)
{
    return allow_masked(filter, CALL(tgkill), 0, 0xffffffffu, (uint64_t)getpid());
}

/*
 * Descriptors. Standard output and error are often a terminal that is open for reading too: what
 * its user types is none of our business, and TIOCSTI would type for them.
 */
static int allow_descriptors(scmp_filter_ctx filter)
{
    static const int controls[] = {F_DUPFD_CLOEXEC, F_GETFD, F_SETFD,     F_GETFL,    F_SETFL,
                                   F_GETLK,         F_SETLK, F_OFD_GETLK, F_OFD_SETLK};
    static const int terminal[] = {TCGETS, TIOCGWINSZ};
    const struct scmp_arg_cmp given = {0, SCMP_CMP_GT, STDERR_FILENO, 0};
    int r = seccomp_rule_add_array(filter, SCMP_ACT_ALLOW, CALL(read), 1, &given);
    if (r == 0)
        r = allow_each(filter, CALL(fcntl), 1, controls, ARRAY_SIZE(controls));
    if (r == 0)
        r = allow_each(filter, CALL(fcntl64), 1, controls, ARRAY_SIZE(controls));
    if (r == 0)
        r = allow_each(filter, CALL(ioctl), 1, terminal, ARRAY_SIZE(terminal));
    static const int names[] = {PR_SET_NAME};
    return r < 0 ? r : allow_each(filter, CALL(prctl), 0, names, ARRAY_SIZE(names));
}

static int allow_folders(scmp_filter_ctx filter, bool folders)
{
    const uint64_t writing = O_ACCMODE | O_CREAT | O_TRUNC | O_APPEND | (O_TMPFILE & ~O_DIRECTORY);
    if (!folders)
        return allow_masked(filter, CALL(newfstatat), 3, AT_EMPTY_PATH, AT_EMPTY_PATH);
    int r = allow_masked(filter, CALL(openat), 2, writing, O_RDONLY);
    if (r == 0)
        r = seccomp_rule_add(filter, SCMP_ACT_ALLOW, CALL(newfstatat), 0);
    if (r == 0)
        r = seccomp_rule_add(filter, SCMP_ACT_ALLOW, CALL(getdents64), 0);
    if (r == 0)
        r = seccomp_rule_add(filter, SCMP_ACT_ALLOW, CALL(fstatat64), 0);
    return r == -EDOM ? 0 : r;
}

/* What the filter answers to openat() that is not allowed: an error of files, not of calls. */
static int deny_openat(scmp_filter_ctx filter, bool folders)
{
    if (!folders)
        return seccomp_rule_add(filter, SCMP_ACT_ERRNO(EACCES), CALL(openat), 0);
    static const uint64_t writing[] = {O_WRONLY, O_RDWR, O_CREAT, O_TRUNC, O_APPEND};
    int r = 0;
    for (size_t i = 0; r == 0 && i < ARRAY_SIZE(writing); i++) {
        const struct scmp_arg_cmp flag = {2, SCMP_CMP_MASKED_EQ, writing[i], writing[i]};
        r = seccomp_rule_add_array(filter, SCMP_ACT_ERRNO(EACCES), CALL(openat), 1, &flag);
    }
    return r;
}

/* The runtimes of sanitizers look at themselves when they report. */
static int allow_checkers(scmp_filter_ctx filter)
{
    static const int calls[] = {
        CALL(prctl),     CALL(getppid),   CALL(uname), CALL(sched_setaffinity),
        CALL(getrlimit), CALL(prlimit64), CALL(getcwd)};
    return SANDBOX_CHECKER ? add_list(filter, SCMP_ACT_ALLOW, calls, ARRAY_SIZE(calls)) : 0;
}

/*
 * Kernels before 5.16 make programs with a filter slower, against processors that leak by
 * speculation; all that could leak here is the report itself. Older libraries do not know how to
 * ask for that, nor for a filter that is searched as a tree.
 */
static void ask_for_speed(scmp_filter_ctx filter)
{
#if SCMP_VER_MAJOR > 2 || SCMP_VER_MINOR >= 5
    seccomp_attr_set(filter, SCMP_FLTATR_CTL_SSB, 1);
    seccomp_attr_set(filter, SCMP_FLTATR_CTL_OPTIMIZE, 2);
#else
    (void)filter;
#endif
}

static int fill(scmp_filter_ctx filter, bool folders)
{
    ask_for_speed(filter);
    int r = seccomp_attr_set(filter, SCMP_FLTATR_ACT_BADARCH, SCMP_ACT_KILL_PROCESS);
    if (r == 0)
        r = add_list(filter, SCMP_ACT_ALLOW, allowed, ARRAY_SIZE(allowed));
    if (r == 0)
        r = add_list(filter, SCMP_ACT_ERRNO(EACCES), denied, ARRAY_SIZE(denied));
    if (r == 0)
        r = add_list(filter, SCMP_ACT_KILL_PROCESS, fatal, ARRAY_SIZE(fatal));
    if (r == 0)
        r = allow_memory(filter);
    if (r == 0)
        r = allow_threads(filter);
    if (r == 0)
        r = allow_abort(filter);
    if (r == 0)
        r = allow_descriptors(filter);
    if (r == 0)
        r = allow_folders(filter, folders);
    if (r == 0)
        r = deny_openat(filter, folders);
    return r < 0 ? r : allow_checkers(filter);
}

int confine_calls(const struct sandbox_folders *folders, struct err *err)
{
    CLEANUP(filter_cleanup) scmp_filter_ctx filter = seccomp_init(SCMP_ACT_ERRNO(ENOSYS));
    if (!filter)
        return err_nomem(err);
    int r = fill(filter, folders->count > 0);
    if (r == 0)
        r = seccomp_load(filter);
    return r < 0 ? err_set_errno(err, -r, "cannot install the filter of system calls") : 0;
}
