/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * Which patterns are about which logs.
 *
 * The audiences must be known, and their databases compiled, before a report is opened. So each
 * path pattern is taken for a path: the patterns that cover `var/log/kern.log`, or
 * `var/crash/?/xen.log`, make one audience. A log that is covered by wildcards in a way that nobody
 * foresaw is searched with the databases of all the path patterns that cover it, one after another.
 */
#include "analyzer/match/matcher_private.h"

void audience_free(struct audience *audience)
{
    if (!audience)
        return;
    free(audience->has);
    free(audience->paths);
    free(audience->databases);
    free(audience);
}

void *audience_release(struct audience *audience)
{
    if (audience && !audience->is_shared)
        audience_free(audience);
    return NULL;
}

bool audience_has(const struct audience *audience, unsigned pattern)
{
    return audience->has[pattern];
}

static bool is_same_set(const unsigned *a, size_t a_count, const unsigned *b, size_t b_count)
{
    return a_count == b_count && memcmp(a, b, a_count * sizeof *a) == 0;
}

/* The audience of logs that just these path patterns cover. */
static int make(const struct matcher *matcher, const unsigned *paths, size_t count,
                struct audience **ret, struct err *err)
{
    struct audience *audience = calloc(1, sizeof *audience);
    if (!audience)
        return err_nomem(err);
    audience->has = calloc(matcher->patterns.count + 1, sizeof *audience->has);
    audience->paths = calloc(count + 1, sizeof *audience->paths);
    audience->databases = calloc(count + 1, sizeof(hs_database_t *));
    if (!audience->has || !audience->paths || !audience->databases) {
        audience_free(audience);
        return err_nomem(err);
    }
    memcpy(audience->paths, paths, count * sizeof *paths);
    audience->path_count = count;
    for (size_t i = 0; i < count; i++) {
        const struct path_use *use = &matcher->uses.items[paths[i]];
        for (size_t p = 0; p < use->patterns.count; p++) {
            unsigned number = use->patterns.items[p];
            audience->size += !audience->has[number];
            audience->has[number] = true;
            audience->has_slow |= matcher->patterns.items[number].kind == PATTERN_SLOW;
        }
    }
    *ret = audience;
    return 0;
}

static struct audience *find_shared(const struct matcher *matcher, const unsigned *paths,
                                    size_t count)
{
    /* A path pattern that covers the logs of an audience made it, or one of the same paths did. */
    for (size_t i = 0; i < count; i++) {
        struct audience *audience = matcher->uses.items[paths[i]].audience;
        if (audience && is_same_set(paths, count, audience->paths, audience->path_count))
            return audience;
    }
    return NULL;
}

int audiences_foresee(struct matcher *matcher, struct err *err)
{
    size_t count = matcher->uses.count;
    CLEANUP_FREE unsigned *paths = calloc(count + 1, sizeof *paths);
    if (!paths)
        return err_nomem(err);
    for (unsigned i = 0; i < count; i++) {
        const char *text = path_index_text(matcher->paths, i);
        size_t found = path_index_find(matcher->paths, text, true, paths);
        struct audience *audience = find_shared(matcher, paths, found);
        if (!audience) {
            struct audience **slot = vec_push(&matcher->audiences);
            int r = slot ? make(matcher, paths, found, slot, err) : err_nomem(err);
            if (r < 0)
                return r;
            audience = *slot;
            audience->is_shared = true;
        }
        matcher->uses.items[i].audience = audience;
    }
    return 0;
}

static void add_databases(struct audience *audience, const struct audience *other)
{
    for (size_t i = 0; i < other->database_count; i++) {
        bool is_there = false;
        for (size_t k = 0; k < audience->database_count && !is_there; k++)
            is_there = audience->databases[k] == other->databases[i];
        if (!is_there)
            audience->databases[audience->database_count++] = other->databases[i];
    }
}

int matcher_audience(const struct matcher *matcher, const char *logical, struct audience **ret,
                     struct err *err)
{
    CLEANUP_FREE unsigned *paths = calloc(matcher->uses.count + 1, sizeof *paths);
    if (!paths)
        return err_nomem(err);
    size_t count = path_index_find(matcher->paths, logical, true, paths);
    *ret = count ? find_shared(matcher, paths, count) : NULL;
    if (count == 0 || *ret)
        return 0;
    int r = make(matcher, paths, count, ret, err);
    for (size_t i = 0; r == 0 && i < count; i++)
        add_databases(*ret, matcher->uses.items[paths[i]].audience);
    return r;
}
