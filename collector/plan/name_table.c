/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * Open addressing over FNV-1a, doubled when it is half full. Plans have some thousands of names.
 */
#include "collector/plan/name_table.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define FIRST_SIZE    1024
#define MAX_SAME_NAME 10000

struct slot {
    const char *name, *source;
};

struct name_table {
    struct slot *slots;
    size_t size, used;
};

int name_table_new(struct name_table **ret, struct err *err)
{
    struct name_table *table = calloc(1, sizeof *table);
    if (table && (table->slots = calloc(FIRST_SIZE, sizeof *table->slots))) {
        table->size = FIRST_SIZE;
        *ret = table;
        return 0;
    }
    free(table);
    return err_nomem(err);
}

void *name_table_free(struct name_table *table)
{
    if (table)
        free(table->slots);
    free(table);
    return NULL;
}

/* The slot that has the name, or the empty one where it belongs. */
static struct slot *find(const struct name_table *table, const char *name)
{
    uint64_t hash = 14695981039346656037u;
    for (const char *c = name; *c; c++)
        hash = (hash ^ (unsigned char)*c) * 1099511628211u;
    size_t i = (size_t)hash & (table->size - 1);
    while (table->slots[i].name && strcmp(table->slots[i].name, name) != 0)
        i = (i + 1) & (table->size - 1);
    return &table->slots[i];
}

static int grow(struct name_table *table, struct err *err)
{
    struct name_table bigger = {.slots = calloc(table->size * 2, sizeof *bigger.slots),
                                .size = table->size * 2,
                                .used = table->used};
    if (!bigger.slots)
        return err_nomem(err);
    for (size_t i = 0; i < table->size; i++)
        if (table->slots[i].name)
            *find(&bigger, table->slots[i].name) = table->slots[i];
    free(table->slots);
    *table = bigger;
    return 0;
}

int name_table_take(struct name_table *table, struct arena *arena, const char *name,
                    const char *source, const char **ret_name, struct err *err)
{
    if (table->used * 2 >= table->size && grow(table, err) < 0)
        return ERR_NOMEM;
    const char *wanted = arena_strdup(arena, name);
    for (int number = 2; wanted; number++) {
        struct slot *slot = find(table, wanted);
        if (!slot->name) {
            *slot = (struct slot){wanted, source};
            table->used++;
            *ret_name = wanted;
            return 0;
        }
        if (strcmp(slot->source, source) == 0) {
            *ret_name = NULL;
            return 0;
        }
        if (number > MAX_SAME_NAME)
            return err_set(err, ERR_LIMIT, "too many entries are called '%s'", name);
        wanted = arena_printf(arena, "%s-%d", name, number);
    }
    return err_nomem(err);
}
