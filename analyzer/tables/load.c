/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * One YAML file becomes one table, or a family of tables that one pass over a file fills.
 *
 * The keys that all modes share are read here; the rest of the map is the mode's, which names its
 * keys so that a misspelt one is refused. A column whose name (or `from`) is a {capture} of the
 * file patterns is filled from the file's name and is no business of the mode.
 */
#include "analyzer/tables/load.h"

#include <ctype.h>
#include <strings.h>

#define MODE_KEYS_MAX 32

static const char *const common_keys[] = {"table",   "description", "capability",      "files", "mode",
                                          "columns", "tests",       "empty_if_absent", NULL};
static const char *const family_keys[] = {"family", "description", "capability",   "files", "mode",
                                          "tables", "tests",       "descriptions", NULL};
static const char *const member_keys[] = {"description", "columns", NULL};
static const char *const column_keys[] = {"type", "from", "match", "description", NULL};

/* In the order of enum column_type; `flag` is an integer of its own kind. */
static const char *const type_names[] = {"text",    "integer", "real", "bytes",
                                         "version", "flag",    NULL};
static const int type_flag = COLUMN_VERSION + 1;

/* Made by the database itself. */
static const char *const taken_columns[] = {"host", "path", "line", NULL};
static const char *const taken_tables[] = {"hosts", "facts", NULL};

struct arena *loader_arena(struct table_loader *loader)
{
    return loader->arena;
}

int loader_regex(struct table_loader *loader, const struct doc_node *node, const struct regex **ret,
                 struct err *err)
{
    CLEANUP(regex_cleanup) struct regex *regex = NULL;
    int r = regex_compile_node(node, &regex, err);
    if (r < 0)
        return r;
    struct regex **slot = vec_push(&loader->regexes);
    if (!slot)
        return err_nomem(err);
    *ret = *slot = TAKE(regex);
    return 0;
}

int loader_regexes(struct table_loader *loader, const struct doc_node *node,
                   const struct regex *const **ret, size_t *ret_count, struct err *err)
{
    size_t count = !node ? 0 : node->kind == DOC_LIST ? node->count : 1;
    const struct regex **list = arena_array(loader->arena, count + 1, sizeof(const struct regex *));
    if (!list)
        return err_nomem(err);
    for (size_t i = 0; i < count; i++) {
        int r = loader_regex(loader, node->kind == DOC_LIST ? node->items[i] : node, &list[i], err);
        if (r < 0)
            return r;
    }
    *ret = list;
    *ret_count = count;
    return 0;
}

static int check_keys(const struct doc_node *map, const char *const *common,
                      const char *const *of_mode, struct err *err)
{
    const char *allowed[MODE_KEYS_MAX];
    size_t count = 0;
    for (; *common; common++)
        allowed[count++] = *common;
    for (; of_mode && *of_mode && count + 1 < ARRAY_SIZE(allowed); of_mode++)
        allowed[count++] = *of_mode;
    allowed[count] = NULL;
    return doc_check_keys(map, allowed, err);
}

static int check_name(const struct doc_node *node, const char *what, const char *const *taken,
                      struct err *err)
{
    const char *name = node->text;
    for (; *taken; taken++)
        if (strcasecmp(*taken, name) == 0)
            return doc_fail(node, err, "a %s cannot be called '%s': the database has that already",
                            what, name);
    bool good = isalpha((unsigned char)name[0]) && strncasecmp(name, "sqlite_", 7) != 0;
    for (const char *p = name; *p; p++)
        good = good && (isalnum((unsigned char)*p) || *p == '_');
    if (!good)
        return doc_fail(node, err, "'%s' cannot be the name of a %s: use letters, digits and '_'",
                        name, what);
    return 0;
}

static int optional_string(const struct doc_node *map, const char *key, const char **ret,
                           struct err *err)
{
    const struct doc_node *node = doc_get(map, key);
    *ret = "";
    return node ? doc_string(node, ret, err) : 0;
}

static int require(const struct doc_node *map, const char *key, const char *hint,
                   const struct doc_node **ret, struct err *err)
{
    *ret = doc_get(map, key);
    return *ret ? 0 : doc_fail(map, err, "'%s' is missing: %s", key, hint);
}

/*
 * All patterns of a table have the same captures in the same order: a column needs its value in
 * every file.
 */
static int same_captures(const struct doc_node *node, const struct path_pattern *first,
                         const struct path_pattern *pattern, struct err *err)
{
    bool same = first->captures == pattern->captures;
    for (unsigned i = 0; same && i < first->captures; i++)
        same = strcmp(first->names[i], pattern->names[i]) == 0;
    return same ? 0
                : doc_fail(node, err, "the patterns '%s' and '%s' must have the same {captures}",
                           first->text, pattern->text);
}

