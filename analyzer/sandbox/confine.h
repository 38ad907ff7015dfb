/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * The layers of the sandbox, each by itself. All are for the calling process, which has one thread.
 */
#pragma once

#include "analyzer/sandbox/sandbox.h"

/*
 * Memory checkers bring a runtime of their own: address sanitizers reserve terabytes, valgrind runs
 * the program in its own process and needs what a parser does not.
 */
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define SANDBOX_CHECKER 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer) ||                         \
    __has_feature(memory_sanitizer)
#define SANDBOX_CHECKER 1
#endif
#endif
#ifndef SANDBOX_CHECKER
#define SANDBOX_CHECKER 0
#endif

/* Closes all descriptors but 0 to 2 and those of the list. */
void confine_descriptors(const int *keep, size_t count);

/* Limits for the whole life of the process; CPU time is that of the preparation at first. */
int confine_resources(const struct sandbox_limits *limits, struct err *err);
int confine_cpu_time(const struct sandbox_limits *limits, struct err *err);

/* No capabilities but, for `folders`, reading other users' files; no core dumps, no debugger, no
 * gain by exec. */
int confine_privileges(const struct sandbox_folders *folders, struct err *err);

/* No path leads anywhere, except below the folders. Kernels without Landlock: nothing happens. */
int confine_paths(const struct sandbox_folders *folders, struct err *err);

/* The version of Landlock that the kernel speaks, 0 for none. */
int landlock_version(void);

/* Only the system calls that reading, computing and threads need. */
int confine_calls(const struct sandbox_folders *folders, struct err *err);
