/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * The set: its rules, and which of them a run uses.
 */
#include "analyzer/rules/rule_private.h"

#include <search.h>

#include "common/suggest.h"

/* While the set is loaded, ids are found by a tree: a thousand rules are compared with a thousand.
 */
struct indexed_id {
    const char *id;
    size_t rule;
};

static int compare_ids(const void *a, const void *b)
{
    const struct indexed_id *left = a, *right = b;
    return strcmp(left->id, right->id);
}

static struct rule *find_by_id(const struct rule_set *set, const char *id)
{
    const struct indexed_id wanted = {.id = id};
    struct indexed_id *const *found = tfind(&wanted, &set->by_id, compare_ids);
    return found ? &set->rules.items[(*found)->rule] : NULL;
}

static int index_last(struct rule_set *set, struct err *err)
{
    struct indexed_id *indexed = arena_alloc(set->arena, sizeof *indexed);
    if (!indexed)
        return err_nomem(err);
    *indexed = (struct indexed_id){set->rules.items[set->rules.count - 1].id, set->rules.count - 1};
    return tsearch(indexed, &set->by_id, compare_ids) ? 0 : err_nomem(err);
}

static void nothing_to_free(void *indexed)
{
    (void)indexed; /* it lives in the arena */
}

int rule_set_add(struct rule_set *set, size_t pack, const struct doc_node *root, struct err *err)
{
    struct rule rule = {.pack = pack};
    int r = rule_load(set, root, NULL, &rule, err);
    if (r < 0)
        return r;
    struct rule *other = find_by_id(set, rule.id);
    if (other && other->pack == pack)
        return doc_fail(doc_get(root, "id"), err, "rule '%s' stands in %s already; ids are unique",
                        rule.id, other->file);
    if (other) {
        set->packs.items[other->pack].rules--;
        set->packs.items[pack].rules++;
        rule.replaces = other->file;
        *other = rule;
        return 0;
    }
    struct rule *slot = vec_push(&set->rules);
    if (!slot)
        return err_nomem(err);
    *slot = rule;
    set->packs.items[pack].rules++;
    return index_last(set, err);
}

static int list_ids(struct rule_set *set, struct err *err)
{
    set->ids = arena_array(set->arena, set->rules.count + 1, sizeof *set->ids);
    if (!set->ids)
        return err_nomem(err);
    for (size_t i = 0; i < set->rules.count; i++)
        set->ids[i] = set->rules.items[i].id;
    return 0;
}

static int list_files(struct rule_set *set, struct err *err)
{
    for (size_t i = 0; i < set->rules.count; i++)
        for (size_t l = 0; l < set->rules.items[i].log_count; l++)
            for (size_t f = 0; f < set->rules.items[i].logs[l].file_count; f++) {
                const struct path_pattern **slot = vec_push(&set->files);
                if (!slot)
                    return err_nomem(err);
                *slot = &set->rules.items[i].logs[l].files[f];
            }
    return 0;
}

int rule_set_load(const struct embedded_file *logs, const struct embedded_file *embedded,
                  const char *const *paths, bool threads, struct rule_set **ret, struct err *err)
{
    struct rule_set *set = calloc(1, sizeof *set);
    if (!set || !(set->arena = arena_new(RULES_MEMORY)) ||
        !(set->other_arena = arena_new(RULES_MEMORY))) {
        rule_set_free(set);
        return err_nomem(err);
    }
    int r = log_groups_load(set, logs, err);
    if (r == 0)
        r = rule_files_load(set, embedded, paths, threads, err);
    if (r == 0)
        r = list_ids(set, err);
    if (r == 0)
        r = list_files(set, err);
    tdestroy(TAKE(set->by_id), nothing_to_free);
    if (r < 0) {
        rule_set_free(set);
        return r;
    }
    *ret = set;
    return 0;
}

void *rule_set_free(struct rule_set *set)
{
    if (!set)
        return NULL;
    for (size_t i = 0; i < set->regexes.count; i++)
        regex_free(set->regexes.items[i]);
    vec_free(&set->regexes);
    vec_free(&set->rules);
    vec_free(&set->packs);
    vec_free(&set->collected);
    vec_free(&set->files);
    arena_free(set->other_arena);
    arena_free(set->arena);
    free(set);
    return NULL;
}

size_t rule_set_count(const struct rule_set *set)
{
    return set->rules.count;
}

const struct rule *rule_set_at(const struct rule_set *set, size_t index)
{
    return &set->rules.items[index];
}

const struct rule *rule_set_find(const struct rule_set *set, const char *id)
{
    for (size_t i = 0; i < set->rules.count; i++)
        if (strcmp(set->rules.items[i].id, id) == 0)
            return &set->rules.items[i];
    return NULL;
}

size_t rule_set_pack_count(const struct rule_set *set)
{
    return set->packs.count;
}

const struct rule_pack *rule_set_pack(const struct rule_set *set, size_t index)
{
    return &set->packs.items[index];
}

static bool contains(const char *const *list, const char *word)
{
    for (; list && *list; list++)
        if (strcmp(*list, word) == 0)
            return true;
    return false;
}

const char *const *rule_set_ids(const struct rule_set *set)
{
    return set->ids;
}

bool rule_set_knows(const struct rule_set *set, const char *id)
{
    return contains(set->ids, id);
}

const char *rule_set_nearest(const struct rule_set *set, const char *id)
{
    return suggest_nearest(id, set->ids);
}

int rule_set_no_such_rule(const struct rule_set *set, const char *id, struct err *err)
{
    const char *nearest = rule_set_nearest(set, id);
    if (nearest)
        return err_set(err, ERR_USAGE, "there is no rule '%s'; did you mean '%s'?", id, nearest);
    return err_set(err, ERR_USAGE, "there is no rule '%s' (`xen-analyze rules list` shows them)",
                   id);
}

static int check_ids(const struct rule_set *set, const char *const *ids, struct err *err)
{
    for (; ids && *ids; ids++)
        if (!rule_set_find(set, *ids))
            return rule_set_no_such_rule(set, *ids, err);
    return 0;
}

int rule_set_select(struct rule_set *set, const struct rule_filter *filter, struct err *err)
{
    int r = check_ids(set, filter->only, err);
    if (r == 0)
        r = check_ids(set, filter->skip, err);
    if (r < 0)
        return r;
    if (filter->component && !contains(component_names, filter->component)) {
        const char *nearest = suggest_nearest(filter->component, component_names);
        if (nearest)
            return err_set(err, ERR_USAGE, "there is no component '%s'; did you mean '%s'?",
                           filter->component, nearest);
        CLEANUP(strbuf_release) struct strbuf known = STRBUF_INIT;
        for (const char *const *name = component_names; *name; name++)
            strbuf_addf(&known, "%s%s", known.length ? ", " : "", *name);
        return err_set(err, ERR_USAGE, "there is no component '%s'; known: %s", filter->component,
                       known.data);
    }
    size_t kept = 0;
    for (size_t i = 0; i < set->rules.count; i++) {
        const struct rule *rule = &set->rules.items[i];
        if ((filter->only && !contains(filter->only, rule->id)) ||
            contains(filter->skip, rule->id) ||
            (filter->component && strcmp(filter->component, rule->component) != 0))
            continue;
        set->rules.items[kept++] = *rule;
    }
    set->rules.count = kept;
    return 0;
}