static int load_files(struct table_loader *loader, const struct doc_node *map, struct table *table,
                      struct err *err)
{
    const struct doc_node *node;
    const char *const *texts;
    size_t count;
    int r = require(map, "files", "the paths in a report that the table is made from", &node, err);
    if (r == 0)
        r = doc_strings(node, loader->arena, &texts, &count, err);
    if (r < 0)
        return r;
    if (count == 0)
        return doc_fail(node, err, "'files' is empty: name a path in a report");
    struct path_pattern *patterns = arena_array(loader->arena, count, sizeof *patterns);
    if (!patterns)
        return err_nomem(err);
    for (size_t i = 0; i < count; i++) {
        struct err own = ERR_INIT;
        r = path_pattern_compile(loader->arena, texts[i], &patterns[i], &own);
        if (r == ERR_PARSE)
            return doc_fail(node->kind == DOC_LIST ? node->items[i] : node, err, "%s", own.text);
        if (r < 0)
            return err_set(err, r, "%s", own.text);
        r = same_captures(node, &patterns[0], &patterns[i], err);
        if (r < 0)
            return r;
    }
    table->files = patterns;
    table->file_count = count;
    return 0;
}

static int load_match(struct table_loader *loader, const struct doc_node *node,
                      struct column_source *source, struct err *err)
{
    int r = loader_regex(loader, node, &source->match, err);
    if (r < 0)
        return r;
    for (size_t i = 0; i < regex_name_count(source->match); i++) {
        const char *name = regex_name_at(source->match, i);
        if (strcmp(name, "value") != 0 && strcmp(name, "minus") != 0)
            return doc_fail(node, err,
                            "group '%s' means nothing in a column's match: use (?<value>...), and "
                            "(?<minus>...) for a word that makes the number negative",
                            name);
    }
    return 0;
}

static int load_column(struct table_loader *loader, const struct doc_node *key,
                       const struct doc_node *node, struct column *column,
                       struct column_source *source, struct err *err)
{
    int type = 0;
    int r = check_name(key, "column", taken_columns, err);
    if (r < 0)
        return r;
    column->name = source->from = key->text;
    column->description = "";
    const struct doc_node *type_node = node;
    if (node->kind == DOC_MAP) {
        r = doc_check_keys(node, column_keys, err);
        if (r == 0)
            r = optional_string(node, "description", &column->description, err);
        if (r == 0 && doc_get(node, "from"))
            r = doc_string(doc_get(node, "from"), &source->from, err);
        if (r == 0 && doc_get(node, "match"))
            r = load_match(loader, doc_get(node, "match"), source, err);
        if (r < 0)
            return r;
        type_node = doc_get(node, "type");
    }
    if (type_node)
        r = doc_choice(type_node, type_names, &type, err);
    if (r < 0)
        return r;
    source->flag = type == type_flag;
    column->type = source->flag ? COLUMN_INTEGER : (enum column_type)type;
    return 0;
}

static int capture_index(const struct table *table, const char *name)
{
    const struct path_pattern *pattern = &table->files[0];
    for (unsigned i = 0; i < pattern->captures; i++)
        if (strcmp(pattern->names[i], name) == 0)
            return (int)i;
    return -1;
}

static int load_columns(struct table_loader *loader, const struct doc_node *map,
                        struct table *table, struct err *err)
{
    const struct doc_node *node;
    int r = require(map, "columns", "a map of column names and types", &node, err);
    if (r < 0)
        return r;
    if (node->kind != DOC_MAP || node->count == 0)
        return doc_fail(node, err, "'columns' must be a map: column name and type");
    if (node->count > TABLE_COLUMNS_MAX)
        return doc_fail(node, err, "%zu columns; %d are allowed", node->count, TABLE_COLUMNS_MAX);
    struct column *columns = arena_array(loader->arena, node->count, sizeof *columns);
    struct column_source *sources = arena_array(loader->arena, node->count, sizeof *sources);
    if (!columns || !sources)
        return err_nomem(err);
    for (size_t i = 0; i < node->count; i++) {
        r = load_column(loader, node->keys[i], node->items[i], &columns[i], &sources[i], err);
        if (r < 0)
            return r;
        sources[i].capture = capture_index(table, sources[i].from);
        for (size_t k = 0; k < i; k++)
            if (strcasecmp(columns[k].name, columns[i].name) == 0)
                return doc_fail(node->keys[i], err,
                                "columns '%s' and '%s': the database does not tell upper from "
                                "lower case",
                                columns[k].name, columns[i].name);
    }
    table->columns = columns;
    table->sources = sources;
    table->column_count = node->count;
    return 0;
}

/* What a table alone and a family have in common. */
static int load_head(struct table_loader *loader, const struct doc_node *root, struct table *table,
                     struct err *err)
{
    const struct doc_node *mode_node = NULL;
    const char *mode = NULL;
    int r = optional_string(root, "description", &table->description, err);
    if (r == 0)
        r = optional_string(root, "capability", &table->capability, err);
    const struct doc_node *absent = doc_get(root, "empty_if_absent");
    if (r == 0 && absent)
        r = doc_bool(absent, &table->empty_if_absent, err);
    if (r == 0)
        r = require(root, "mode", mode_names, &mode_node, err);
    if (r == 0)
        r = doc_string(mode_node, &mode, err);
    if (r < 0)
        return r;
    table->mode = mode_find(mode);
    if (!table->mode)
        return doc_fail(mode_node, err, "'%s' is no mode; it is one of %s", mode, mode_names);
    table->file = root->file;
    table->root = root;
    table->tests = doc_get(root, "tests");
    return load_files(loader, root, table, err);
}

