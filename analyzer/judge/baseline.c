/* SPDX-License-Identifier: LGPL-2.1-only */
#include "analyzer/judge/baseline.h"

#include <stdlib.h>
#include <string.h>

#include "common/io.h"

struct comparison {
    struct verdict *now;
    const struct verdict *past;
    const struct rule_set *rules;
    struct baseline *baseline;
};

static bool shares_host(const struct finding *a, const struct finding *b)
{
    for (size_t i = 0; i < a->host_count; i++)
        for (size_t j = 0; j < b->host_count; j++)
            if (strcmp(a->hosts[i], b->hosts[j]) == 0)
                return true;
    return a->host_count == 0 && b->host_count == 0;
}

static const char *value_of(const struct finding *finding, const char *name)
{
    for (size_t i = 0; i < finding->value_count; i++)
        if (strcmp(finding->values[i].name, name) == 0)
            return finding->values[i].text;
    return NULL;
}

static bool is_number(const char *text)
{
    char *end;
    strtod(text, &end);
    return end != text && strspn(end, " %") == strlen(end);
}

static bool same_value(const struct finding *a, const struct finding *b, const char *name)
{
    const char *left = value_of(a, name), *right = value_of(b, name);
    return left && right ? strcmp(left, right) == 0 : left == right;
}

static bool same_object(const struct rule *rule, const struct finding *a, const struct finding *b)
{
    if (!rule || rule->by)
        return !rule || same_value(a, b, rule->by);
    if (!rule->query)
        return true; /* a log rule without `by` gives one finding */
    for (size_t i = 0; i < a->value_count; i++) {
        const char *other = value_of(b, a->values[i].name);
        if (is_number(a->values[i].text) && other && is_number(other))
            continue;
        if (!other || strcmp(other, a->values[i].text) != 0)
            return false;
    }
    return true;
}

/* The rules of both come from one set, so ids are compared by their address. */
static bool is_same(const struct comparison *c, const struct finding *a, const struct finding *b)
{
    return a->rule == b->rule && shares_host(a, b) &&
           same_object(rule_set_find(c->rules, a->rule), a, b);
}

static void mark_findings(const struct comparison *c, bool *found)
{
    for (size_t n = 0; n < c->now->finding_count; n++) {
        struct finding *finding = &c->now->findings[n];
        finding->change = CHANGE_NEW;
        for (size_t p = 0; p < c->past->finding_count; p++)
            if (is_same(c, finding, &c->past->findings[p])) {
                finding->change = CHANGE_STILL;
                found[p] = true;
            }
    }
}

static bool has_host(const struct verdict *verdict, const char *name)
{
    for (size_t i = 0; i < verdict->host_score_count; i++)
        if (strcmp(verdict->host_scores[i].name, name) == 0)
            return true;
    return false;
}

/* Why nobody can say whether a finding is still there; NULL: it is gone. */
static int find_loss(const struct comparison *c, const struct finding *finding, const char **ret,
                     struct err *err)
{
    for (size_t i = 0; i < c->now->unknown_count; i++)
        if (c->now->unknown[i].rule == finding->rule) {
            *ret = c->now->unknown[i].reason;
            return 0;
        }
    for (size_t i = 0; i < finding->host_count; i++)
        if (has_host(c->now, finding->hosts[i]))
            return 0;
    if (finding->host_count == 0)
        return 0;
    *ret = arena_printf(c->now->arena, "no report of %.100s", finding->hosts[0]);
    return *ret ? 0 : err_nomem(err);
}

static int copy_hosts(struct arena *arena, const struct finding *finding, const char *const **ret,
                      struct err *err)
{
    const char **hosts = arena_array(arena, finding->host_count + 1, sizeof *hosts);
    if (!hosts)
        return err_nomem(err);
    for (size_t i = 0; i < finding->host_count; i++)
        if (!(hosts[i] = arena_strdup(arena, finding->hosts[i])))
            return err_nomem(err);
    *ret = hosts;
    return 0;
}

static int add_past(const struct comparison *c, const struct finding *finding, struct err *err)
{
    struct past_finding *past = &c->baseline->past[c->baseline->past_count++];
    *past = (struct past_finding){.rule = finding->rule,
                                  .title = arena_strdup(c->now->arena, finding->title),
                                  .severity = finding->severity};
    if (!past->title)
        return err_nomem(err);
    int r = copy_hosts(c->now->arena, finding, &past->hosts, err);
    return r < 0 ? r : find_loss(c, finding, &past->lost, err);
}

static int add_past_findings(const struct comparison *c, const bool *found, struct err *err)
{
    int r = 0;
    c->baseline->past =
        arena_array(c->now->arena, c->past->finding_count + 1, sizeof *c->baseline->past);
    if (!c->baseline->past)
        return err_nomem(err);
    for (size_t p = 0; r == 0 && p < c->past->finding_count; p++)
        if (!found[p])
            r = add_past(c, &c->past->findings[p], err);
    return r;
}

static int copy_text(struct arena *arena, const char *text, const char **ret, struct err *err)
{
    *ret = text ? arena_strdup(arena, text) : NULL;
    return !text || *ret ? 0 : err_nomem(err);
}

static int add_difference(void *context, const struct database_difference *from, struct err *err)
{
    struct comparison *c = context;
    struct arena *arena = c->now->arena;
    struct difference *to = &c->baseline->differences[c->baseline->difference_count++];
    int r = copy_text(arena, from->host, &to->host, err);
    if (r == 0)
        r = copy_text(arena, from->area, &to->area, err);
    if (r == 0)
        r = copy_text(arena, from->object, &to->object, err);
    if (r == 0)
        r = copy_text(arena, from->before, &to->before, err);
    return r < 0 ? r : copy_text(arena, from->now, &to->now, err);
}

static int copy_paths(struct arena *arena, const char *const *paths, size_t count,
                      struct baseline *baseline, struct err *err)
{
    const char **copies = arena_array(arena, count + 1, sizeof *copies);
    if (!copies)
        return err_nomem(err);
    for (size_t i = 0; i < count; i++) {
        int r = copy_text(arena, paths[i], &copies[i], err);
        if (r < 0)
            return r;
    }
    baseline->paths = copies;
    baseline->path_count = count;
    return 0;
}

int baseline_compare(const struct baseline_side *now, const struct baseline_side *past,
                     const struct rule_set *rules, const struct difference_plan *plan,
                     const char *const *paths, size_t path_count, int64_t taken, struct err *err)
{
    struct arena *arena = now->verdict->arena;
    struct baseline *baseline = arena_alloc(arena, sizeof *baseline);
    CLEANUP_FREE bool *found = calloc(past->verdict->finding_count + 1, sizeof *found);
    struct comparison c = {now->verdict, past->verdict, rules, baseline};
    if (!baseline || !found)
        return err_nomem(err);
    baseline->taken = taken;
    int r = copy_paths(arena, paths, path_count, baseline, err);
    if (r < 0)
        return r;
    baseline->differences = arena_array(arena, DIFFERENCES_MAX, sizeof *baseline->differences);
    if (!baseline->differences)
        return err_nomem(err);
    mark_findings(&c, found);
    r = add_past_findings(&c, found, err);
    if (r == 0)
        r = differences_find(plan, past->database, now->database, add_difference, &c,
                             &baseline->differences_dropped, err);
    if (r == 0)
        now->verdict->baseline = baseline;
    return r;
}
