/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * Reads the catalog. People write these files, so whatever is not understood is refused with its
 * place and with what would be right: a mistyped key must not silently collect nothing.
 *
 * Regular expressions are compiled once here only to be checked; the walker compiles them again for
 * itself.
 */
#include "collector/catalog/catalog.h"

#include <errno.h>
#include <limits.h>
#include <regex.h>

#include "collector/catalog/catalog_items.h"
#include "common/doc.h"
#include "common/io.h"

#define CATALOG_BYTES    (64 * 1024 * 1024) /* ceiling, plugins included; ours takes 200 KB */
#define MAX_CAPABILITIES 256                /* the original has about 45 with all known plugins */
#define DEFAULT_ORDER    1000               /* a capability that does not say comes last */

static int read_limits(const struct doc_node *node,
                       int (*read)(const struct doc_node *, int64_t *, struct err *),
                       int64_t *ret_min, int64_t *ret_max, struct err *err)
{
    static const char *const keys[] = {"min", "max", NULL};
    if (!node)
        return 0;
    int r = doc_check_keys(node, keys, err);
    if (r == 0 && doc_get(node, "min"))
        r = read(doc_get(node, "min"), ret_min, err);
    if (r == 0 && doc_get(node, "max"))
        r = read(doc_get(node, "max"), ret_max, err);
    return r;
}

static int read_scale(const struct doc_node *node, struct arena *arena, struct catalog_scale *ret,
                      struct err *err)
{
    static const char *const keys[] = {"devices", "lists",     "size", "size_base",
                                       "time",    "time_base", NULL};
    if (!node)
        return 0;
    int r = doc_check_keys(node, keys, err);
    if (r < 0)
        return r;
    if (!doc_get(node, "devices"))
        return doc_fail(node, err, "scale needs 'devices': the globs whose hits are counted");
    r = doc_strings(doc_get(node, "devices"), arena, &ret->devices, NULL, err);
    if (r == 0 && doc_get(node, "lists"))
        r = doc_strings(doc_get(node, "lists"), arena, &ret->lists, NULL, err);
    const struct {
        const char *key;
        int (*read)(const struct doc_node *, int64_t *, struct err *);
        int64_t *value;
    } numbers[] = {{"size", doc_bytes, &ret->size},
                   {"size_base", doc_bytes, &ret->size_base},
                   {"time", doc_seconds, &ret->time},
                   {"time_base", doc_seconds, &ret->time_base}};
    for (size_t i = 0; r == 0 && i < ARRAY_SIZE(numbers); i++)
        if (doc_get(node, numbers[i].key))
            r = numbers[i].read(doc_get(node, numbers[i].key), numbers[i].value, err);
    return r;
}

int catalog_check_regex(const struct doc_node *node, struct err *err)
{
    regex_t regex;
    int r = regcomp(&regex, node->text, REG_EXTENDED);
    if (r == 0) {
        regfree(&regex);
        return 0;
    }
    char why[120];
    regerror(r, &regex, why, sizeof why);
    return doc_fail(node, err, "not a regular expression (POSIX extended): %s", why);
}

static int read_list(const struct doc_node *key, const struct doc_node *node, struct arena *arena,
                     struct catalog_list *ret, struct err *err)
{
    static const char *const keys[] = {"command", "match", NULL};
    int r = doc_check_keys(node, keys, err);
    if (r < 0)
        return r;
    if (!doc_get(node, "command") || !doc_get(node, "match"))
        return doc_fail(node, err,
                        "a list needs 'command' and 'match' (group 1 of each matching line)");
    ret->name = key->text;
    r = doc_strings(doc_get(node, "command"), arena, &ret->argv, NULL, err);
    if (r == 0)
        r = doc_string(doc_get(node, "match"), &ret->match, err);
    return r == 0 ? catalog_check_regex(doc_get(node, "match"), err) : r;
}

static int read_lists(const struct doc_node *node, struct arena *arena,
                      struct capability *capability, struct err *err)
{
    if (!node)
        return 0;
    if (node->kind != DOC_MAP)
        return doc_fail(node, err, "expected a map: name of the list, then 'command' and 'match'");
    struct catalog_list *lists = arena_array(arena, node->count + 1, sizeof *lists);
    if (!lists)
        return err_nomem(err);
    for (size_t i = 0; i < node->count; i++) {
        int r = read_list(node->keys[i], node->items[i], arena, &lists[i], err);
        if (r < 0)
            return r;
    }
    capability->lists = lists;
    capability->list_count = node->count;
    return 0;
}