/* Columns and the mode's own part; `key` holds the table's name, `node` the map. */
static int load_body(struct table_loader *loader, const struct doc_node *key,
                     const struct doc_node *node, struct table *table, struct err *err)
{
    int r = check_name(key, "table", taken_tables, err);
    if (r < 0)
        return r;
    table->name = key->text;
    r = load_columns(loader, node, table, err);
    if (r < 0)
        return r;
    return table->mode->load ? table->mode->load(loader, table, node, &table->options, err) : 0;
}

static int make_tables(struct table_loader *loader, size_t count, struct table ***ret,
                       struct err *err)
{
    struct table **tables = arena_array(loader->arena, count, sizeof *tables);
    struct table *memory = arena_array(loader->arena, count, sizeof *memory);
    if (!tables || !memory)
        return err_nomem(err);
    for (size_t i = 0; i < count; i++)
        tables[i] = &memory[i];
    *ret = tables;
    return 0;
}

static void link_family(struct table **tables, size_t count)
{
    for (size_t i = 0; i < count; i++)
        tables[i]->leader = tables[0];
    tables[0]->members = (const struct table *const *)tables;
    tables[0]->member_count = count;
}

/* Texts for columns that many members have; asked for by name, for few readers ever ask. */
static int check_descriptions(const struct doc_node *map, struct err *err)
{
    if (map && map->kind != DOC_MAP)
        return doc_fail(map, err, "'descriptions' must be a map: column name and what it holds");
    for (size_t i = 0; map && i < map->count; i++)
        if (map->items[i]->kind != DOC_SCALAR)
            return doc_fail(map->items[i], err, "expected a text: what the column '%s' holds",
                            map->keys[i]->text);
    return 0;
}

const char *table_column_description(const struct table *table, const struct column *column)
{
    const struct doc_node *shared = doc_get(doc_get(table->root, "descriptions"), column->name);
    return *column->description || !shared ? column->description : shared->text;
}

static int load_family(struct table_loader *loader, const struct doc_node *root,
                       const struct table *head, struct table ***ret, size_t *ret_count,
                       struct err *err)
{
    if (!head->mode->family)
        return doc_fail(root, err, "mode '%s' fills one table a file: write 'table', not 'family'",
                        head->mode->name);
    const struct doc_node *list;
    int r = check_keys(root, family_keys, NULL, err);
    if (r == 0)
        r = check_descriptions(doc_get(root, "descriptions"), err);
    if (r == 0)
        r = require(root, "tables", "a map of the family's tables", &list, err);
    if (r < 0)
        return r;
    if (list->kind != DOC_MAP || list->count == 0)
        return doc_fail(list, err, "'tables' must be a map: table name and its columns");
    struct table **tables = NULL;
    r = make_tables(loader, list->count, &tables, err);
    for (size_t i = 0; r == 0 && i < list->count; i++) {
        *tables[i] = *head;
        r = check_keys(list->items[i], member_keys, head->mode->keys, err);
        if (r == 0 && doc_get(list->items[i], "description"))
            r = optional_string(list->items[i], "description", &tables[i]->description, err);
        if (r == 0)
            r = load_body(loader, list->keys[i], list->items[i], tables[i], err);
        if (i > 0)
            tables[i]->tests = NULL;
    }
    if (r < 0)
        return r;
    link_family(tables, list->count);
    *ret = tables;
    *ret_count = list->count;
    return 0;
}

int load_tables(struct table_loader *loader, const struct doc_node *root, struct table ***ret,
                size_t *ret_count, struct err *err)
{
    if (root->kind != DOC_MAP)
        return doc_fail(root, err, "a table file is a map: table, files, mode, columns");
    struct table head = {0};
    int r = load_head(loader, root, &head, err);
    if (r < 0)
        return r;
    if (doc_get(root, "family"))
        return load_family(loader, root, &head, ret, ret_count, err);
    if (head.mode->family)
        return doc_fail(root, err, "mode '%s' needs a 'family' of tables", head.mode->name);

    const struct doc_node *name = NULL;
    const char *text;
    struct table **tables = NULL;
    r = check_keys(root, common_keys, head.mode->keys, err);
    if (r == 0)
        r = require(root, "table", "the table's name", &name, err);
    if (r == 0)
        r = doc_string(name, &text, err);
    if (r == 0)
        r = make_tables(loader, 1, &tables, err);
    if (r < 0)
        return r;
    *tables[0] = head;
    r = load_body(loader, name, root, tables[0], err);
    if (r < 0)
        return r;
    link_family(tables, 1);
    *ret = tables;
    *ret_count = 1;
    return 0;
}
