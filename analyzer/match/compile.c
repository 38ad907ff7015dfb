/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * From patterns to databases: one for each audience of other patterns, from the cache if they are
 * there.
 *
 * Hyperscan looks for the fixed texts of a pattern (literals.h). One without such texts it
 * searches as a whole; what it refuses is tried again in prefilter mode, and goes to the slow list
 * when it is refused again. Nothing is silently dropped.
 */
#include "analyzer/match/literals.h"
#include "analyzer/match/matcher_private.h"
#include "analyzer/match/pattern_cache.h"

/* Fewer patterns are compiled sooner than a file is read and written. */
#define CACHE_FROM 16

/* A pattern may be in several databases. Rules that are so mixed that it would be in more than
 * these on average share one. */
#define COPIES_MAX 3

static int engine_error(struct err *err, const char *what, hs_error_t code)
{
    return code == HS_NOMEM ? err_nomem(err)
                            : err_set(err, ERR_BUG, "%s failed with code %d", what, code);
}

static unsigned flags_of(enum pattern_kind kind)
{
    return kind == PATTERN_PREFILTER ? HS_FLAG_MULTILINE | HS_FLAG_PREFILTER : HS_FLAG_MULTILINE;
}

/* Hyperscan's opinion of one pattern. */
static int choose_kind(struct pattern *pattern, struct err *err)
{
    char *reason = NULL;
    for (enum pattern_kind kind = PATTERN_EXACT; kind < PATTERN_SLOW; kind++) {
        hs_expr_info_t *info = NULL;
        hs_compile_error_t *refused = NULL;
        if (hs_expression_info(regex_pattern(pattern->source.match), flags_of(kind), &info,
                               &refused) == HS_SUCCESS) {
            bool empty = info->min_width == 0;
            free(info);
            free(reason);
            if (!empty) {
                pattern->kind = kind;
                return 0;
            }
            reason = strdup("it can match nothing at all");
            break;
        }
        if (!reason)
            reason = strdup(refused ? refused->message : "refused");
        hs_free_compile_error(refused);
    }
    if (!reason)
        return err_nomem(err);
    pattern->kind = PATTERN_SLOW;
    pattern->slow_reason = reason;
    return 0;
}

/* ------ The sets of patterns that are compiled together */

/* Arrays of a plan (pattern_cache.h) that is being made. */
struct planning {
    struct pattern_plan plan;
    const char **expressions; /* by pattern: its fixed texts, or itself */
    char **texts;             /* by pattern: its fixed texts, or NULL */
    struct pattern_subset *subsets;
    bool **has; /* by subset, by pattern */
    unsigned char *kinds;
};

static void drop_subsets(struct planning *planning)
{
    for (unsigned i = 0; i < planning->plan.subset_count; i++) {
        free(planning->subsets[i].numbers);
        free(planning->has[i]);
    }
    planning->plan.subset_count = 0;
}

static void planning_release(struct planning *planning)
{
    drop_subsets(planning);
    for (unsigned i = 0; planning->texts && i < planning->plan.count; i++)
        free(planning->texts[i]);
    free(planning->texts);
    free(planning->subsets);
    free(planning->has);
    free(planning->expressions);
    free(planning->kinds);
}

/* An empty one. */
static int add_subset(struct planning *planning, unsigned *ret, struct err *err)
{
    unsigned number = planning->plan.subset_count++;
    planning->has[number] = calloc(planning->plan.count + 1, sizeof(bool));
    planning->subsets[number].count = 0;
    planning->subsets[number].numbers =
        calloc(planning->plan.count + 1, sizeof *planning->subsets->numbers);
    if (!planning->has[number] || !planning->subsets[number].numbers)
        return err_nomem(err);
    *ret = number;
    return 0;
}

static size_t count_common(const bool *a, const bool *b, size_t count)
{
    size_t common = 0;
    for (size_t i = 0; i < count; i++)
        common += a[i] && b[i];
    return common;
}

/* The subset that holds most of an audience, at least half of it; or a new one. */
static int choose_subset(struct planning *planning, const bool *has, unsigned *ret, struct err *err)
{
    size_t count = planning->plan.count, size = count_common(has, has, count), most = 0;
    for (unsigned i = 0; i < planning->plan.subset_count; i++) {
        size_t common = count_common(planning->has[i], has, count);
        if (common * 2 >= size && common > most) {
            most = common;
            *ret = i;
        }
    }
    return most > 0 ? 0 : add_subset(planning, ret, err);
}

