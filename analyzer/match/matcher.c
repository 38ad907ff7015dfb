/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * The patterns of a matcher, and who is where.
 */
#include "analyzer/match/matcher_private.h"

int matcher_new(struct matcher **ret, struct err *err)
{
    struct matcher *matcher = calloc(1, sizeof *matcher);
    if (!matcher)
        return err_nomem(err);
    int r = path_index_new(&matcher->paths, err);
    if (r < 0) {
        free(matcher);
        return r;
    }
    *ret = matcher;
    return 0;
}

void *matcher_free(struct matcher *matcher)
{
    if (!matcher)
        return NULL;
    for (size_t i = 0; i < matcher->database_count; i++)
        hs_free_database(matcher->databases[i]);
    free(matcher->databases);
    hs_free_scratch(matcher->scratch);
    for (size_t i = 0; i < matcher->patterns.count; i++)
        free(matcher->patterns.items[i].slow_reason);
    vec_free(&matcher->patterns);
    for (size_t i = 0; i < matcher->uses.count; i++)
        vec_free(&matcher->uses.items[i].patterns);
    vec_free(&matcher->uses);
    for (size_t i = 0; i < matcher->audiences.count; i++)
        audience_free(matcher->audiences.items[i]);
    vec_free(&matcher->audiences);
    path_index_free(matcher->paths);
    free(matcher);
    return NULL;
}

static int use_path(struct matcher *matcher, const struct path_pattern *path, unsigned pattern,
                    struct err *err)
{
    unsigned number;
    int r = path_index_add(matcher->paths, path, &number, err);
    if (r < 0)
        return r;
    while (matcher->uses.count <= number) {
        struct path_use *added = vec_push(&matcher->uses);
        if (!added)
            return err_nomem(err);
    }
    unsigned *user = vec_push(&matcher->uses.items[number].patterns);
    if (!user)
        return err_nomem(err);
    *user = pattern;
    return 0;
}

int matcher_add(struct matcher *matcher, const struct log_pattern *pattern, unsigned *ret_number,
                struct err *err)
{
    unsigned number = (unsigned)matcher->patterns.count;
    struct pattern *slot = vec_push(&matcher->patterns);
    if (!slot)
        return err_nomem(err);
    slot->source = *pattern;
    for (size_t i = 0; i < pattern->file_count; i++) {
        int r = use_path(matcher, &pattern->files[i], number, err);
        if (r < 0)
            return r;
    }
    *ret_number = number;
    return 0;
}

bool matcher_is_slow(const struct matcher *matcher, unsigned number, const char **ret_reason)
{
    const char *reason = matcher->patterns.items[number].slow_reason;
    if (reason && ret_reason)
        *ret_reason = reason;
    return reason != NULL;
}
