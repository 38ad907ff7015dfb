/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * Lists: YAML in, tables out. They do not come from a report, so they have no host, path or line,
 * and every rule that reads one has its data.
 */
#include "analyzer/database/lists.h"

#include "analyzer/database/database_private.h"
#include "common/arena.h"
#include "common/doc_packed.h"
#include "common/io.h"

/* A list of some thousand rows is a database and should not be one. */
#define LISTS_ARENA_MAX (8 * 1024 * 1024)
#define LIST_COLUMNS_MAX 16

struct list {
    const char *name, *date, *description;
    const char *columns[LIST_COLUMNS_MAX];
    enum column_type types[LIST_COLUMNS_MAX];
    size_t column_count;
    const struct doc_node *root, *rows;
};

struct list_set {
    struct arena *arena;
    VEC(struct list) lists;
};

void *list_set_free(struct list_set *lists)
{
    if (!lists)
        return NULL;
    vec_free(&lists->lists);
    arena_free(lists->arena);
    free(lists);
    return NULL;
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

static int load_columns(const struct doc_node *node, struct list *list, struct err *err)
{
    static const char *const types[] = {"text", "version", "integer", "real", NULL};
    static const enum column_type columns[] = {COLUMN_TEXT, COLUMN_VERSION, COLUMN_INTEGER,
                                               COLUMN_REAL};
    if (!node || node->kind != DOC_MAP || node->count == 0 || node->count > LIST_COLUMNS_MAX)
        return doc_fail(node ? node : list->root, err,
                        "'columns' is a map of 1 to %d columns: name, then type", LIST_COLUMNS_MAX);
    for (size_t i = 0; i < node->count; i++) {
        int type = 0;
        int r = check_name(node->keys[i], err);
        if (r == 0)
            r = doc_choice(node->items[i], types, &type, err);
        if (r < 0)
            return r;
        list->columns[i] = node->keys[i]->text;
        list->types[i] = columns[type];
    }
    list->column_count = node->count;
    return 0;
}

static int check_rows(const struct list *list, struct err *err)
{
    const struct doc_node *rows = list->rows;
    if (!rows || rows->kind != DOC_LIST || rows->count == 0)
        return doc_fail(rows ? rows : list->root, err, "'rows' is a list of rows");
    for (size_t i = 0; i < rows->count; i++) {
        const struct doc_node *row = rows->items[i];
        if (row->kind != DOC_LIST || row->count != list->column_count)
            return doc_fail(row, err, "a row of this list has %zu values", list->column_count);
        for (size_t c = 0; c < row->count; c++)
            if (row->items[c]->kind != DOC_SCALAR)
                return doc_fail(row->items[c], err, "a value is one text or number");
    }
    return 0;
}

static int load_list(struct list_set *set, const struct doc_node *root, struct list *list,
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
    list->rows = doc_get(root, "rows");
    r = check_name(doc_get(root, "list"), err);
    if (r == 0)
        r = doc_string(doc_get(root, "list"), &list->name, err);
    if (r == 0)
        r = doc_string(doc_get(root, "date"), &list->date, err);
    if (r == 0)
        r = doc_string(doc_get(root, "description"), &list->description, err);
    if (r == 0)
        r = doc_strings(doc_get(root, "sources"), set->arena, &sources, &source_count, err);
    if (r == 0)
        r = load_columns(doc_get(root, "columns"), list, err);
    return r < 0 ? r : check_rows(list, err);
}

int list_set_load(const struct embedded_file *files, struct list_set **ret, struct err *err)
{
    CLEANUP(list_set_cleanup) struct list_set *set = calloc(1, sizeof *set);
    if (set)
        set->arena = arena_new(LISTS_ARENA_MAX);
    if (!set || !set->arena)
        return err_nomem(err);
    for (; files->name; files++) {
        const struct doc_node *root;
        struct list *list = vec_push(&set->lists);
        if (!list)
            return err_nomem(err);
        int r = doc_parse_embedded(set->arena, files->name, files, &root, err);
        if (r == 0)
            r = load_list(set, root, list, err);
        if (r < 0)
            return r;
    }
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

static int insert_rows(struct database *database, const struct list *list, struct err *err)
{
    CLEANUP_STATEMENT sqlite3_stmt *insert = NULL;
    int r = database_prepare_insert(database, list->name, list->column_count, &insert, err);
    for (size_t i = 0; r == 0 && i < list->rows->count; i++) {
        const struct doc_node *row = list->rows->items[i];
        int rc = SQLITE_OK;
        for (size_t c = 0; rc == SQLITE_OK && c < list->column_count; c++) {
            const struct doc_node *value = row->items[c];
            struct cell cell = {value->length ? value->text : NULL, value->length};
            rc = database_bind(insert, (int)c + 1, list->types[c], &cell);
        }
        if (rc == SQLITE_OK)
            rc = sqlite3_step(insert);
        sqlite3_reset(insert);
        if (rc != SQLITE_DONE)
            r = database_fail(database, rc, err, list->name);
    }
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
    int r = database_run(
        database, "CREATE TABLE lists (name TEXT, date INTEGER, description TEXT)", err);
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
