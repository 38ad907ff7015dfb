/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * Turning what the catalog names (globs, trees, logs with rotations, lists of devices, conditions)
 * into what is there. A glob on a dead network mount blocks for ever, so it happens in a child, all
 * requests in one; when one gets stuck, it is given up after a while and the rest goes on in the
 * next child.
 */
#pragma once

#include <stdatomic.h>

#include "collector/process/spawner.h"
#include "common/arena.h"

enum expand_kind {
    EXPAND_GLOB,    /* files that match; a path without wildcards is a hit in any case */
    EXPAND_PATHS,   /* whatever matches and exists, folders too */
    EXPAND_LOG,     /* a log (in any case) and its rotations, newest first */
    EXPAND_TREE,    /* files below a folder */
    EXPAND_DEVICES, /* names of a device list */
    EXPAND_EXISTS,  /* a hit when the path is there */
    EXPAND_RUNNING, /* a hit when a process runs a program of this name */
};

struct expand_request {
    enum expand_kind kind;
    const char *subject;
    const char *match, *exclude; /* tree: extended regular expressions or NULL */
    bool newest_first;           /* glob, tree */
};

struct expand_hit {
    const char *path; /* below the root; device list: the name */
    int64_t size;     /* bytes, -1 when not known */
};

struct expand_result {
    const struct expand_hit *hits;
    size_t count;
    bool stuck;  /* given up; the hits are those found until then */
    bool unseen; /* there was no time left for it: a file with a plain name is a hit all the same */
    bool cut;    /* there are more than the limit allows */
};

/* What the child works on; part of the context that the spawner is started with. */
struct expansion {
    const char *root;
    const struct expand_request *requests;
    size_t count;
};

/* The child: works off the requests from number argv[1] on (argv[2] of them) and reports on
 * descriptor 1. */
int expand_child(const struct expansion *expansion, int argc, const char *const *argv);

/*
 * Runs children until each request has its result (`results` has room for all; hits live in the
 * arena). What is left when `deadline_ms` (monotonic) passes is unseen.
 */
int expand_all(struct spawner *spawner, const struct expansion *expansion, struct arena *arena,
               int64_t deadline_ms, const atomic_bool *cancelled, struct expand_result *results,
               struct err *err);
