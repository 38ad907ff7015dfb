/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * What can be collected: capabilities and their items, read from YAML.
 *
 * One file is one capability (collector/capabilities/, or a folder given by the user). Everything
 * here is constant after loading and lives in the catalog's arena. Keys, sizes, times, order and
 * the meaning of `pii` are the original tool's, since callers read them from --capabilities.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "common/arena.h"
#include "common/embed.h"
#include "common/err.h"

/* Seconds for one command of a capability that states no time (the original killed it at once). */
#define CATALOG_DEFAULT_TIME 60

enum item_kind { ITEM_FILE, ITEM_TREE, ITEM_LOG, ITEM_COMMAND, ITEM_FUNCTION };

/* When an item is wanted at all. Each member may be NULL. */
struct catalog_when {
    const char *exists;            /* a path is there */
    const char *const *not_exists; /* none of these paths is there */
    const char *running;           /* a process runs this program */
};

struct catalog_item {
    enum item_kind kind;
    const char *file; /* where it stands, for messages */
    int line;

    const char *const *paths; /* file: globs; log: globs of the live logs; tree: roots */
    const char *match,
        *exclude;      /* tree: extended regular expressions, from the start of the full path */
    const char *pack;  /* tree: its files go into a tar of this name inside the archive, or NULL */
    bool newest_first; /* file: order by age, and verbosity N keeps the newest N */
    bool clean;        /* file: --clean-tapdisk-logs may delete what was collected */

    const char *const *argv; /* command: program and arguments; function: its name */
    const char *input;       /* command: text for its standard input, or NULL */
    const char *each;        /* name of the list whose names replace {each's name}, or NULL */

    const char *label; /* what the archive name is made from, or NULL: from argv or the path */
    const char *const *filters; /* redaction filters, NULL-ended */
    struct catalog_when when;
    const char *lane; /* items with the same lane never run at once; NULL: none */
    int64_t limit;    /* bytes of one entry; -1: default for its kind */
    int64_t time_ms;  /* of one command; -1: the capability's */
    int rank;         /* 1 is best; decides what comes first when time is limited */

    /* Items of plugins only. */
    const char *each_glob; /* one command for each path it matches, which replaces {path} */
    const char *defect;    /* why this item cannot be collected; it is recorded as failed */
    int64_t least_budget;  /* its files may take this much even when its capability allows less */
    bool foreign;          /* it comes from a plugin: verbosity does not apply */
};

/* Names found by running a command: for each line that matches, group 1. */
struct catalog_list {
    const char *name;
    const char *const *argv;
    const char *match;
};

/* The original raises some limits with the number of devices it finds. */
struct catalog_scale {
    const char *const *devices; /* globs to count; NULL: none */
    const char *const *lists;   /* names of lists to count; NULL: none */
    int64_t size, size_base;    /* min and max size = size * count + size_base; size 0: unchanged */
    int64_t time, time_base;    /* max time in seconds, likewise */
};

struct capability {
    const char *key, *description;
    const char *pii;            /* no, yes, maybe, if_customized */
    const char *mime;           /* text/plain or application/data */
    int64_t min_size, max_size; /* bytes, -1: not known or unlimited */
    int64_t min_time, max_time; /* seconds, likewise */
    int64_t
        command_time; /* seconds one command may take: max_time before scaling, or the default */
    bool checked;     /* part of a run without --entries */
    bool hidden;      /* not in --capabilities */
    bool measured;    /* min and max size are what its files add up to */
    bool xen_rt;      /* checked in runs of the test system (XEN_RT) */
    const char *inventory; /* only on hosts whose xensource-inventory has this key, or NULL */
    int order;
    struct catalog_scale scale;
    const struct catalog_list *lists;
    size_t list_count;
    const struct catalog_item *items;
    size_t item_count;
};

struct catalog {
    struct arena *arena;
    struct capability *capabilities; /* sorted by order, then key */
    size_t count;
};

/* Whether a redaction filter or a function of this name exists; the loader refuses files that name
 * others. */
struct catalog_names {
    bool (*filter_exists)(const char *name);
    bool (*function_exists)(const char *name);
    bool (*device_list_exists)(const char *name); /* lists that need no entry under `lists:` */
};

extern const struct embedded_file catalog_embedded[];

/* The files compiled into the program. Free with catalog_free(). */
int catalog_load_embedded(const struct embedded_file *files, const struct catalog_names *names,
                          struct catalog *ret, struct err *err);

/* All *.yaml files of a folder. ERR_NOTFOUND when there is none. */
int catalog_load_directory(const char *directory, const struct catalog_names *names,
                           struct catalog *ret, struct err *err);

/* One file into the catalog of an arena: what the two above call, and the fuzz target. */
int catalog_parse_capability(struct arena *arena, const char *name, const char *bytes,
                             size_t length, const struct catalog_names *names,
                             struct capability *ret, struct err *err);

/* One more capability, zeroed, in an array that has room for it; NULL beyond the limit. Callers
 * sort when they are done. */
struct capability *catalog_add(struct catalog *catalog, struct err *err);
void catalog_sort(struct catalog *catalog);
void catalog_remove(struct catalog *catalog, size_t index);

void catalog_free(struct catalog *catalog);

/* NULL when there is none. */
struct capability *catalog_find(const struct catalog *catalog, const char *key);
const struct catalog_list *capability_list(const struct capability *capability, const char *name);
