/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * /etc/xenhealth/healthcheck.yaml: what the administrator wants of the health check.
 *
 * Every key may be missing, and so may the file. What is there is read strictly: an unknown key or
 * a value that makes no sense is an error with its place, and nothing runs; a health check that
 * quietly ignores half of its settings is worse than one that complains.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "common/arena.h"
#include "common/err.h"

#define SETTINGS_PATH      "/etc/xenhealth/healthcheck.yaml"
#define SETTINGS_MAX_BYTES (256 << 10)

struct settings {
    struct {
        bool enabled;
        int every_days;
        int weekday; /* 0 Sunday .. 6, -1: any */
        int hour;
        int64_t retry_s;
    } schedule;
    struct {
        bool pool;                    /* the whole pool where this host coordinates one */
        const char *const *arguments; /* of xen-bugtool, besides ours; NULL ends them */
        int64_t time_limit_s;
    } collect;
    struct {
        const char *const *arguments; /* of xen-analyze */
        int64_t time_limit_s;
    } analyze;
    struct {
        int reports;        /* that are kept at most, */
        int64_t bytes;      /* in so much room, */
        int64_t free_bytes; /* as long as the disk has so much left */
        int runs;           /* in the history */
    } keep;
    struct {
        const char *const *arguments; /* of xen-upload --add */
        const char *spool;
        int64_t time_limit_s;
    } upload;
    const char *prometheus; /* a copy of the metrics, for node_exporter; NULL: none */
    struct {
        const char *root;  /* where XAPI's socket is looked for */
        int64_t confirm_s; /* XenCenter's lock: how long a rival has to notice */
    } xapi;
};

/* What holds without a file. Its texts are constant. */
void settings_default(struct settings *ret);

/*
 * `path` NULL: SETTINGS_PATH, which need not be there. Texts live in `arena`.
 * ERR_PARSE with file, line and column; ERR_NOTFOUND for a path that was named; ERR_IO.
 */
int settings_load(const char *path, struct arena *arena, struct settings *ret, struct err *err);

/* The same from bytes; `name` is what errors call the file. */
int settings_parse(struct arena *arena, const char *name, const char *bytes, size_t length,
                   struct settings *ret, struct err *err);