/* Keys become directory-like names in XML attributes and on command lines. */
static bool is_key(const char *text)
{
    return *text && strspn(text, "abcdefghijklmnopqrstuvwxyz"
                                 "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.-") == strlen(text);
}

static int read_head(const struct doc_node *root, struct arena *arena,
                     struct capability *capability, struct err *err)
{
    static const char *const keys[] = {"capability", "description", "pii",    "size",    "time",
                                       "checked",    "hidden",      "order",  "scale",   "lists",
                                       "inventory",  "measured",    "xen_rt", "collect", NULL};
    static const char *const pii_names[] = {"no", "yes", "maybe", "if_customized", NULL};
    int r = doc_check_keys(root, keys, err);
    if (r < 0)
        return r;
    const struct doc_node *key = doc_get(root, "capability");
    if (!key || !doc_get(root, "description") || !doc_get(root, "pii"))
        return doc_fail(root, err, "a capability needs 'capability', 'description' and 'pii'");
    r = doc_string(key, &capability->key, err);
    if (r == 0 && !is_key(capability->key))
        r = doc_fail(key, err, "a capability's name may have letters, digits and - _ . only");
    if (r == 0)
        r = doc_string(doc_get(root, "description"), &capability->description, err);
    int pii = 0;
    if (r == 0)
        r = doc_choice(doc_get(root, "pii"), pii_names, &pii, err);
    capability->pii = pii_names[pii];
    if (r == 0)
        r = read_limits(doc_get(root, "size"), doc_bytes, &capability->min_size,
                        &capability->max_size, err);
    if (r == 0)
        r = read_limits(doc_get(root, "time"), doc_seconds, &capability->min_time,
                        &capability->max_time, err);
    const struct {
        const char *key;
        bool *value;
    } flags[] = {{"checked", &capability->checked},
                 {"hidden", &capability->hidden},
                 {"measured", &capability->measured},
                 {"xen_rt", &capability->xen_rt}};
    for (size_t i = 0; r == 0 && i < ARRAY_SIZE(flags); i++)
        if (doc_get(root, flags[i].key))
            r = doc_bool(doc_get(root, flags[i].key), flags[i].value, err);
    if (r == 0 && doc_get(root, "inventory"))
        r = doc_string(doc_get(root, "inventory"), &capability->inventory, err);
    int64_t order = DEFAULT_ORDER;
    if (r == 0 && doc_get(root, "order"))
        r = doc_integer(doc_get(root, "order"), &order, err);
    if (r == 0 && (order < 0 || order > 1000000))
        r = doc_fail(doc_get(root, "order"), err, "order is a number from 0 to 1000000");
    capability->order = (int)order;
    if (r == 0)
        r = read_scale(doc_get(root, "scale"), arena, &capability->scale, err);
    return r == 0 ? read_lists(doc_get(root, "lists"), arena, capability, err) : r;
}

/* What can only be judged when lists and items are known. */
static int check_head(const struct doc_node *root, const struct capability *capability,
                      struct err *err)
{
    for (const char *const *list = capability->scale.lists; list && *list; list++)
        if (!capability_list(capability, *list))
            return doc_fail(doc_get(root, "scale"), err,
                            "there is no list '%s'; define it under 'lists'", *list);
    for (size_t i = 0; capability->measured && i < capability->item_count; i++) {
        const struct catalog_item *item = &capability->items[i];
        if (!item->paths || item->when.exists || item->when.not_exists || item->when.running)
            return doc_fail(doc_get(root, "measured"), err,
                            "only files, trees and logs without 'when' can be measured");
    }
    return 0;
}

int catalog_parse_capability(struct arena *arena, const char *name, const char *bytes,
                             size_t length, const struct catalog_names *names,
                             struct capability *ret, struct err *err)
{
    const struct doc_node *root;
    int r = doc_parse(arena, name, bytes, length, &root, err);
    if (r < 0)
        return r;
    struct capability capability = {.min_size = -1,
                                    .max_size = -1,
                                    .min_time = -1,
                                    .max_time = -1,
                                    .mime = "text/plain",
                                    .checked = true};
    r = read_head(root, arena, &capability, err);
    const struct doc_node *collect = doc_get(root, "collect");
    if (r == 0 && !collect)
        r = doc_fail(root, err, "a capability needs 'collect': the list of what it takes");
    if (r == 0)
        r = catalog_read_items(collect, arena, names, &capability, err);
    if (r == 0)
        r = check_head(root, &capability, err);
    if (r < 0)
        return r;
    capability.command_time = capability.max_time > 0 ? capability.max_time : CATALOG_DEFAULT_TIME;
    *ret = capability;
    return 0;
}

