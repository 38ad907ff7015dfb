/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * The inside of a report set, for the modules of this folder: hosts, sources, problems, and what
 * reports say about themselves. Changed by the thread that reads only.
 */
#pragma once

#include "analyzer/report/budget.h"
#include "analyzer/report/host_root.h"
#include "analyzer/report/key_set.h"
#include "analyzer/report/path_index.h"
#include "analyzer/report/report.h"
#include "common/arena.h"
#include "common/vec.h"

/* A pool has at most 64 hosts; this is for a folder full of reports, and against hostile ones. */
#define HOSTS_MAX 1024

/* Problems kept of each kind; the rest is counted. */
#define PROBLEMS_MAX 250

/* Their paths are cut to it. */
#define PROBLEM_PATH_MAX 1024

struct host_state {
    struct report_host report;
    const char *inventory_name, *manifest_name; /* NULL: not said */
    int64_t inventory_taken, manifest_taken;    /* 0: not said */
    int64_t newest;                             /* time of the newest member, or 0 */
    bool is_solid;      /* surely a host's folder: has var/, etc/ or an inventory */
    bool has_own_files; /* has inventory.xml, manifest.json or xen-bugtool.log, readable or not */
    bool is_loose;      /* its files are REPORTs themselves (loose.h) */
    bool lost;          /* files that its own list names are not there */
    bool inventory_damaged; /* there is an inventory.xml, but it cannot be read */
    VEC(const char *) capabilities;
};

/* A host that a bundle's list names. */
struct expected_host {
    unsigned source;
    const char *name;
};

struct absent_pattern {
    unsigned host;
    struct path_pattern pattern;
};

/* A file that a report's own list names. */
struct promise {
    unsigned host;
    const char *path;
};

struct taught_source {
    struct path_pattern pattern;
    const char *capability;
};

struct source_state {
    struct report_source report;
    int64_t modified; /* of the REPORT's file, or 0 */
};

struct crew;

struct report_set {
    struct budget budget;
    int jobs;
    struct crew *crew; /* while a REPORT is read */
    struct arena *arena;
    VEC(struct source_state *) sources;
    VEC(struct host_state *) hosts;
    VEC(struct report_problem) problems;
    int64_t problems_of_kind[PROBLEM_KINDS];
    struct key_set members; /* every path seen */
    struct key_set absent;  /* every path a manifest says was looked for in vain */
    struct key_set empty;   /* every path a manifest says was collected and had nothing in it */
    struct key_set sought; /* every taught pattern that names things, of which one was looked for in vain */
    struct key_set promised; /* every path that was collected, as the report's own lists say */
    VEC(struct promise) promises; /* the same, to be counted */
    VEC(struct absent_pattern) absent_patterns;
    VEC(struct expected_host) expected;
    VEC(struct taught_source) taught;
    struct path_index *known; /* what rules and tables read: names that a single file may have */
};

/* A copy in the set's arena, cut after `maximum` bytes; NULL when memory is out. */
const char *set_text(struct report_set *set, const char *text, size_t maximum);

/* Adds a source. NULL when memory is out. */
struct source_state *set_add_source(struct report_set *set, const char *path);

/*
 * The host of the root folder path[0..length) in the newest source; made when it is new.
 * ERR_LIMIT when there are too many hosts (told as a problem once), ERR_NOMEM.
 */
int set_host(struct report_set *set, const char *path, size_t length, struct host_state **ret,
             struct err *err);

/*
 * The host of the newest source with the longest root above `path`, or NULL. A root "" counts only
 * when it is surely a host's.
 */
struct host_state *set_host_above(struct report_set *set, const char *path);

/* Records a problem; `host` -1 for the newest source as a whole. Forgets it when the kind has too
 * many. */
void set_problem(struct report_set *set, enum problem_kind kind, int host, const char *path,
                 const char *format, ...) PRINTF_LIKE(5, 6);

/* While several threads read, a problem keeps its place between what is found in members. */

/* The same unless this host has a problem of this kind with this path already. */
void set_problem_once(struct report_set *set, enum problem_kind kind, int host, const char *path,
                      const char *format, ...) PRINTF_LIKE(5, 6);

/* The same for any source, even when the kind has too many: for what is said once, at the end. */
void set_closing_problem(struct report_set *set, enum problem_kind kind, unsigned source,
                         const char *format, ...) PRINTF_LIKE(4, 5);
