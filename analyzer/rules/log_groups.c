/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * Named groups of log files (rules/logs.yaml): the kernel's lines alone lie in six places,
 * depending on release and distribution, and no rule should have to know them.
 */
#include "analyzer/rules/rule_private.h"

/* A part that may be missing, but is a map. */
static int get_map(const struct doc_node *root, const char *key, const struct doc_node **ret,
                   struct err *err)
{
    *ret = doc_get(root, key);
    if (*ret && (*ret)->kind != DOC_MAP)
        return doc_fail(*ret, err, "'%s' is a map of names", key);
    return 0;
}

static int load_capabilities(struct rule_set *set, const struct doc_node *map, struct err *err)
{
    for (size_t i = 0; map && i < map->count; i++) {
        const char *const *paths;
        size_t count;
        int r = doc_strings(map->items[i], set->arena, &paths, &count, err);
        for (size_t p = 0; r == 0 && p < count; p++) {
            struct collected_log *log = vec_push(&set->collected);
            if (!log)
                return err_nomem(err);
            *log = (struct collected_log){paths[p], map->keys[i]->text};
        }
        if (r < 0)
            return r;
    }
    return 0;
}

static int load_files(struct rule_set *set, const struct doc_node *node,
                      const struct path_pattern **ret, size_t *ret_count, struct err *err)
{
    return node ? log_groups_expand(set, node, ret, ret_count, err) : 0;
}

static int load_times(struct rule_set *set, const struct doc_node *node, struct err *err)
{
    static const char *const keys[] = {"ordered", "steady", "silence", NULL};
    struct log_times *times = &set->log_times;
    if (!node)
        return 0;
    int r = doc_check_keys(node, keys, err);
    if (r == 0)
        r = load_files(set, doc_get(node, "ordered"), &times->ordered, &times->ordered_count, err);
    if (r == 0)
        r = load_files(set, doc_get(node, "steady"), &times->steady, &times->steady_count, err);
    if (r == 0 && times->steady_count && !doc_get(node, "silence"))
        r = doc_fail(node, err, "'steady' needs 'silence'");
    if (r == 0 && doc_get(node, "silence"))
        r = doc_seconds(doc_get(node, "silence"), &times->silence_s, err);
    return r;
}

int log_groups_load(struct rule_set *set, const struct embedded_file *file, struct err *err)
{
    static const char *const keys[] = {"groups", "capabilities", "times", NULL};
    const struct doc_node *root, *capabilities = NULL;
    int r = doc_parse_embedded(set->arena, file->name, file, &root, err);
    if (r == 0)
        r = doc_check_keys(root, keys, err);
    if (r == 0)
        r = get_map(root, "groups", &set->groups, err);
    if (r == 0)
        r = get_map(root, "capabilities", &capabilities, err);
    if (r == 0)
        r = load_times(set, doc_get(root, "times"), err);
    return r < 0 ? r : load_capabilities(set, capabilities, err);
}

const struct log_times *rule_set_log_times(const struct rule_set *set)
{
    return &set->log_times;
}

/* A scalar or a list: item `index`, or NULL. */
static const struct doc_node *item_at(const struct doc_node *node, size_t index)
{
    if (node->kind == DOC_LIST)
        return index < node->count ? node->items[index] : NULL;
    return index == 0 ? node : NULL;
}

static size_t item_count(const struct doc_node *node)
{
    return node->kind == DOC_LIST ? node->count : 1;
}

/* The paths an item stands for: a group's list, or the item itself. */
static int resolve(const struct rule_set *set, const struct doc_node *item,
                   const struct doc_node **ret, struct err *err)
{
    const char *text;
    int r = doc_string(item, &text, err);
    if (r < 0)
        return r;
    *ret = item;
    if (text[0] != '$')
        return 0;
    *ret = doc_get(set->groups, text + 1);
    if (*ret)
        return 0;
    CLEANUP(strbuf_release) struct strbuf known = STRBUF_INIT;
    for (size_t i = 0; set->groups && i < set->groups->count; i++)
        strbuf_addf(&known, "%s$%s", i ? ", " : "", set->groups->keys[i]->text);
    return doc_fail(item, err, "there is no group of logs '%s'; known: %s", text, known.data);
}

int log_groups_expand(struct rule_set *set, const struct doc_node *node,
                      const struct path_pattern **ret, size_t *ret_count, struct err *err)
{
    if (node->kind == DOC_MAP)
        return doc_fail(node, err, "expected a path or a list of paths");
    size_t count = 0;
    const struct doc_node *paths;
    for (size_t i = 0; i < item_count(node); i++) {
        int r = resolve(set, item_at(node, i), &paths, err);
        if (r < 0)
            return r;
        count += item_count(paths);
    }
    if (count == 0)
        return doc_fail(node, err, "no file is named");
    struct path_pattern *files = arena_array(set->arena, count, sizeof *files);
    if (!files)
        return err_nomem(err);
    size_t filled = 0;
    for (size_t i = 0; i < item_count(node); i++) {
        int r = resolve(set, item_at(node, i), &paths, err);
        for (size_t p = 0; r == 0 && p < item_count(paths); p++) {
            struct err detail = ERR_INIT;
            const char *text;
            r = doc_string(item_at(paths, p), &text, err);
            if (r == 0 && path_pattern_compile(set->arena, text, &files[filled++], &detail) < 0)
                r = doc_fail(item_at(paths, p), err, "%s", detail.text);
        }
        if (r < 0)
            return r;
    }
    *ret = files;
    *ret_count = count;
    return 0;
}

const char *rule_set_log_called(const struct rule_set *set, const char *name)
{
    for (size_t i = 0; i < set->collected.count; i++) {
        const char *path = set->collected.items[i].path, *slash = strrchr(path, '/');
        if (slash && strcmp(slash + 1, name) == 0)
            return path;
    }
    return NULL;
}

int rule_set_teach(const struct rule_set *set, struct report_set *reports, struct err *err)
{
    int r = 0;
    for (size_t i = 0; r == 0 && i < set->collected.count; i++)
        r = report_set_teach(reports, set->collected.items[i].path,
                             set->collected.items[i].capability, err);
    for (size_t i = 0; r == 0 && i < set->files.count; i++)
        r = report_set_know(reports, set->files.items[i], err);
    return r;
}
