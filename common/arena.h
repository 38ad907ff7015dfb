/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * Memory for many small things that die together: a rule set, a catalog, a plan.
 *
 * Pointers stay valid until arena_free(). There is no way to give back a single thing. Not
 * thread-safe.
 */
#pragma once

#include "common/compiler.h"

struct arena;

/* NULL when memory is out. `ceiling` bytes at the most; a request beyond it fails like exhausted
 * memory. */
struct arena *arena_new(size_t ceiling) MUST_USE;
void *arena_free(struct arena *arena); /* returns NULL */

/* Zeroed memory, aligned for any type; NULL when memory or the ceiling is reached. */
void *arena_alloc(struct arena *arena, size_t size) MUST_USE;
void *arena_array(struct arena *arena, size_t count, size_t size) MUST_USE;

char *arena_strdup(struct arena *arena, const char *text) MUST_USE;
char *arena_memdup(struct arena *arena, const void *bytes, size_t length) MUST_USE; /* adds a NUL */
char *arena_printf(struct arena *arena, const char *format, ...) PRINTF_LIKE(2, 3) MUST_USE;

size_t arena_used(const struct arena *arena);

DEFINE_CLEANUP(arena_cleanup, struct arena *, arena_free)
