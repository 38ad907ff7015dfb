/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * Lists: YAML in, tables out. They do not come from a report, so they have no host, path or line,
 * and every rule that reads one has its data.
 */
#include "analyzer/database/lists.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>

#include "analyzer/database/database_private.h"
#include "common/arena.h"
#include "common/doc_packed.h"
#include "common/io.h"

/* A list of some thousand rows is a database and should not be one. */
#define LISTS_ARENA_MAX (8 * 1024 * 1024)
/* One file; and files of a folder. */
#define LIST_FILE_MAX  (1024 * 1024)
#define LIST_FILES_MAX 1000

struct list_set {
    struct arena *arena;
    VEC(struct list) lists;
};

void *list_set_free(struct list_set *lists)
{
    if (!lists)
        return NULL;
    for (size_t i = 0; i < lists->lists.count; i++)
        vec_free(&lists->lists.items[i].parts);
    vec_free(&lists->lists);
    arena_free(lists->arena);
    free(lists);
    return NULL;
}

size_t list_set_count(const struct list_set *lists)
{
    return lists->lists.count;
}

const struct list *list_set_at(const struct list_set *lists, size_t index)
{
    return &lists->lists.items[index];
}

DEFINE_CLEANUP(list_set_cleanup, struct list_set *, list_set_free)

/* A name becomes a table or a column. */
static int check_name(const struct doc_node *node, struct err *err)
{
    static const char letters[] = "abcdefghijklmnopqrstuvwxyz0123456789_";
    const char *name = node->text;
    if (!name || !*name || name[strspn(name, letters)] || strchr("0123456789_", name[0]))
        return doc_fail(node, err, "a name here begins with a letter and has a-z, 0-9 and '_'");
    return 0;
}

/* `node` is a type, or a map of `type` and `description`. */
static int load_column(const struct doc_node *node, enum column_type *ret_type,
                       const char **ret_description, struct err *err)
{
    static const char *const types[] = {"text", "version", "integer", "real", NULL};
    static const enum column_type columns[] = {COLUMN_TEXT, COLUMN_VERSION, COLUMN_INTEGER,
                                               COLUMN_REAL};
    static const char *const keys[] = {"type", "description", NULL};
    const struct doc_node *type_node = node, *description = NULL;
    int type = 0, r = 0;
    if (node->kind == DOC_MAP) {
        r = doc_check_keys(node, keys, err);
        type_node = doc_get(node, "type");
        description = doc_get(node, "description");
    }
    if (r == 0 && type_node)
        r = doc_choice(type_node, types, &type, err);
    *ret_description = "";
    if (r == 0 && description)
        r = doc_string(description, ret_description, err);
    *ret_type = columns[type];
    return r;
}

static int load_columns(const struct doc_node *node, struct list *list, struct err *err)
{
    if (!node || node->kind != DOC_MAP || node->count == 0 || node->count > LIST_COLUMNS_MAX)
        return doc_fail(node ? node : list->root, err,
                        "'columns' is a map of 1 to %d columns: name, then type", LIST_COLUMNS_MAX);
    for (size_t i = 0; i < node->count; i++) {
        int r = check_name(node->keys[i], err);
        if (r == 0)
            r = load_column(node->items[i], &list->types[i], &list->descriptions[i], err);
        if (r < 0)
            return r;
        list->columns[i] = node->keys[i]->text;
    }
    list->column_count = node->count;
    return 0;
}

static int add_rows(struct list *list, const struct doc_node *root, bool built_in, struct err *err)
{
    const struct doc_node *rows = doc_get(root, "rows");
    if (!rows || rows->kind != DOC_LIST || rows->count == 0)
        return doc_fail(rows ? rows : root, err, "'rows' is a list of rows");
    for (size_t i = 0; i < rows->count; i++) {
        const struct doc_node *row = rows->items[i];
        if (row->kind != DOC_LIST || row->count != list->column_count)
            return doc_fail(row, err, "a row of this list has %zu values", list->column_count);
        for (size_t c = 0; c < row->count; c++)
            if (row->items[c]->kind != DOC_SCALAR)
                return doc_fail(row->items[c], err, "a value is one text or number");
    }
    struct list_rows *part = vec_push(&list->parts);
    if (!part)
        return err_nomem(err);
    *part = (struct list_rows){rows, built_in};
    return 0;
}

