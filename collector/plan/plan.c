/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * Questions first, answers later: collect_requests() and build_item() go over the items in the same
 * order, so that the n-th answer belongs to the n-th question.
 */
#include "collector/plan/plan.h"

#include "collector/plan/name_table.h"
#include "collector/plan/naming.h"
#include "collector/plan/planner.h"
#include "collector/plan/share.h"

#define PLAN_BYTES           (256 * 1024 * 1024) /* ceiling; 10 000 entries take about 4 MB */
#define MAX_ENTRIES          200000              /* a plan beyond is a mistake in a catalog */
#define MAX_FOUND            20000 /* files of a plan, in 32 MB for the whole run; a host has some 2000 */
#define LEAST_FILE_LIMIT     (1024 * 1024) /* capabilities of a few KB still take one whole file */
#define DEFAULT_FILE_LIMIT   (64 * 1024 * 1024)    /* of a capability without a size */
#define DEFAULT_LOG_LIMIT    (512LL * 1024 * 1024) /* readers of archives hold a member in memory */
#define DEFAULT_OUTPUT_LIMIT (64 * 1024 * 1024)
#define UNLIMITED_TIME_MS    (7LL * 24 * 3600 * 1000) /* a number that sums do not overflow with */
#define FULL_VERBOSITY       9

static int ask(struct planner *planner, enum expand_kind kind, const char *subject,
               const struct catalog_item *item, struct err *err)
{
    struct expand_request *request = vec_push(&planner->requests);
    if (!request)
        return err_nomem(err);
    request->kind = kind;
    request->subject = subject;
    if (item) {
        request->match = item->match;
        request->exclude = item->exclude;
        request->newest_first = item->newest_first;
    }
    return 0;
}

static enum expand_kind expand_kind_of(const struct catalog_item *item)
{
    return item->kind == ITEM_TREE  ? EXPAND_TREE
           : item->kind == ITEM_LOG ? EXPAND_LOG
                                    : EXPAND_GLOB;
}

static int ask_item(struct planner *planner, const struct catalog_item *item, struct err *err)
{
    int r = 0;
    if (item->defect)
        return 0;
    if (item->when.exists)
        r = ask(planner, EXPAND_EXISTS, item->when.exists, NULL, err);
    for (const char *const *path = item->when.not_exists; r == 0 && path && *path; path++)
        r = ask(planner, EXPAND_EXISTS, *path, NULL, err);
    if (r == 0 && item->when.running)
        r = ask(planner, EXPAND_RUNNING, item->when.running, NULL, err);
    if (r == 0 && item->each)
        r = ask(planner, EXPAND_DEVICES, item->each, NULL, err);
    if (r == 0 && item->each_glob)
        r = ask(planner, EXPAND_PATHS, item->each_glob, NULL, err);
    for (const char *const *path = item->paths; r == 0 && path && *path; path++)
        r = ask(planner, expand_kind_of(item), *path, item, err);
    return r;
}

static int collect_requests(struct planner *planner, struct err *err)
{
    int r = 0;
    for (size_t i = 0; r == 0 && i < planner->selection_count; i++) {
        const struct capability *capability = planner->selections[i].capability;
        for (const char *const *glob = capability->scale.devices; r == 0 && glob && *glob; glob++)
            r = ask(planner, EXPAND_PATHS, *glob, NULL, err);
        bool items = capability->measured || !planner->options->limits_only;
        for (size_t k = 0; r == 0 && items && k < capability->item_count; k++)
            r = ask_item(planner, &capability->items[k], err);
    }
    return r;
}

int planner_new(const struct plan_selection *selections, size_t count,
                const struct plan_options *options, struct planner **ret, struct err *err)
{
    struct planner *planner = calloc(1, sizeof *planner);
    if (!planner)
        return err_nomem(err);
    planner->selections = selections;
    planner->selection_count = count;
    planner->options = options;
    planner->live = strcmp(options->root, "/") == 0;
    int r = collect_requests(planner, err);
    if (r < 0)
        planner_free(planner);
    else
        *ret = planner;
    return r;
}

struct expansion planner_expansion(const struct planner *planner)
{
    return (struct expansion){.root = planner->options->root,
                              .requests = planner->requests.items,
                              .count = planner->requests.count};
}

void *planner_free(struct planner *planner)
{
    if (!planner)
        return NULL;
    vec_free(&planner->requests);
    free(planner);
    return NULL;
}

const struct expand_result *plan_answer(struct build *build)
{
    return &build->results[build->next++];
}

static int64_t default_limit(const struct build *build, const struct catalog_item *item)
{
    int64_t size = plan_budget(build, item);
    if (build->planner->options->unlimited)
        return -1;
    if (item->limit >= 0)
        return item->limit;
    switch (item->kind) {
    case ITEM_LOG:
        return DEFAULT_LOG_LIMIT;
    case ITEM_COMMAND:
    case ITEM_FUNCTION:
        return DEFAULT_OUTPUT_LIMIT;
    default:
        return size < 0                   ? DEFAULT_FILE_LIMIT
               : size < LEAST_FILE_LIMIT  ? LEAST_FILE_LIMIT
               : size > DEFAULT_LOG_LIMIT ? DEFAULT_LOG_LIMIT
                                          : size;
    }
}