static int by_size(const void *a, const void *b)
{
    const struct audience *const *left = a, *const *right = b;
    if ((*left)->size != (*right)->size)
        return (*left)->size > (*right)->size ? -1 : 1;
    return (*left)->paths[0] < (*right)->paths[0] ? -1 : (*left)->paths[0] > (*right)->paths[0];
}

/* Audiences that have most of their patterns in common share a database: large ones come first, so
 * that small ones find them. */
static int join_audiences(struct matcher *matcher, struct planning *planning, struct err *err)
{
    size_t count = matcher->patterns.count, audiences = matcher->audiences.count, copies = 0;
    int r = 0;
    if (audiences)
        qsort(matcher->audiences.items, audiences, sizeof(struct audience *), by_size);
    for (size_t i = 0; r == 0 && i < audiences && copies <= COPIES_MAX * count; i++) {
        struct audience *audience = matcher->audiences.items[i];
        r = choose_subset(planning, audience->has, &audience->subset, err);
        for (size_t p = 0; r == 0 && p < count; p++) {
            bool *has = &planning->has[audience->subset][p];
            copies += audience->has[p] && !*has;
            *has |= audience->has[p];
        }
    }
    if (r < 0 || copies <= COPIES_MAX * count)
        return r;
    drop_subsets(planning);
    unsigned only;
    r = add_subset(planning, &only, err);
    if (r == 0)
        memset(planning->has[only], true, count);
    for (size_t i = 0; i < audiences; i++)
        matcher->audiences.items[i]->subset = 0;
    return r;
}

static int plan_subsets(struct matcher *matcher, struct planning *planning, struct err *err)
{
    int r = join_audiences(matcher, planning, err);
    for (unsigned i = 0; r == 0 && i < planning->plan.subset_count; i++) {
        struct pattern_subset *subset = &planning->subsets[i];
        for (unsigned p = 0; p < planning->plan.count; p++)
            if (planning->has[i][p])
                subset->numbers[subset->count++] = p;
    }
    return r;
}

static int plan_expressions(const struct matcher *matcher, struct planning *planning,
                            struct err *err)
{
    for (unsigned i = 0; i < planning->plan.count; i++) {
        const char *pattern = regex_pattern(matcher->patterns.items[i].source.match);
        CLEANUP(strbuf_release) struct strbuf texts = STRBUF_INIT;
        planning->expressions[i] = pattern;
        if (!literals_find(pattern, &texts))
            continue;
        if (!(planning->texts[i] = strbuf_take(&texts)))
            return err_nomem(err);
        planning->expressions[i] = planning->texts[i];
    }
    return 0;
}

static int plan(struct matcher *matcher, struct planning *planning, struct err *err)
{
    size_t count = matcher->patterns.count;
    planning->expressions = calloc(count + 1, sizeof *planning->expressions);
    planning->texts = calloc(count + 1, sizeof *planning->texts);
    planning->kinds = calloc(count + 1, sizeof *planning->kinds);
    planning->subsets = calloc(matcher->audiences.count + 1, sizeof *planning->subsets);
    planning->has = calloc(matcher->audiences.count + 1, sizeof *planning->has);
    planning->plan.count = (unsigned)count;
    planning->plan.expressions = planning->expressions;
    planning->plan.subsets = planning->subsets;
    if (!planning->expressions || !planning->texts || !planning->kinds || !planning->subsets ||
        !planning->has)
        return err_nomem(err);
    int r = plan_expressions(matcher, planning, err);
    return r < 0 ? r : plan_subsets(matcher, planning, err);
}

/* ------ Compiling */

