/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * The compiled set of patterns. A pattern that Vectorscan refuses is tried again in prefilter mode;
 * one that it still refuses goes to the slow list. Nothing is silently dropped.
 */
#include "analyzer/match/matcher_private.h"
#include "analyzer/match/pattern_cache.h"

#define PATTERN_FLAGS (HS_FLAG_MULTILINE)

/* Fewer patterns are compiled sooner than a file is read and written. */
#define CACHE_FROM 16

static int vectorscan_error(struct err *err, const char *what, hs_error_t code)
{
    return code == HS_NOMEM ? err_nomem(err)
                            : err_set(err, ERR_BUG, "%s failed with code %d", what, code);
}

int matcher_new(struct matcher **ret, struct err *err)
{
    struct matcher *matcher = calloc(1, sizeof *matcher);
    if (!matcher)
        return err_nomem(err);
    *ret = matcher;
    return 0;
}

void *matcher_free(struct matcher *matcher)
{
    if (!matcher)
        return NULL;
    hs_free_database(matcher->database);
    hs_free_scratch(matcher->scratch);
    for (size_t i = 0; i < matcher->patterns.count; i++)
        free(matcher->patterns.items[i].slow_reason);
    vec_free(&matcher->patterns);
    free(matcher);
    return NULL;
}

/* Vectorscan's opinion of one pattern: the flags it takes it with, or why not. */
static int choose_flags(struct pattern *pattern, struct err *err)
{
    static const unsigned flags[] = {PATTERN_FLAGS, PATTERN_FLAGS | HS_FLAG_PREFILTER};
    char *reason = NULL;
    for (size_t i = 0; i < ARRAY_SIZE(flags); i++) {
        hs_expr_info_t *info = NULL;
        hs_compile_error_t *refused = NULL;
        if (hs_expression_info(regex_pattern(pattern->source.match), flags[i], &info, &refused) ==
            HS_SUCCESS) {
            bool empty = info->min_width == 0;
            free(info);
            if (!empty) {
                pattern->flags = flags[i];
                free(reason);
                return 0;
            }
            free(reason);
            reason = strdup("it can match nothing at all");
            break;
        }
        if (!reason)
            reason = strdup(refused ? refused->message : "refused");
        hs_free_compile_error(refused);
    }
    if (!reason)
        return err_nomem(err);
    pattern->slow_reason = reason;
    return 0;
}

int matcher_add(struct matcher *matcher, const struct log_pattern *pattern, unsigned *ret_number,
                struct err *err)
{
    struct pattern *slot = vec_push(&matcher->patterns);
    if (!slot)
        return err_nomem(err);
    slot->source = *pattern;
    int r = choose_flags(slot, err);
    if (r == 0)
        *ret_number = (unsigned)matcher->patterns.count - 1;
    return r;
}

static int compile(struct matcher *matcher, const struct pattern_list *patterns, struct err *err)
{
    hs_compile_error_t *refused = NULL;
    hs_error_t code =
        hs_compile_multi(patterns->expressions, patterns->flags, patterns->numbers, patterns->count,
                         HS_MODE_BLOCK, NULL, &matcher->database, &refused);
    if (code == HS_SUCCESS)
        return 0;
    int r = err_set(err, ERR_LIMIT, "the patterns cannot be compiled together: %s",
                    refused ? refused->message : "unknown reason");
    hs_free_compile_error(refused);
    return r;
}

int matcher_compile(struct matcher *matcher, const char *cache, struct err *err)
{
    size_t count = matcher->patterns.count, fast = 0;
    CLEANUP_FREE const char **expressions = calloc(count + 1, sizeof *expressions);
    CLEANUP_FREE unsigned *flags = calloc(count + 1, sizeof *flags);
    CLEANUP_FREE unsigned *numbers = calloc(count + 1, sizeof *numbers);
    if (!expressions || !flags || !numbers)
        return err_nomem(err);
    for (size_t i = 0; i < count; i++) {
        const struct pattern *pattern = &matcher->patterns.items[i];
        if (pattern->slow_reason)
            continue;
        expressions[fast] = regex_pattern(pattern->source.match);
        flags[fast] = pattern->flags;
        numbers[fast++] = (unsigned)i;
    }
    if (fast == 0)
        return 0;
    const struct pattern_list patterns = {expressions, flags, numbers, (unsigned)fast};
    bool cached = cache && fast >= CACHE_FROM;
    if (cached)
        matcher->database = pattern_cache_load(cache, &patterns);
    if (!matcher->database) {
        int r = compile(matcher, &patterns, err);
        if (r < 0)
            return r;
        if (cached)
            pattern_cache_store(cache, &patterns, matcher->database);
    }
    hs_error_t code = hs_alloc_scratch(matcher->database, &matcher->scratch);
    return code == HS_SUCCESS ? 0 : vectorscan_error(err, "allocating scan memory", code);
}

bool matcher_is_slow(const struct matcher *matcher, unsigned number, const char **ret_reason)
{
    const char *reason = matcher->patterns.items[number].slow_reason;
    if (reason && ret_reason)
        *ret_reason = reason;
    return reason != NULL;
}

bool matcher_covers(const struct matcher *matcher, unsigned number, const char *logical)
{
    const struct log_pattern *pattern = &matcher->patterns.items[number].source;
    for (size_t i = 0; i < pattern->file_count; i++)
        if (path_pattern_match_log(&pattern->files[i], logical))
            return true;
    return false;
}

bool matcher_covers_any(const struct matcher *matcher, const char *logical)
{
    for (size_t i = 0; i < matcher->patterns.count; i++)
        if (matcher_covers(matcher, (unsigned)i, logical))
            return true;
    return false;
}