int plan_add(struct build *build, enum plan_kind kind, const struct catalog_item *item,
             const char *source, const char *name, struct plan_entry **ret, struct err *err)
{
    struct plan *plan = &build->plan;
    const char *kept_source = arena_strdup(plan->arena, source), *kept_name;
    if (!kept_source)
        return err_nomem(err);
    int r = name_table_take(build->names, plan->arena, name, kept_source, &kept_name, err);
    if (r < 0)
        return r;
    if (!kept_name) {
        *ret = NULL;
        return 0;
    }
    if (plan->entries.count == MAX_ENTRIES)
        return err_set(err, ERR_LIMIT, "more than %d files and commands to collect", MAX_ENTRIES);
    struct plan_entry *entry = vec_push(&plan->entries);
    if (!entry)
        return err_nomem(err);
    const struct capability *capability = build->selection->capability;
    *entry = (struct plan_entry){.kind = kind,
                                 .capability = capability,
                                 .item = item,
                                 .source = kept_source,
                                 .name = kept_name,
                                 .prompt = kept_source,
                                 .expected = -1,
                                 .limit = default_limit(build, item),
                                 .time_limit_ms =
                                     build->planner->options->unlimited ? UNLIMITED_TIME_MS
                                     : item->time_ms >= 0               ? item->time_ms
                                                          : capability->command_time * 1000};
    *ret = entry;
    return 0;
}

static int add_path(struct build *build, const struct catalog_item *item, const char *subject,
                    const char *path, struct plan_entry **ret, struct err *err)
{
    struct strbuf name = STRBUF_INIT;
    bool whole = true;
    if (item->label)
        naming_from_label(item->label, &name);
    else
        whole = naming_from_path(path, &name);
    int r = strbuf_ok(&name) ? plan_add(build, item->kind == ITEM_TREE ? PLAN_TREE : PLAN_FILE,
                                        item, path, name.data, ret, err)
                             : err_nomem(err);
    strbuf_release(&name);
    if (r == 0 && *ret) {
        (*ret)->path = (*ret)->source;
        if (item->kind == ITEM_TREE)
            (*ret)->prompt = subject;
        else if (item->label)
            (*ret)->prompt = item->label;
        (*ret)->decided = !whole;
        if (!whole)
            outcome_set(&(*ret)->outcome, OUTCOME_OMITTED,
                        "its path is too long for a name in an archive");
    }
    return r;
}

/* One entry that stands for a pattern, with its outcome. */
static int add_decided(struct build *build, const struct catalog_item *item, const char *subject,
                       enum outcome_status status, const char *reason, struct err *err)
{
    struct plan_entry *entry;
    int r = add_path(build, item, subject, subject, &entry, err);
    if (r == 0 && entry) {
        outcome_set(&entry->outcome, status, "%s", reason);
        entry->decided = true;
    }
    return r;
}

static int add_hits(struct build *build, const struct catalog_item *item, const char *subject,
                    const struct expand_result *result, struct err *err)
{
    size_t count = result->count;
    bool by_verbosity = !item->foreign && (item->kind == ITEM_LOG || item->newest_first);
    if (by_verbosity && build->selection->verbosity < FULL_VERBOSITY &&
        count > (size_t)build->selection->verbosity)
        count = (size_t)build->selection->verbosity;
    int r = 0;
    for (size_t i = 0; r == 0 && i < count; i++) {
        struct plan_entry *entry;
        r = add_path(build, item, subject, result->hits[i].path, &entry, err);
        if (r == 0 && entry) {
            entry->expected = result->hits[i].size;
            entry->unseen = result->unseen;
            if (entry->limit >= 0 && entry->limit < DEFAULT_LOG_LIMIT && item->limit < 0 &&
                plan_is_log(entry->source))
                entry->limit = DEFAULT_LOG_LIMIT;
            plan_charge(build, item, entry);
        }
    }
    return r;
}

/* What could not be looked for: a pattern, the files of a tree, or the rotations of a log. */
static int add_unseen(struct build *build, const struct catalog_item *item, const char *subject,
                      struct err *err)
{
    struct strbuf rotations = STRBUF_INIT;
    const char *what = subject;
    if (item->kind == ITEM_LOG) {
        strbuf_addf(&rotations, "%s[.-]*", subject);
        if (!strbuf_ok(&rotations))
            return err_nomem(err);
        what = rotations.data;
    }
    int r = add_decided(build, item, what, OUTCOME_OMITTED,
                        "deadline: no time was left to look for files", err);
    strbuf_release(&rotations);
    return r;
}

