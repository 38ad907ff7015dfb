/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * What a bundle says about itself: who is the coordinator, and what came from each host.
 */
#pragma once

#include "collector/pool/take.h"

struct pool_facts {
    const struct xapi_pool *pool;
    const struct take *takes; /* one a host */
    const char *silence;      /* why XAPI does not answer, or "" */
    const char *entries;      /* what the user wanted, or NULL */
    int64_t host_limit_ms;
    int64_t started; /* epoch seconds */
    int64_t duration_ms;
};

/* Adds "<stamp>-Coordinators.txt" (not when XAPI was silent) and "pool-manifest.json". */
int pool_manifest_add(const struct pool_facts *facts, const char *stamp, struct sink *sink,
                      struct err *err);
