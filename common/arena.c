/* SPDX-License-Identifier: LGPL-2.1-only */
#include "common/arena.h"

#include <stdarg.h>
#include <stdint.h>

/* Large enough that a rule set takes a few blocks, small enough that an empty arena costs nothing.
 */
#define BLOCK_SIZE (32 * 1024)

struct block {
    struct block *next;
    size_t used, size;
    max_align_t data[];
};

struct arena {
    struct block *blocks; /* the newest, the only one with room, comes first */
    size_t used, ceiling;
};

struct arena *arena_new(size_t ceiling)
{
    struct arena *arena = calloc(1, sizeof *arena);
    if (arena)
        arena->ceiling = ceiling;
    return arena;
}

void *arena_free(struct arena *arena)
{
    if (!arena)
        return NULL;
    for (struct block *block = arena->blocks; block;) {
        struct block *next = block->next;
        free(block);
        block = next;
    }
    free(arena);
    return NULL;
}

void *arena_alloc(struct arena *arena, size_t size)
{
    const size_t alignment = sizeof(max_align_t);
    if (size > SIZE_MAX - alignment - sizeof(struct block))
        return NULL;
    size = (size + alignment - 1) / alignment * alignment;
    if (size > arena->ceiling - arena->used)
        return NULL;
    struct block *block = arena->blocks;
    if (!block || block->size - block->used < size) {
        size_t room = size > BLOCK_SIZE ? size : BLOCK_SIZE;
        block = calloc(1, sizeof *block + room);
        if (!block)
            return NULL;
        block->size = room;
        block->next = arena->blocks;
        arena->blocks = block;
    }
    void *memory = (char *)block->data + block->used;
    block->used += size;
    arena->used += size;
    return memory;
}

void *arena_array(struct arena *arena, size_t count, size_t size)
{
    size_t total;
    return __builtin_mul_overflow(count, size, &total) ? NULL : arena_alloc(arena, total);
}

char *arena_memdup(struct arena *arena, const void *bytes, size_t length)
{
    char *copy = length < SIZE_MAX ? arena_alloc(arena, length + 1) : NULL;
    if (copy && length)
        memcpy(copy, bytes, length);
    return copy;
}

char *arena_strdup(struct arena *arena, const char *text)
{
    return arena_memdup(arena, text, strlen(text));
}

char *arena_printf(struct arena *arena, const char *format, ...)
{
    va_list arguments, again;
    va_start(arguments, format);
    va_copy(again, arguments);
    int needed = vsnprintf(NULL, 0, format, arguments);
    char *text = needed < 0 ? NULL : arena_alloc(arena, (size_t)needed + 1);
    if (text)
        vsnprintf(text, (size_t)needed + 1, format, again);
    va_end(again);
    va_end(arguments);
    return text;
}

size_t arena_used(const struct arena *arena)
{
    return arena->used;
}