static int compare_capabilities(const void *left, const void *right)
{
    const struct capability *a = left, *b = right;
    return a->order != b->order ? (a->order > b->order) - (a->order < b->order)
                                : strcmp(a->key, b->key);
}

static int add_file(struct catalog *catalog, const char *name, const char *bytes, size_t length,
                    const struct catalog_names *names, struct err *err)
{
    const char *kept = arena_strdup(catalog->arena, name);
    if (!kept)
        return err_nomem(err);
    struct capability parsed;
    int r = catalog_parse_capability(catalog->arena, kept, bytes, length, names, &parsed, err);
    if (r < 0)
        return r;
    if (catalog_find(catalog, parsed.key))
        return err_set_at(err, ERR_PARSE, name, 1, 1,
                          "capability '%s' is defined in another file too", parsed.key);
    struct capability *capability = catalog_add(catalog, err);
    if (!capability)
        return ERR_LIMIT;
    *capability = parsed;
    return 0;
}

struct capability *catalog_add(struct catalog *catalog, struct err *err)
{
    if (catalog->count < MAX_CAPABILITIES)
        return &catalog->capabilities[catalog->count++];
    err_set(err, ERR_LIMIT, "more than %d capabilities", MAX_CAPABILITIES);
    return NULL;
}

void catalog_sort(struct catalog *catalog)
{
    qsort(catalog->capabilities, catalog->count, sizeof *catalog->capabilities,
          compare_capabilities);
}

void catalog_remove(struct catalog *catalog, size_t index)
{
    memmove(catalog->capabilities + index, catalog->capabilities + index + 1,
            (--catalog->count - index) * sizeof *catalog->capabilities);
}

static int begin(struct catalog *catalog, struct err *err)
{
    *catalog = (struct catalog){.arena = arena_new(CATALOG_BYTES)};
    if (catalog->arena)
        catalog->capabilities =
            arena_array(catalog->arena, MAX_CAPABILITIES, sizeof *catalog->capabilities);
    if (catalog->capabilities)
        return 0;
    catalog_free(catalog);
    return err_nomem(err);
}

static int finish(struct catalog *catalog, int r, struct catalog *ret)
{
    if (r < 0) {
        catalog_free(catalog);
        return r;
    }
    catalog_sort(catalog);
    *ret = *catalog;
    return 0;
}

int catalog_load_embedded(const struct embedded_file *files, const struct catalog_names *names,
                          struct catalog *ret, struct err *err)
{
    struct catalog catalog;
    int r = begin(&catalog, err);
    if (r < 0)
        return r;
    for (; r == 0 && files->name; files++)
        r = add_file(&catalog, files->name, files->data, (size_t)(files->end - files->data), names,
                     err);
    return finish(&catalog, r, ret);
}

int catalog_load_directory(const char *directory, const struct catalog_names *names,
                           struct catalog *ret, struct err *err)
{
    CLEANUP_DIR DIR *stream = opendir(directory);
    if (!stream)
        return err_set_errno(err, errno, "cannot open the catalog folder '%s'", directory);
    struct catalog catalog;
    int r = begin(&catalog, err);
    if (r < 0)
        return r;
    struct dirent *found;
    while (r == 0 && (found = readdir(stream))) {
        if (!doc_is_file_name(found->d_name))
            continue;
        struct strbuf text = STRBUF_INIT;
        char name[PATH_MAX];
        snprintf(name, sizeof name, "%s/%s", directory, found->d_name);
        r = io_read_file(dirfd(stream), found->d_name, 1024 * 1024, &text, err);
        if (r == 0)
            r = add_file(&catalog, name, text.data, text.length, names, err);
        strbuf_release(&text);
    }
    if (r == 0 && catalog.count == 0)
        r = err_set(err, ERR_NOTFOUND, "the catalog folder '%s' has no *.yaml file", directory);
    return finish(&catalog, r, ret);
}

void catalog_free(struct catalog *catalog)
{
    if (catalog->arena)
        arena_free(catalog->arena);
    *catalog = (struct catalog){0};
}

struct capability *catalog_find(const struct catalog *catalog, const char *key)
{
    for (size_t i = 0; i < catalog->count; i++)
        if (strcmp(catalog->capabilities[i].key, key) == 0)
            return &catalog->capabilities[i];
    return NULL;
}

const struct catalog_list *capability_list(const struct capability *capability, const char *name)
{
    for (size_t i = 0; i < capability->list_count; i++)
        if (strcmp(capability->lists[i].name, name) == 0)
            return &capability->lists[i];
    return NULL;
}