static int load_head(struct list_set *set, const struct doc_node *root, struct list *list,
                     struct err *err)
{
    static const char *const keys[] = {"list",    "date", "description", "sources",
                                       "columns", "rows", NULL};
    const char *const *sources;
    size_t source_count;
    int r = doc_check_keys(root, keys, err);
    for (size_t i = 0; r == 0 && keys[i]; i++)
        if (!doc_get(root, keys[i]))
            r = doc_fail(root, err, "a list needs the key '%s'", keys[i]);
    if (r < 0)
        return r;
    list->root = root;
    r = check_name(doc_get(root, "list"), err);
    if (r == 0)
        r = doc_string(doc_get(root, "list"), &list->name, err);
    if (r == 0)
        r = doc_string(doc_get(root, "date"), &list->date, err);
    if (r == 0)
        r = doc_string(doc_get(root, "description"), &list->description, err);
    if (r == 0)
        r = doc_strings(doc_get(root, "sources"), set->arena, &sources, &source_count, err);
    return r < 0 ? r : load_columns(doc_get(root, "columns"), list, err);
}

static struct list *find_list(struct list_set *set, const char *name)
{
    for (size_t i = 0; i < set->lists.count; i++)
        if (strcmp(set->lists.items[i].name, name) == 0)
            return &set->lists.items[i];
    return NULL;
}

/* A whole list; a site's takes the place of one with its name. */
static int declare(struct list_set *set, const struct doc_node *root, bool built_in,
                   struct err *err)
{
    struct list list = {0};
    int r = load_head(set, root, &list, err);
    if (r == 0)
        r = add_rows(&list, root, built_in, err);
    struct list *place = r == 0 ? find_list(set, list.name) : NULL;
    if (place && (built_in || !place->parts.items[0].built_in))
        r = doc_fail(doc_get(root, "list"), err, "list '%s' stands in %s already", list.name,
                     place->root->file);
    else if (place)
        vec_free(&place->parts);
    else if (r == 0 && !(place = vec_push(&set->lists)))
        r = err_nomem(err);
    if (r == 0)
        *place = list;
    else
        vec_free(&list.parts);
    return r;
}

/* Rows for a list that is there. */
static int extend(struct list_set *set, const struct doc_node *root, struct err *err)
{
    static const char *const keys[] = {"list", "description", "sources", "rows", NULL};
    const char *name;
    int r = doc_check_keys(root, keys, err);
    if (r == 0)
        r = doc_string(doc_get(root, "list"), &name, err);
    if (r < 0)
        return r;
    struct list *list = find_list(set, name);
    if (!list)
        return doc_fail(doc_get(root, "list"), err,
                        "there is no list '%s' to add rows to; a list of your own needs 'columns', "
                        "'date', 'description' and 'sources'",
                        name);
    return add_rows(list, root, false, err);
}

static int load_document(struct list_set *set, const struct embedded_file *file, bool built_in,
                         struct err *err)
{
    const struct doc_node *root;
    int r = doc_parse_embedded(set->arena, file->name, file, &root, err);
    if (r < 0)
        return r;
    bool extends = !built_in && doc_get(root, "list") && !doc_get(root, "columns");
    return extends ? extend(set, root, err) : declare(set, root, built_in, err);
}

static int is_yaml(const struct dirent *entry)
{
    return doc_is_file_name(entry->d_name);
}

static int load_file(struct list_set *set, const char *folder, const char *name, struct err *err)
{
    CLEANUP(strbuf_release) struct strbuf path = STRBUF_INIT, bytes = STRBUF_INIT;
    strbuf_addf(&path, "%s/%s", folder, name);
    if (!strbuf_ok(&path))
        return err_nomem(err);
    int r = io_read_file(AT_FDCWD, path.data, LIST_FILE_MAX, &bytes, err);
    struct embedded_file file = {path.data, bytes.data, bytes.data + bytes.length};
    return r < 0 ? r : load_document(set, &file, false, err);
}

static int load_folder(struct list_set *set, const char *folder, struct err *err)
{
    struct dirent **entries;
    int count = scandir(folder, &entries, is_yaml, alphasort);
    if (count < 0)
        return err_set_errno(err, errno, "cannot read the folder of lists '%s'", folder);
    int r = count > LIST_FILES_MAX ? err_set(err, ERR_LIMIT, "'%s' holds more than %d YAML files",
                                             folder, LIST_FILES_MAX)
                                   : 0;
    for (int i = 0; i < count; i++) {
        if (r == 0)
            r = load_file(set, folder, entries[i]->d_name, err);
        free(entries[i]);
    }
    free(entries);
    return r;
}