static int compile_subset(const struct matcher *matcher, const struct planning *planning,
                          const struct pattern_subset *subset, hs_database_t **ret, struct err *err)
{
    CLEANUP_FREE const char **expressions = calloc(subset->count + 1, sizeof *expressions);
    CLEANUP_FREE unsigned *flags = calloc(subset->count + 1, sizeof *flags);
    CLEANUP_FREE unsigned *numbers = calloc(subset->count + 1, sizeof *numbers);
    unsigned fast = 0;
    if (!expressions || !flags || !numbers)
        return err_nomem(err);
    for (unsigned i = 0; i < subset->count; i++) {
        const struct pattern *pattern = &matcher->patterns.items[subset->numbers[i]];
        if (pattern->kind == PATTERN_SLOW)
            continue;
        expressions[fast] = planning->expressions[subset->numbers[i]];
        flags[fast] = flags_of(pattern->kind);
        numbers[fast++] = subset->numbers[i];
    }
    if (fast == 0)
        return 0;
    hs_compile_error_t *refused = NULL;
    if (hs_compile_multi(expressions, flags, numbers, fast, HS_MODE_BLOCK, NULL, ret, &refused) ==
        HS_SUCCESS)
        return 0;
    int r = err_set(err, ERR_LIMIT, "the patterns cannot be compiled together: %s",
                    refused ? refused->message : "unknown reason");
    hs_free_compile_error(refused);
    return r;
}

static int compile_all(struct matcher *matcher, struct planning *planning, struct err *err)
{
    int r = 0;
    for (size_t i = 0; r == 0 && i < matcher->patterns.count; i++) {
        r = planning->texts[i] ? 0 : choose_kind(&matcher->patterns.items[i], err);
        planning->kinds[i] = (unsigned char)matcher->patterns.items[i].kind;
    }
    for (unsigned i = 0; r == 0 && i < planning->plan.subset_count; i++)
        r = compile_subset(matcher, planning, &planning->subsets[i], &matcher->databases[i], err);
    return r;
}

/* Takes what the cache says of each pattern. Why one is slow, only Hyperscan can tell. */
static int recall_kinds(struct matcher *matcher, const struct planning *planning, struct err *err)
{
    int r = 0;
    for (size_t i = 0; r == 0 && i < matcher->patterns.count; i++)
        if (planning->kinds[i] == PATTERN_SLOW)
            r = choose_kind(&matcher->patterns.items[i], err);
        else
            matcher->patterns.items[i].kind = planning->kinds[i];
    return r;
}

static int compile(struct matcher *matcher, struct planning *planning, const char *cache,
                   struct err *err)
{
    const struct pattern_plan *plan = &planning->plan;
    matcher->databases = calloc(plan->subset_count + 1, sizeof *matcher->databases);
    if (!matcher->databases)
        return err_nomem(err);
    matcher->database_count = plan->subset_count;
    bool cached = cache && plan->count >= CACHE_FROM;
    if (cached && pattern_cache_load(cache, plan, planning->kinds, matcher->databases))
        return recall_kinds(matcher, planning, err);
    int r = compile_all(matcher, planning, err);
    if (r == 0 && cached)
        pattern_cache_store(cache, plan, planning->kinds, matcher->databases);
    return r;
}

/* Gives each audience its database, and makes the scratch that fits them all. */
static int hand_out(struct matcher *matcher, struct err *err)
{
    for (size_t i = 0; i < matcher->audiences.count; i++) {
        struct audience *audience = matcher->audiences.items[i];
        hs_database_t *database = matcher->databases[audience->subset];
        if (database)
            audience->databases[audience->database_count++] = database;
        for (size_t p = 0; p < matcher->patterns.count && !audience->has_slow; p++)
            audience->has_slow = audience->has[p] && matcher->patterns.items[p].slow_reason;
    }
    for (size_t i = 0; i < matcher->database_count; i++) {
        hs_error_t code = matcher->databases[i]
                              ? hs_alloc_scratch(matcher->databases[i], &matcher->scratch)
                              : HS_SUCCESS;
        if (code != HS_SUCCESS)
            return engine_error(err, "allocating scan memory", code);
    }
    return 0;
}

/* PCRE2's side: a candidate is confirmed in a moment. */
static void speed_up(const struct matcher *matcher)
{
    for (size_t i = 0; i < matcher->patterns.count; i++) {
        const struct log_pattern *pattern = &matcher->patterns.items[i].source;
        regex_speed_up(pattern->match);
        if (pattern->unless)
            regex_speed_up(pattern->unless);
    }
}

int matcher_compile(struct matcher *matcher, const char *cache, struct err *err)
{
    CLEANUP(planning_release) struct planning planning = {0};
    speed_up(matcher);
    int r = audiences_foresee(matcher, err);
    if (r == 0)
        r = plan(matcher, &planning, err);
    if (r == 0)
        r = compile(matcher, &planning, cache, err);
    return r < 0 ? r : hand_out(matcher, err);
}
