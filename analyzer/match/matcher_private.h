/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * What the matcher and its scans share.
 */
#pragma once

#include <hs/hs.h>

#include "analyzer/match/matcher.h"
#include "common/io.h"
#include "common/vec.h"

struct pattern {
    struct log_pattern source;
    unsigned flags;    /* for Vectorscan */
    char *slow_reason; /* not NULL: PCRE2 reads every line */
};

struct matcher {
    VEC(struct pattern) patterns;
    hs_database_t *database; /* NULL when no pattern is fast */
    hs_scratch_t *scratch;   /* prototype; each scan clones it */
};