int list_set_load(const struct embedded_file *files, const char *const *folders,
                  struct list_set **ret, struct err *err)
{
    CLEANUP(list_set_cleanup) struct list_set *set = calloc(1, sizeof *set);
    if (set)
        set->arena = arena_new(LISTS_ARENA_MAX);
    if (!set || !set->arena)
        return err_nomem(err);
    int r = 0;
    for (; r == 0 && files->name; files++)
        r = load_document(set, files, true, err);
    for (; r == 0 && folders && *folders; folders++)
        r = load_folder(set, *folders, err);
    if (r < 0)
        return r;
    *ret = TAKE(set);
    return 0;
}

static int create(struct database *database, const struct list *list, struct err *err)
{
    CLEANUP(strbuf_release) struct strbuf sql = STRBUF_INIT;
    if (table_set_find(database->tables, list->name) || database_is_built_in(database, list->name))
        return doc_fail(doc_get(list->root, "list"), err, "there is a table '%s' already",
                        list->name);
    strbuf_addf(&sql, "CREATE TABLE %s (", list->name);
    for (size_t i = 0; i < list->column_count; i++)
        strbuf_addf(&sql, "%s%s %s", i ? ", " : "", list->columns[i],
                    database_column_type(list->types[i]));
    strbuf_addc(&sql, ')');
    return strbuf_ok(&sql) ? database_run(database, sql.data, err) : err_nomem(err);
}

static int insert_row(struct database *database, sqlite3_stmt *insert, const struct list *list,
                      const struct doc_node *row, struct err *err)
{
    int rc = SQLITE_OK;
    for (size_t c = 0; rc == SQLITE_OK && c < list->column_count; c++) {
        const struct doc_node *value = row->items[c];
        struct cell cell = {value->length ? value->text : NULL, value->length};
        rc = database_bind(insert, (int)c + 1, list->types[c], &cell);
    }
    if (rc == SQLITE_OK)
        rc = sqlite3_step(insert);
    sqlite3_reset(insert);
    return rc == SQLITE_DONE ? 0 : database_fail(database, rc, err, list->name);
}

static int insert_rows(struct database *database, const struct list *list, struct err *err)
{
    CLEANUP_STATEMENT sqlite3_stmt *insert = NULL;
    int r = database_prepare_insert(database, list->name, list->column_count, &insert, err);
    for (size_t p = 0; p < list->parts.count; p++)
        for (size_t i = 0; r == 0 && i < list->parts.items[p].rows->count; i++)
            r = insert_row(database, insert, list, list->parts.items[p].rows->items[i], err);
    return r;
}

/* The list's row in table `lists`; SQLite knows what is a date. */
static int enter(struct database *database, const struct list *list, struct err *err)
{
    char *sql = sqlite3_mprintf("INSERT INTO lists SELECT %Q, CAST(strftime('%%s', %Q) AS INTEGER),"
                                " %Q WHERE strftime('%%Y-%%m-%%d', %Q) = %Q",
                                list->name, list->date, list->description, list->date, list->date);
    int r = sql ? database_run(database, sql, err) : err_nomem(err);
    sqlite3_free(sql);
    if (r == 0 && sqlite3_changes(database->handle) != 1)
        r = doc_fail(doc_get(list->root, "date"), err, "'date' is a day: 2026-11-22");
    return r;
}

int lists_fill(const struct list_set *lists, struct database *database, struct err *err)
{
    if (database->lists.count)
        return 0;
    int r = database_run(database, "CREATE TABLE lists (name TEXT, date INTEGER, description TEXT)",
                         err);
    for (size_t i = 0; r == 0 && i < lists->lists.count; i++) {
        const struct list *list = &lists->lists.items[i];
        const char **name = vec_push(&database->lists);
        r = name ? create(database, list, err) : err_nomem(err);
        if (r == 0)
            r = insert_rows(database, list, err);
        if (r == 0)
            r = enter(database, list, err);
        if (r == 0)
            *name = list->name;
    }
    return r;
}
