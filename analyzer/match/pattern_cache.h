/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * Compiled patterns on disk. Compiling a hundred patterns takes three quarters of the time that a
 * small report needs, and the built-in rules are the same every time.
 *
 * A file is named by the SHA-256 of everything that decides what the compiler makes (patterns,
 * sets, version, kind of processor). It is read only from a folder that nobody else can write to: a
 * compiled database is code in all but name. Whatever goes wrong is no error: the patterns are
 * compiled as if there were no cache.
 */
#pragma once

#include <hs/hs.h>
#include <stdbool.h>

#include "common/err.h"

/* Patterns that are compiled together. */
struct pattern_subset {
    unsigned *numbers; /* ascending */
    unsigned count;
};

struct pattern_plan {
    const char *const *expressions;
    unsigned count;
    const struct pattern_subset *subsets;
    unsigned subset_count;
};

/*
 * What was stored for this plan: a byte for each pattern, and a database (the caller's; NULL where
 * NULL was stored) for each subset. False when there is nothing; then nothing is set. `directory`
 * may not exist.
 */
bool pattern_cache_load(const char *directory, const struct pattern_plan *plan,
                        unsigned char *kinds, hs_database_t **databases) MUST_USE;

/* Keeps them, in its folder made 0700, and forgets the oldest when there are many. */
void pattern_cache_store(const char *directory, const struct pattern_plan *plan,
                         const unsigned char *kinds, hs_database_t *const *databases);
