/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * All hosts of the pool into one bundle.
 *
 * Layout (that of the bundles that XenCenter makes, so that readers know it): a folder
 * "<stamp>-<number>-bugtool-<label>" for each host, with its report as that host made it;
 * "<stamp>-Coordinators.txt", who is what; and of ours "pool-manifest.json", which says of each
 * host what came, or why nothing did.
 */
#pragma once

#include "collector/pool/take.h"

struct pool_options {
    const char *root;        /* "/", or where the socket and files of this host are looked for */
    const char *server;      /* NULL: the local XAPI */
    const char *credentials; /* file; needed for a server */
    const char *cacert;      /* NULL: the pool's own certificates */
    const char *entries;
    bool all;
    const char *const *argv; /* see struct take_setting */
    int jobs;                /* hosts at once */
    int64_t host_limit_ms;
    struct limit limit;
    const char *stamp; /* "2026-11-20-10-11-05" */
    int64_t when;      /* the same, epoch seconds */
    /* Hears one line after each host, from one thread at a time. May hold anything foreign. */
    void (*say)(void *context, const char *line);
    void *context;
};

struct pool_result {
    size_t hosts, complete, partial; /* partial: something came, but not all */
};

/*
 * Names below the root. The bundle must not be closed when this fails: ERR_DENIED, ERR_USAGE for
 * credentials that cannot be used; ERR_NOTFOUND, no host gave anything; ERR_CANCELLED; a failure of
 * the bundle.
 */
int pool_collect(const struct pool_options *options, struct spawner *spawner, struct sink *sink,
                 struct pool_result *ret, struct err *err);
