/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * A rule that a site changes is read once more from its document, with the site's values in place:
 * so every check of a rule holds for the changed one too.
 */
#include "analyzer/rules/site.h"

#include <fcntl.h>

#include "analyzer/rules/rule_private.h"

#define FILE_MAX (1024 * 1024)

static int no_such_rule(const struct rule_set *set, const struct doc_node *key, struct err *err)
{
    const char *nearest = rule_set_nearest(set, key->text);
    if (nearest)
        return doc_fail(key, err, "there is no rule '%s'; did you mean '%s'?", key->text, nearest);
    return doc_fail(key, err, "there is no rule '%s' (`xen-analyze rules list` shows them)",
                    key->text);
}

static int check_map(const struct rule_set *set, const struct doc_node *map, const char *example,
                     struct err *err)
{
    if (!map)
        return 0;
    if (map->kind != DOC_MAP)
        return doc_fail(map, err, "expected 'rule: ...' lines, for example '%s'", example);
    for (size_t i = 0; i < map->count; i++)
        if (!rule_set_find(set, map->keys[i]->text))
            return no_such_rule(set, map->keys[i], err);
    return 0;
}

int site_apply_text(struct rule_set *set, const char *name, const char *bytes, size_t length,
                    struct err *err)
{
    static const char *const keys[] = {"thresholds", "severity", NULL};
    const struct doc_node *root;
    int r = doc_parse(set->arena, name, bytes, length, &root, err);
    if (r == 0)
        r = doc_check_keys(root, keys, err);
    if (r < 0)
        return r;
    const struct doc_node *thresholds = doc_get(root, "thresholds");
    const struct doc_node *severity = doc_get(root, "severity");
    r = check_map(set, thresholds, "root-fs-full: {percent: 85}", err);
    if (r == 0)
        r = check_map(set, severity, "guest-tools-missing: info", err);
    for (size_t i = 0; r == 0 && i < set->rules.count; i++) {
        struct rule *rule = &set->rules.items[i];
        struct rule_overrides overrides = {doc_get(thresholds, rule->id),
                                           doc_get(severity, rule->id)};
        if (overrides.thresholds || overrides.severity)
            r = rule_load(set, rule->root, &overrides, rule, err);
    }
    return r;
}

int site_apply(struct rule_set *set, const char *path, struct err *err)
{
    CLEANUP(strbuf_release) struct strbuf bytes = STRBUF_INIT;
    int r = io_read_file(AT_FDCWD, path, FILE_MAX, &bytes, err);
    return r < 0 ? r : site_apply_text(set, path, bytes.data, bytes.length, err);
}
