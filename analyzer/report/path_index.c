/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * Distinct path patterns, in a hash table by their texts; those with wildcards also in a list that
 * is tried one by one.
 */
#include "analyzer/report/path_index.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "common/io.h"
#include "common/vec.h"

#define NOBODY UINT32_MAX

struct path_index {
    VEC(struct path_pattern) patterns; /* by number */
    VEC(unsigned) wild;                /* numbers of those with wildcards, ascending */
    uint32_t *slots;   /* numbers by hash of the text, open addressing; NOBODY: free */
    size_t slot_count; /* a power of two, at most half of them taken */
};

int path_index_new(struct path_index **ret, struct err *err)
{
    struct path_index *index = calloc(1, sizeof *index);
    if (!index)
        return err_nomem(err);
    *ret = index;
    return 0;
}

void *path_index_free(struct path_index *index)
{
    if (!index)
        return NULL;
    vec_free(&index->patterns);
    vec_free(&index->wild);
    free(index->slots);
    free(index);
    return NULL;
}

/* FNV-1a */
static uint64_t hash_text(const char *text, size_t length)
{
    uint64_t hash = 14695981039346656037u;
    for (size_t i = 0; i < length; i++)
        hash = (hash ^ (unsigned char)text[i]) * 1099511628211u;
    return hash ^ hash >> 32;
}

/* The slot of this text, or the free one where it belongs. */
static uint32_t *slot_of(const struct path_index *index, const char *text, size_t length)
{
    size_t at = hash_text(text, length) & (index->slot_count - 1);
    for (;; at = (at + 1) & (index->slot_count - 1)) {
        uint32_t *slot = &index->slots[at];
        if (*slot == NOBODY)
            return slot;
        const char *other = index->patterns.items[*slot].text;
        if (strncmp(other, text, length) == 0 && other[length] == '\0')
            return slot;
    }
}

static bool grow(struct path_index *index)
{
    size_t count = index->slot_count ? index->slot_count * 2 : 64;
    uint32_t *slots = malloc(count * sizeof *slots);
    if (!slots)
        return false;
    memset(slots, 0xff, count * sizeof *slots);
    free(index->slots);
    index->slots = slots;
    index->slot_count = count;
    for (uint32_t i = 0; i < index->patterns.count; i++) {
        const char *text = index->patterns.items[i].text;
        *slot_of(index, text, strlen(text)) = i;
    }
    return true;
}

int path_index_add(struct path_index *index, const struct path_pattern *pattern, unsigned *ret,
                   struct err *err)
{
    if (index->patterns.count * 2 >= index->slot_count && !grow(index))
        return err_nomem(err);
    uint32_t *slot = slot_of(index, pattern->text, strlen(pattern->text));
    if (*slot == NOBODY) {
        unsigned number = (unsigned)index->patterns.count, *wild;
        struct path_pattern *added = vec_push(&index->patterns);
        if (!added)
            return err_nomem(err);
        *added = *pattern;
        *slot = number;
        if (strpbrk(pattern->text, "*?{")) {
            if (!(wild = vec_push(&index->wild)))
                return err_nomem(err);
            *wild = number;
        }
    }
    *ret = *slot;
    return 0;
}

unsigned path_index_count(const struct path_index *index)
{
    return (unsigned)index->patterns.count;
}

const char *path_index_text(const struct path_index *index, unsigned number)
{
    return index->patterns.items[number].text;
}

static bool covers(const struct path_pattern *pattern, const char *path, bool is_log)
{
    return is_log ? path_pattern_match_log(pattern, path) : path_pattern_match(pattern, path, NULL);
}

static int ascending(const void *a, const void *b)
{
    const unsigned *left = a, *right = b;
    return *left < *right ? -1 : *left > *right;
}

/* Adds the pattern without wildcards that is this path. */
static void find_literal(const struct path_index *index, const char *path, size_t length,
                         unsigned *numbers, size_t *count)
{
    uint32_t number = *slot_of(index, path, length);
    if (number == NOBODY || strpbrk(index->patterns.items[number].text, "*?{"))
        return;
    numbers[(*count)++] = number;
}

size_t path_index_find(const struct path_index *index, const char *path, bool is_log,
                       unsigned *numbers)
{
    size_t count = 0, length = strlen(path);
    if (index->patterns.count == 0)
        return 0;
    find_literal(index, path, length, numbers, &count);
    size_t log_length = is_log ? path_log_length(path) : length;
    if (log_length < length)
        find_literal(index, path, log_length, numbers, &count);
    for (size_t i = 0; i < index->wild.count; i++)
        if (covers(&index->patterns.items[index->wild.items[i]], path, is_log))
            numbers[count++] = index->wild.items[i];
    qsort(numbers, count, sizeof *numbers, ascending);
    return count;
}
