/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * Limits that depend on the machine (source: the original, which computes them before it prints or
 * uses any): so much for each device or domain, or what the files add up to. And the limits of what
 * is taken: a budget for each item, so that no item, and no plugin, can eat what is meant for
 * another.
 */
#include "collector/plan/planner.h"

#include <fnmatch.h>

bool plan_is_log(const char *path)
{
    return strncmp(path, "/var/log/", 9) == 0;
}

/* ".1", ".2.gz", "-20251102" at the end, or anything compressed. */
static bool is_rotation(const char *path)
{
    static const char *const patterns[] = {
        "*.[0-9]", "*.[0-9][0-9]", "*.[0-9][0-9][0-9]",         "*.gz", "*.xz",
        "*.bz2",   "*.zst",        "*-20[0-9][0-9][0-9][0-9]*", "*.old"};
    const char *name = strrchr(path, '/');
    for (size_t i = 0; name && i < ARRAY_SIZE(patterns); i++)
        if (fnmatch(patterns[i], name, 0) == 0)
            return true;
    return false;
}

static bool is_live_log(const char *path)
{
    return plan_is_log(path) && !is_rotation(path);
}

int64_t plan_budget(const struct build *build, const struct catalog_item *item)
{
    int64_t size = build->selection->capability->max_size;
    if (item->kind == ITEM_LOG || size < 0 || build->planner->options->unlimited)
        return -1;
    return size > item->least_budget ? size : item->least_budget;
}

/* The kernel says 0 or 4096 of its files, whatever they hold. */
static bool has_real_size(const char *path)
{
    return strncmp(path, "/proc/", 6) != 0 && strncmp(path, "/sys/", 5) != 0;
}

/* The original's soft limit: taken while the total is below it, so that at least one file always
 * comes along. A log that is not rotated is what a report is opened for: it is always taken. */
void plan_charge(struct build *build, const struct catalog_item *item, struct plan_entry *entry)
{
    int64_t budget = plan_budget(build, item);
    if (budget < 0 || entry->expected <= 0 || is_live_log(entry->source) ||
        !has_real_size(entry->source))
        return;
    if (build->budget_used >= budget) {
        outcome_set(&entry->outcome, OUTCOME_OMITTED, "size constraint of %s exceeded",
                    entry->capability->key);
        entry->decided = true;
        return;
    }
    build->budget_used += entry->expected;
}

static int count_devices(struct build *build, int64_t *ret, struct err *err)
{
    struct capability *capability = build->selection->capability;
    const struct catalog_scale *scale = &capability->scale;
    int r = 0;
    for (const char *const *glob = scale->devices; glob && *glob; glob++)
        *ret += (int64_t)plan_answer(build)->count;
    for (const char *const *name = scale->lists; r == 0 && name && *name; name++) {
        const struct expand_hit *hits;
        size_t count = 0;
        r = plan_list(build, capability_list(capability, *name), &hits, &count, err);
        *ret += (int64_t)count;
    }
    return r;
}

/* Without any device the original's limits become nothing and everything is left out; here the
 * stated ones stay. */
static int apply_scale(struct build *build, struct err *err)
{
    struct capability *capability = build->selection->capability;
    const struct catalog_scale *scale = &capability->scale;
    int64_t count = 0;
    int r = count_devices(build, &count, err);
    if (r < 0)
        return r;
    int64_t size = scale->size * count + scale->size_base;
    int64_t time = scale->time * count + scale->time_base;
    if (size > 0)
        capability->min_size = capability->max_size = size;
    if (time > 0)
        capability->max_time = time;
    return 0;
}

/* Looks ahead: the answers about the items of a measured capability stand in a row. */
static void measure(struct build *build)
{
    struct capability *capability = build->selection->capability;
    int64_t total = 0;
    size_t ahead = build->next;
    for (size_t i = 0; i < capability->item_count; i++)
        for (const char *const *path = capability->items[i].paths; path && *path; path++) {
            const struct expand_result *result = &build->results[ahead++];
            for (size_t k = 0; k < result->count; k++)
                total += result->hits[k].size > 0 ? result->hits[k].size : 0;
        }
    capability->min_size = capability->max_size = total;
    if (build->planner->options->limits_only)
        build->next = ahead;
}

int plan_limits(struct build *build, struct err *err)
{
    const struct capability *capability = build->selection->capability;
    int r = 0;
    if (capability->scale.devices)
        r = apply_scale(build, err);
    if (r == 0 && capability->measured)
        measure(build);
    return r;
}