static int build_paths(struct build *build, const struct catalog_item *item, const char *unmet,
                       struct err *err)
{
    int r = 0;
    for (const char *const *path = item->paths; r == 0 && *path; path++) {
        const struct expand_result *result = plan_answer(build);
        if (unmet) {
            r = add_decided(build, item, *path, OUTCOME_MISSING, unmet, err);
            continue;
        }
        r = add_hits(build, item, *path, result, err);
        if (r == 0 && result->stuck)
            r = add_decided(build, item, *path, OUTCOME_STUCK,
                            "looking for files took too long; a file system may hang", err);
        else if (r == 0 && result->unseen)
            r = add_unseen(build, item, *path, err);
        else if (r == 0 && result->count == 0)
            r = add_decided(build, item, *path, OUTCOME_MISSING, "there is no such file", err);
        if (r == 0 && result->cut)
            r = add_decided(build, item, *path, OUTCOME_OMITTED,
                            "there are more or deeper files than one item may take", err);
    }
    return r;
}

/*
 * Whether the item's conditions hold: *ret_unmet is why not. Below another root, commands are
 * recordings and only the recording counts. *ret_skip: the item is not needed, and no part of the
 * plan.
 */
static void judge_when(struct build *build, const struct catalog_item *item, char *text,
                       size_t size, const char **ret_unmet, bool *ret_skip)
{
    const struct catalog_when *when = &item->when;
    bool recorded = !build->planner->live && !item->paths;
    *ret_unmet = NULL;
    *ret_skip = false;
    if (when->exists && plan_answer(build)->count == 0 && !recorded) {
        snprintf(text, size, "not applicable: %s does not exist", when->exists);
        *ret_unmet = text;
    }
    for (const char *const *path = when->not_exists; path && *path; path++)
        if (plan_answer(build)->count > 0)
            *ret_skip = true;
    if (when->running && plan_answer(build)->count == 0 && !recorded) {
        snprintf(text, size, "not applicable: %s is not running", when->running);
        *ret_unmet = text;
    }
}

/* A mistake in a plugin: recorded, never passed over. */
static int build_defect(struct build *build, const struct catalog_item *item, struct err *err)
{
    return add_decided(build, item, item->file, OUTCOME_FAILED, item->defect, err);
}

static int build_item(struct build *build, const struct catalog_item *item, struct err *err)
{
    char text[300];
    const char *unmet;
    bool skip;
    if (item->defect)
        return build_defect(build, item, err);
    judge_when(build, item, text, sizeof text, &unmet, &skip);
    const struct expand_result *each = item->each || item->each_glob ? plan_answer(build) : NULL;
    build->budget_used = 0;
    if (skip) {
        for (const char *const *path = item->paths; path && *path; path++)
            plan_answer(build);
        return 0;
    }
    return item->paths ? build_paths(build, item, unmet, err)
                       : plan_command(build, item, unmet, each, err);
}

static int build_all(struct build *build, struct err *err)
{
    const struct planner *planner = build->planner;
    int r = 0;
    for (size_t i = 0; r == 0 && i < planner->selection_count; i++) {
        build->selection = &planner->selections[i];
        build->cached_list = NULL;
        const struct capability *capability = build->selection->capability;
        r = plan_limits(build, err);
        for (size_t k = 0; r == 0 && !planner->options->limits_only && k < capability->item_count;
             k++)
            r = build_item(build, &capability->items[k], err);
    }
    return r;
}

/* The run's own members: a label of a plugin must not be able to take their place. */
static int reserve_names(struct build *build, struct err *err)
{
    static const char *const own[] = {"inventory.xml", "manifest.json", "xen-bugtool.log"};
    const char *name;
    int r = 0;
    for (size_t i = 0; r == 0 && i < ARRAY_SIZE(own); i++)
        r = name_table_take(build->names, build->plan.arena, own[i], "", &name, err);
    return r;
}

int plan_build(struct planner *planner, struct spawner *spawner, int64_t deadline_ms,
               const atomic_bool *cancelled, struct plan *ret, struct err *err)
{
    struct build build = {.planner = planner,
                          .spawner = spawner,
                          .cancelled = cancelled,
                          .deadline_ms = deadline_ms,
                          .plan = {.arena = arena_new(PLAN_BYTES)}};
    if (!build.plan.arena)
        return err_nomem(err);
    struct expand_result *results =
        arena_array(build.plan.arena, planner->requests.count + 1, sizeof *results);
    struct expansion expansion = planner_expansion(planner);
    int r = results ? expand_all(spawner, &expansion, build.plan.arena, deadline_ms, cancelled,
                                 results, err)
                    : err_nomem(err);
    if (r == 0)
        plan_share(results, planner->requests.count, MAX_FOUND);
    build.results = results;
    if (r == 0)
        r = name_table_new(&build.names, err);
    if (r == 0)
        r = reserve_names(&build, err);
    if (r == 0)
        r = build_all(&build, err);
    name_table_free(build.names);
    if (r < 0)
        plan_free(&build.plan);
    else
        *ret = build.plan;
    return r;
}

void plan_free(struct plan *plan)
{
    vec_free(&plan->entries);
    if (plan->arena)
        arena_free(plan->arena);
    plan->arena = NULL;
}

const char *plan_kind_name(enum plan_kind kind)
{
    static const char *const names[] = {"file", "tree", "command", "function"};
    return names[kind];
}
