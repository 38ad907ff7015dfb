/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * Growing arrays of any type: `struct { T *items; size_t count, capacity; } v`.
 *
 * vec_push(&v) makes room for one more zeroed item and returns its address, or NULL when memory is
 * out. The address is valid until the next push. vec_free(&v) frees the array, not what the items
 * point to.
 */
#pragma once

#include <stdbool.h>

#include "common/compiler.h"

#define VEC(type)                                                                                  \
    struct {                                                                                       \
        type *items;                                                                               \
        size_t count, capacity;                                                                    \
    }

#define vec_push(vec)                                                                              \
    (vec_grow((void **)&(vec)->items, (vec)->count, &(vec)->capacity, sizeof *(vec)->items)        \
         ? &(vec)->items[(vec)->count++]                                                           \
         : NULL)

#define vec_free(vec)                                                                              \
    do {                                                                                           \
        free((vec)->items);                                                                        \
        (vec)->items = NULL;                                                                       \
        (vec)->count = (vec)->capacity = 0;                                                        \
    } while (0)

/* Makes room for item number `count` and zeroes it. */
bool vec_grow(void **items, size_t count, size_t *capacity, size_t size);
