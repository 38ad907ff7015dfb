/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * Reads one item of a capability. The first key says the kind (file, tree, log, command, shell,
 * function) and a table says which other keys go with it, so that `match` on a command is refused
 * instead of ignored.
 */
#include "collector/catalog/catalog_items.h"

#include <limits.h>

#define DEFAULT_RANK     50 /* files and commands that say nothing are worth this */
#define DEFAULT_LOG_RANK 20 /* logs are what a report is opened for */

struct kind_row {
    const char *key;
    enum item_kind kind;
    const char *const *options;
};

#define COMMON_KEYS "redact", "when", "limit", "rank"

static const char *const file_keys[] = {"file", "files", "as", "newest", "clean", COMMON_KEYS, NULL};
static const char *const tree_keys[] = {"tree", "trees", "match", "not", "pack", COMMON_KEYS, NULL};
static const char *const log_keys[] = {"log", "logs", COMMON_KEYS, NULL};
static const char *const command_keys[] = {"command", "shell", "as",        "each", "input",
                                           "lane",    "time",  COMMON_KEYS, NULL};
static const char *const function_keys[] = {"function", "as",        "each", "lane",
                                            "time",     COMMON_KEYS, NULL};

static const struct kind_row kinds[] = {
    {"file", ITEM_FILE, file_keys},
    {"files", ITEM_FILE, file_keys},
    {"tree", ITEM_TREE, tree_keys},
    {"trees", ITEM_TREE, tree_keys},
    {"log", ITEM_LOG, log_keys},
    {"logs", ITEM_LOG, log_keys},
    {"command", ITEM_COMMAND, command_keys},
    {"shell", ITEM_COMMAND, command_keys},
    {"function", ITEM_FUNCTION, function_keys},
};

static int check_paths(const struct doc_node *node, const char *const *paths, struct err *err)
{
    for (; *paths; paths++) {
        if ((*paths)[0] != '/')
            return doc_fail(node, err, "'%s' is no absolute path", *paths);
        if (strlen(*paths) >= PATH_MAX)
            return doc_fail(node, err, "'%.60s...' is longer than a path can be", *paths);
    }
    return 0;
}

static int read_when(const struct doc_node *node, struct arena *arena, struct catalog_when *ret,
                     struct err *err)
{
    static const char *const keys[] = {"exists", "not_exists", "running", NULL};
    int r = doc_check_keys(node, keys, err);
    if (r == 0 && node->count == 0)
        return doc_fail(node, err, "expected exists, not_exists or running");
    if (r == 0 && doc_get(node, "exists"))
        r = doc_string(doc_get(node, "exists"), &ret->exists, err);
    if (r == 0 && doc_get(node, "not_exists"))
        r = doc_strings(doc_get(node, "not_exists"), arena, &ret->not_exists, NULL, err);
    if (r == 0 && doc_get(node, "running"))
        r = doc_string(doc_get(node, "running"), &ret->running, err);
    return r;
}

static int read_source(const struct doc_node *node, const struct kind_row *row, struct arena *arena,
                       const struct catalog_names *names, struct catalog_item *item,
                       struct err *err)
{
    if (strcmp(row->key, "shell") == 0) {
        const char **argv = arena_array(arena, 4, sizeof *argv);
        if (!argv)
            return err_nomem(err);
        argv[0] = "/bin/sh";
        argv[1] = "-c";
        item->argv = argv;
        int r = doc_string(node, &argv[2], err);
        if (r == 0 && !item->label)
            item->label = argv[2];
        return r;
    }
    const char *const *texts;
    int r = doc_strings(node, arena, &texts, NULL, err);
    if (r < 0)
        return r;
    if (!texts[0])
        return doc_fail(node, err, "'%s' is empty", row->key);
    if (row->kind == ITEM_COMMAND || row->kind == ITEM_FUNCTION)
        item->argv = texts;
    else
        item->paths = texts;
    if (row->kind == ITEM_FUNCTION && !names->function_exists(texts[0]))
        return doc_fail(node, err, "there is no function '%s'", texts[0]);
    return item->paths ? check_paths(node, texts, err) : 0;
}

static int read_each(const struct doc_node *node, const struct catalog_names *names,
                     const struct capability *capability, struct catalog_item *item,
                     struct err *err)
{
    int r = doc_string(node, &item->each, err);
    if (r < 0)
        return r;
    if (!names->device_list_exists(item->each) && !capability_list(capability, item->each))
        return doc_fail(node, err, "there is no list '%s'; define it under 'lists'", item->each);
    return 0;
}

