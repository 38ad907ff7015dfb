/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * An open-addressing hash set of 64-bit hashes (FNV-1a with a final mix).
 */
#include "analyzer/report/key_set.h"

#include <stdlib.h>

static uint64_t hash_of(unsigned host, const char *text)
{
    uint64_t hash = 0xcbf29ce484222325u ^ ((uint64_t)host * 0x9e3779b97f4a7c15u);
    for (; *text; text++)
        hash = (hash ^ (unsigned char)*text) * 0x100000001b3u;
    hash ^= hash >> 32;
    hash *= 0xd6e8feb86659fd93u;
    hash ^= hash >> 32;
    return hash ? hash : 1;
}

static size_t slot_of(const struct key_set *set, uint64_t hash)
{
    size_t slot = (size_t)hash & (set->capacity - 1);
    while (set->slots[slot] && set->slots[slot] != hash)
        slot = (slot + 1) & (set->capacity - 1);
    return slot;
}

static bool grow(struct key_set *set)
{
    struct key_set bigger = {.count = set->count,
                             .capacity = set->capacity ? set->capacity * 2 : 1024};
    bigger.slots = calloc(bigger.capacity, sizeof *bigger.slots);
    if (!bigger.slots)
        return false;
    for (size_t i = 0; i < set->capacity; i++)
        if (set->slots[i])
            bigger.slots[slot_of(&bigger, set->slots[i])] = set->slots[i];
    free(set->slots);
    *set = bigger;
    return true;
}

bool key_set_add(struct key_set *set, unsigned host, const char *text)
{
    if (set->count * 2 >= set->capacity && !grow(set))
        return true;
    uint64_t hash = hash_of(host, text);
    size_t slot = slot_of(set, hash);
    if (set->slots[slot])
        return false;
    set->slots[slot] = hash;
    set->count++;
    return true;
}

bool key_set_has(const struct key_set *set, unsigned host, const char *text)
{
    return set->capacity > 0 && set->slots[slot_of(set, hash_of(host, text))] != 0;
}

void key_set_release(struct key_set *set)
{
    free(set->slots);
    *set = (struct key_set){0};
}
