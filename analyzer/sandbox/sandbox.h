/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * Doing a job in a child process that can do nothing else.
 *
 * Reports come from strangers and go through parsers written by many people. So they are parsed in
 * a child which, before it looks at the first byte, gives up everything: it can no longer open,
 * create or change a file, use the network, start or signal a process, or make memory executable.
 * It works with the descriptors it was given, within limits of memory, CPU time, file size and
 * time. What it says on its way out is as little to be trusted as the report.
 *
 * The parent opens what the job needs, calls sandbox_run(), and learns how the child ended and at
 * which step. The job prepares itself (reads its rules), then calls sandbox_enter(), from where on
 * it is confined; threads may be started after it. docs/architecture.md has the layers.
 */
#pragma once

#include <stdint.h>

#include "common/err.h"
#include "common/strbuf.h"

struct sandbox_limits {
    int64_t memory;    /* bytes the child may have for writing: heap, stacks, private mappings */
    int64_t file_size; /* largest file it may write */
    int cpu_seconds;   /* of all its threads together */
    int wall_seconds;
    int prepare_seconds; /* CPU time before sandbox_enter() */
    int descriptors;
};

enum sandbox_ending {
    SANDBOX_DONE,        /* the job returned: `status` */
    SANDBOX_FAILED,      /* the job returned an error: `err` */
    SANDBOX_CRASHED,     /* by itself: `signal` */
    SANDBOX_KILLED,      /* by somebody else: `signal` */
    SANDBOX_FORBIDDEN,   /* it tried what no parser ever does */
    SANDBOX_CPU,         /* too much CPU time */
    SANDBOX_WALL,        /* too long */
    SANDBOX_VANISHED,    /* it exited without a word */
    SANDBOX_INTERRUPTED, /* the parent was told to stop: `signal`, which is the caller's to raise
                            again */
};

struct sandbox_end {
    enum sandbox_ending ending;
    int status, signal;
    int step;       /* the last one told by sandbox_step(), or SANDBOX_NO_STEP */
    struct err err; /* foreign text: escape it */
};

#define SANDBOX_NO_STEP (-1)

/* The child's side of it. */
struct sandbox;

struct sandbox_job {
    /* In the child. Returns a status of 0 or more, or a negative error with *err set. */
    int (*run)(void *context, struct sandbox *sandbox, struct err *err);
    void *context;
    const int *keep; /* descriptors that stay open besides standard output and error */
    size_t keep_count;
    struct sandbox_limits limits;
};

/*
 * Runs the job in a child and waits for it. Standard input is /dev/null there. An error only when
 * no child could be started. Call it while the process has one thread. Temporarily takes SIGINT,
 * SIGTERM, SIGHUP and SIGCHLD.
 */
int sandbox_run(const struct sandbox_job *job, struct sandbox_end *ret, struct err *err);

/* What the confined child may open. */
struct sandbox_folders {
    const int *fds; /* files and folders below these may be opened for reading */
    size_t count;   /* 0: nothing can be opened */
};

/* For the job: from here on it is confined. ERR_UNSUPPORTED when the system does not let us. */
int sandbox_enter(struct sandbox *sandbox, const struct sandbox_folders *folders, struct err *err);

/* For the job: notes, for the case that it does not live on, what it is about to do. */
void sandbox_step(struct sandbox *sandbox, int step);

/*
 * Why a job did not end well, as the rest of a sentence that begins with the reader: "crashed
 * (signal 11)", "needed more than 1024 MiB of memory".
 */
void sandbox_explain(const struct sandbox_end *end, const struct sandbox_limits *limits,
                     struct strbuf *text);

/* Which layers this system offers, in a few words: "seccomp, Landlock 4, limits". */
void sandbox_describe(struct strbuf *text);
