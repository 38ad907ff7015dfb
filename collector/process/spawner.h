/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * Running things that may block, lie, or refuse to die: commands, and functions of ours that read
 * from /proc, network file systems or anything else that can hang.
 *
 * spawner_start() forks a small single-threaded helper before any thread exists. For each child the
 * helper forks a keeper; the keeper is a subreaper, starts the child in a session of its own with
 * low priority and a clean environment, and owns everything that descends from it. When the child
 * ends, when its time is up, when its output reaches the cap, when the run is cancelled, or when
 * this process dies, the keeper ends the whole family: TERM, a short grace, KILL, until none is
 * left. What sleeps uninterruptibly is abandoned and reported as stuck; nothing ever waits for it.
 * (Source of the musts: the original tool signals one process and waits for ever in readline.)
 *
 * child_run() may be called from many threads at once.
 */
#pragma once

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "common/err.h"

struct spawner;

/*
 * A function that can be run as a child; it writes to descriptor 1 and returns an exit status. Of
 * the descriptors its context knows, the directories are open in it and all others closed: a
 * function that hangs for ever must not hold a pipe or socket of ours.
 */
struct spawner_function {
    const char *name;
    int (*run)(void *context, int argc, const char *const *argv); /* argv[0] is the name */
};

/*
 * `functions` ends with a row without a name; `context` is handed to them and must be complete by
 * now, since the helper works on a copy of this process's memory. Must be called while the process
 * has one thread.
 */
int spawner_start(const struct spawner_function *functions, void *context, struct spawner **ret,
                  struct err *err);

/* Ends all children and the helper. NULL is fine; returns NULL. */
void *spawner_stop(struct spawner *spawner);

struct child_spec {
    bool is_function;
    const char *const *argv; /* NULL-ended; a program looked up in PATH, or a function's name and
                                arguments; 64 KiB and 512 arguments at the most (ERR_LIMIT) */
    const char *input;       /* text for standard input, or NULL for /dev/null */
    int64_t time_limit_ms;   /* from now; 0 and less: it is over already */
    const atomic_bool *cancelled; /* looked at several times a second; NULL for none */
};

enum child_outcome {
    CHILD_EXITED,   /* status: exit status */
    CHILD_SIGNALED, /* status: signal, not sent by us */
    CHILD_TIMEOUT,
    CHILD_CUT, /* the output callback asked to stop */
    CHILD_CANCELLED,
    CHILD_NOT_STARTED, /* sysno: ENOENT, EACCES, ... */
    CHILD_STUCK,       /* did not die of KILL (uninterruptible sleep) and was abandoned */
};

struct child_end {
    enum child_outcome outcome;
    int status, sysno;
    int64_t duration_ms;
    char errors[400]; /* the beginning of what it wrote to standard error */
};

/* 0: go on; 1: enough, end the child (CHILD_CUT); negative: a failure to end with and return. */
typedef int (*child_output)(void *context, const void *bytes, size_t length, struct err *err);

/*
 * Runs one child to its end and hands on its standard output as it comes. Returns 0 and *ret, or
 * the callback's failure, or ERR_IO when the helper is gone. Returns within half a second of the
 * time limit.
 */
int child_run(struct spawner *spawner, const struct child_spec *spec, child_output output,
              void *context, struct child_end *ret, struct err *err);