static int read_filters(const struct doc_node *node, struct arena *arena,
                        const struct catalog_names *names, struct catalog_item *item,
                        struct err *err)
{
    int r = doc_strings(node, arena, &item->filters, NULL, err);
    for (const char *const *filter = item->filters; r == 0 && *filter; filter++)
        if (!names->filter_exists(*filter))
            r = doc_fail(node, err, "there is no redaction filter '%s'", *filter);
    return r;
}

static int read_regex(const struct doc_node *node, const char **ret, struct err *err)
{
    int r = doc_string(node, ret, err);
    return r == 0 ? catalog_check_regex(node, err) : r;
}

static int read_option(const char *key, const struct doc_node *node, struct arena *arena,
                       const struct catalog_names *names, const struct capability *capability,
                       struct catalog_item *item, struct err *err)
{
    int64_t number = 0;
    int r = 0;
    if (strcmp(key, "as") == 0)
        r = doc_string(node, &item->label, err);
    else if (strcmp(key, "match") == 0)
        r = read_regex(node, &item->match, err);
    else if (strcmp(key, "not") == 0)
        r = read_regex(node, &item->exclude, err);
    else if (strcmp(key, "pack") == 0)
        r = doc_string(node, &item->pack, err);
    else if (strcmp(key, "newest") == 0)
        r = doc_bool(node, &item->newest_first, err);
    else if (strcmp(key, "clean") == 0)
        r = doc_bool(node, &item->clean, err);
    else if (strcmp(key, "input") == 0)
        r = doc_string(node, &item->input, err);
    else if (strcmp(key, "lane") == 0)
        r = doc_string(node, &item->lane, err);
    else if (strcmp(key, "each") == 0)
        r = read_each(node, names, capability, item, err);
    else if (strcmp(key, "redact") == 0)
        r = read_filters(node, arena, names, item, err);
    else if (strcmp(key, "when") == 0)
        r = read_when(node, arena, &item->when, err);
    else if (strcmp(key, "limit") == 0)
        r = doc_bytes(node, &item->limit, err);
    else if (strcmp(key, "time") == 0) {
        r = doc_seconds(node, &number, err);
        if (r == 0)
            item->time_ms = number < 0 ? -1 : number * 1000;
    } else if (strcmp(key, "rank") == 0) {
        r = doc_integer(node, &number, err);
        if (r == 0 && (number < 1 || number > 100))
            r = doc_fail(node, err, "rank is a number from 1 (best) to 100");
        item->rank = (int)number;
    }
    return r;
}

/* The one key that says the kind; NULL when there is none or more than one. */
static const struct kind_row *find_kind(const struct doc_node *node)
{
    const struct kind_row *found = NULL;
    for (size_t i = 0; i < ARRAY_SIZE(kinds); i++)
        if (doc_get(node, kinds[i].key)) {
            if (found)
                return NULL;
            found = &kinds[i];
        }
    return found;
}

static int read_item(const struct doc_node *node, struct arena *arena,
                     const struct catalog_names *names, const struct capability *capability,
                     struct catalog_item *ret, struct err *err)
{
    static const char *const no_filters[] = {NULL};
    const struct kind_row *row = node->kind == DOC_MAP ? find_kind(node) : NULL;
    if (!row)
        return doc_fail(
            node, err,
            "an item needs exactly one of file, files, tree, log, logs, command, shell, function");
    int r = doc_check_keys(node, row->options, err);
    if (r < 0)
        return r;
    *ret = (struct catalog_item){.kind = row->kind,
                                 .file = node->file,
                                 .line = node->line,
                                 .filters = no_filters,
                                 .limit = -1,
                                 .time_ms = -1,
                                 .rank = row->kind == ITEM_LOG ? DEFAULT_LOG_RANK : DEFAULT_RANK};
    for (size_t i = 0; r == 0 && i < node->count; i++)
        r = read_option(node->keys[i]->text, node->items[i], arena, names, capability, ret, err);
    if (r == 0)
        r = read_source(doc_get(node, row->key), row, arena, names, ret, err);
    if (r == 0 && row->kind == ITEM_FILE && ret->label && ret->paths[1])
        r = doc_fail(node, err, "'as' names one file; this item has several");
    return r;
}

int catalog_read_items(const struct doc_node *collect, struct arena *arena,
                       const struct catalog_names *names, struct capability *capability,
                       struct err *err)
{
    if (collect->kind != DOC_LIST)
        return doc_fail(collect, err, "expected a list of items");
    struct catalog_item *items = arena_array(arena, collect->count + 1, sizeof *items);
    if (!items)
        return err_nomem(err);
    for (size_t i = 0; i < collect->count; i++) {
        int r = read_item(collect->items[i], arena, names, capability, &items[i], err);
        if (r < 0)
            return r;
    }
    capability->items = items;
    capability->item_count = collect->count;
    return 0;
}
