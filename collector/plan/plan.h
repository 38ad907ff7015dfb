/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * The flat list of what one run is going to collect. Each entry ends with exactly one outcome; some
 * have theirs from the start (a file that is not there, one that is over the size limit of its
 * capability).
 */
#pragma once

#include <stdatomic.h>

#include "collector/catalog/catalog.h"
#include "collector/sources/functions.h"
#include "collector/sources/outcome.h"
#include "common/vec.h"

enum plan_kind { PLAN_FILE, PLAN_TREE, PLAN_COMMAND, PLAN_FUNCTION };

struct plan_entry {
    enum plan_kind kind;
    const struct capability *capability;
    const struct catalog_item *item;
    const char *source; /* path, pattern, or the command line joined by blanks */
    const char *name;   /* archive member below the top folder */
    const char *prompt; /* what the user is asked about: label, path, or the tree's root */
    const char
        *path; /* what to read: file, tree; recorded output of a command below another root */
    const char *const *argv; /* command, function */
    int64_t expected;        /* bytes, -1: not known */
    int64_t limit;           /* bytes, -1: none */
    int64_t time_limit_ms;

    bool unseen;            /* nobody has looked at the path yet: it may hang */
    bool decided;           /* the outcome stands before the run */
    struct outcome outcome; /* from here on: the result */
    bool archived;          /* it has a member in the archive */
    int64_t bytes, redactions, duration_ms, modified;
    char md5[33], sha256[65];
};

struct plan {
    struct arena *arena;
    VEC(struct plan_entry) entries;
};

struct plan_selection {
    struct capability *capability;
    int verbosity; /* 1-9; 9 is everything */
};

struct plan_options {
    const char *root; /* absolute; "/" is the running system */
    bool unlimited;   /* no size and time limits */
    bool limits_only; /* no items: only what --capabilities needs */
};

struct planner;

/*
 * Planning takes two steps, since the spawner must know the questions before it starts:
 * planner_new() gathers what has to be looked up, its expansion goes into the function context, and
 * plan_build() looks it up in children and makes the plan. `selections` and `options` are borrowed
 * until planner_free().
 */
int planner_new(const struct plan_selection *selections, size_t count,
                const struct plan_options *options, struct planner **ret, struct err *err);
struct expansion planner_expansion(const struct planner *planner);

/* Also applies run-time limits (`scale`) to the selected capabilities. ERR_CANCELLED, ERR_NOMEM,
 * ERR_LIMIT. */
int plan_build(struct planner *planner, struct spawner *spawner, int64_t deadline_ms,
               const atomic_bool *cancelled, struct plan *ret, struct err *err);
void *planner_free(struct planner *planner);

void plan_free(struct plan *plan);

const char *plan_kind_name(enum plan_kind kind);
