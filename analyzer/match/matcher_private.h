/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * What the matcher, its audiences and its scans share.
 */
#pragma once

#include <hs/hs.h>

#include "analyzer/match/matcher.h"
#include "analyzer/report/path_index.h"
#include "common/io.h"
#include "common/vec.h"

/* How Hyperscan takes a pattern. */
enum pattern_kind {
    PATTERN_EXACT,
    PATTERN_PREFILTER, /* it searches for an approximation */
    PATTERN_SLOW,      /* not at all: PCRE2 reads every line */
};

struct pattern {
    struct log_pattern source;
    enum pattern_kind kind;
    char *slow_reason;
};

struct audience {
    bool is_shared; /* the matcher's own */
    bool has_slow;
    bool *has;       /* by pattern */
    unsigned *paths; /* numbers of the path patterns that cover these logs */
    size_t path_count;
    size_t size;     /* patterns in `has` */
    unsigned subset; /* while it is shared: which of the matcher's databases */
    /* Searched one after another. They may hold more than `has`, which is passed over. */
    hs_database_t **databases;
    size_t database_count;
};

/* What the matcher knows of a path pattern. */
struct path_use {
    VEC(unsigned) patterns;    /* that name it, ascending */
    struct audience *audience; /* of the logs that it covers, as far as can be foreseen */
};

struct matcher {
    VEC(struct pattern) patterns;
    struct path_index *paths;
    VEC(struct path_use) uses;        /* by number of the path pattern */
    VEC(struct audience *) audiences; /* distinct ones */
    hs_database_t **databases;        /* NULL for sets of slow patterns only */
    size_t database_count;
    hs_scratch_t *scratch; /* prototype for all databases; each scan clones it */
};

/* ------ audience.c ------ */

/* After the last pattern: finds the audiences that the path patterns make, without databases. */
int audiences_foresee(struct matcher *matcher, struct err *err);

/* Frees one whoever owns it. */
void audience_free(struct audience *audience);
