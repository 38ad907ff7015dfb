/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * Descriptors, resource limits and privileges of the child.
 *
 * Memory is limited by RLIMIT_DATA, which counts what can be written (heap, stacks, private
 * mappings), and not by RLIMIT_AS alone: each thread's malloc arena reserves 64 MiB of addresses
 * that it may never use, and a limit that allows for them on a machine with many processors would
 * allow the same as real memory on a small one. RLIMIT_AS stands behind it, and shared mappings,
 * which RLIMIT_DATA does not count, are refused by the filter of system calls.
 *
 * There is no RLIMIT_NPROC: it counts all threads of the user, on the whole system. The filter
 * allows threads and no processes.
 */
#include "analyzer/sandbox/confine.h"

#include <errno.h>
#include <linux/capability.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

/* Addresses over bytes: arenas of threads, the program and its libraries, the pattern cache. */
#define ADDRESSES_PER_BYTE 8

/* The kernel kills a process this long after it has been told of its limit. */
#define CPU_GRACE_SECONDS 5

/* How much longer everything takes under a sanitizer. */
#define CPU_SLOWNESS (SANDBOX_CHECKER ? 10 : 1)

/* Without close_range(2), Linux before 5.9: descriptors up to this number are closed. */
#define DESCRIPTORS_MAX 4096

#ifndef SYS_close_range
#define SYS_close_range 436
#endif

static void close_between(unsigned first, unsigned last)
{
    if (first > last || syscall(SYS_close_range, first, last, 0u) == 0)
        return;
    for (unsigned fd = first; fd <= last && fd < DESCRIPTORS_MAX; fd++)
        close((int)fd);
}

void confine_descriptors(const int *keep, size_t count)
{
    /* From kept descriptor to kept descriptor, upwards; the list is short. */
    unsigned from = STDERR_FILENO + 1;
    for (;;) {
        unsigned next = ~0u;
        for (size_t i = 0; i < count; i++)
            if (keep[i] >= 0 && (unsigned)keep[i] >= from && (unsigned)keep[i] < next)
                next = (unsigned)keep[i];
        if (next == ~0u)
            break;
        if (next > from)
            close_between(from, next - 1);
        from = next + 1;
    }
    close_between(from, ~0u);
}

/* Sets both limits; never above what the process was given. */
static int limit(__rlimit_resource_t resource, rlim_t soft, rlim_t hard, struct err *err)
{
    struct rlimit current;
    if (getrlimit(resource, &current) < 0)
        return err_set_errno(err, errno, "cannot read a resource limit");
    struct rlimit wanted = {
        .rlim_cur = soft < current.rlim_max ? soft : current.rlim_max,
        .rlim_max = hard < current.rlim_max ? hard : current.rlim_max,
    };
    return setrlimit(resource, &wanted) < 0
               ? err_set_errno(err, errno, "cannot set a resource limit")
               : 0;
}

int confine_resources(const struct sandbox_limits *limits, struct err *err)
{
    rlim_t memory = (rlim_t)limits->memory, files = (rlim_t)limits->file_size;
    rlim_t descriptors = (rlim_t)limits->descriptors;
    int r = limit(RLIMIT_CORE, 0, 0, err);
    if (r == 0 && !SANDBOX_CHECKER)
        r = limit(RLIMIT_DATA, memory, memory, err);
    if (r == 0 && !SANDBOX_CHECKER)
        r = limit(RLIMIT_AS, memory * ADDRESSES_PER_BYTE, memory * ADDRESSES_PER_BYTE, err);
    if (r == 0)
        r = limit(RLIMIT_FSIZE, files, files, err);
    if (r == 0)
        r = limit(RLIMIT_NOFILE, descriptors, descriptors, err);
    rlim_t prepare = (rlim_t)limits->prepare_seconds * CPU_SLOWNESS;
    rlim_t all = prepare + (rlim_t)limits->cpu_seconds * CPU_SLOWNESS + CPU_GRACE_SECONDS + 1;
    return r < 0 ? r : limit(RLIMIT_CPU, prepare, all, err);
}

int confine_cpu_time(const struct sandbox_limits *limits, struct err *err)
{
    struct rusage used = {0};
    getrusage(RUSAGE_SELF, &used);
    rlim_t seconds = (rlim_t)(used.ru_utime.tv_sec + used.ru_stime.tv_sec) + 1 +
                     (rlim_t)limits->cpu_seconds * CPU_SLOWNESS;
    return limit(RLIMIT_CPU, seconds, seconds + CPU_GRACE_SECONDS, err);
}

/* Without libcap: it would be one more library for two system calls. */
static int drop_capabilities(bool may_read_all, struct err *err)
{
    struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
    struct __user_cap_data_struct sets[_LINUX_CAPABILITY_U32S_3];
    if (syscall(SYS_capget, &header, sets) < 0)
        return err_set_errno(err, errno, "cannot read the capabilities");
    uint32_t kept = may_read_all ? 1u << CAP_DAC_READ_SEARCH : 0;
    for (size_t i = 0; i < ARRAY_SIZE(sets); i++) {
        uint32_t mask = i == 0 ? kept & sets[i].permitted : 0;
        sets[i] = (struct __user_cap_data_struct){.effective = mask, .permitted = mask};
    }
    if (syscall(SYS_capset, &header, sets) < 0)
        return err_set_errno(err, errno, "cannot drop the capabilities");
    return 0;
}

int confine_privileges(const struct sandbox_folders *folders, struct err *err)
{
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 || prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) < 0)
        return err_set_errno(err, errno, "cannot give up privileges");
    return drop_capabilities(folders->count > 0, err);
}
