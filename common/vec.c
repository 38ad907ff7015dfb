/* SPDX-License-Identifier: LGPL-2.1-only */
#include "common/vec.h"

bool vec_grow(void **items, size_t count, size_t *capacity, size_t size)
{
    if (count == *capacity) {
        size_t larger = *capacity ? *capacity * 2 : 8;
        void *memory = larger > *capacity ? reallocarray(*items, larger, size) : NULL;
        if (!memory)
            return false;
        *items = memory;
        *capacity = larger;
    }
    memset((char *)*items + count * size, 0, size);
    return true;
}
