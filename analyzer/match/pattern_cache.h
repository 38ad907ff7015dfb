/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * Compiled patterns on disk. Compiling a hundred patterns takes three quarters of the time that a
 * small report needs, and the built-in rules are the same every time.
 *
 * A file is named by the SHA-256 of everything that decides what the compiler makes (patterns,
 * flags, numbers, version, kind of processor). It is read only from a folder that nobody else can
 * write to: a compiled database is code in all but name. Whatever goes wrong is no error: the
 * patterns are compiled as if there were no cache.
 */
#pragma once

#include <hs/hs.h>

#include "common/err.h"

struct pattern_list {
    const char *const *expressions;
    const unsigned *flags, *numbers;
    unsigned count;
};

/* The database for these patterns, or NULL. `directory` may not exist. */
hs_database_t *pattern_cache_load(const char *directory,
                                  const struct pattern_list *patterns) MUST_USE;

/* Keeps a database, in its folder made 0700, and forgets the oldest when there are many. */
void pattern_cache_store(const char *directory, const struct pattern_list *patterns,
                         const hs_database_t *database);
