/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * The facts: declared in YAML, computed by SQL, asked by rules.
 *
 * Each query gives columns `host` and `value`; the first value of a host counts, and a later query
 * only fills what is still unknown. Views are computed once, into temporary tables: SQLite would
 * compute a common table expression again for every query. An expression is evaluated as a SELECT
 * over the one row of its host, so that a fact's type and collation decide how it compares: a
 * version against a text is still a comparison of versions.
 */
#include "analyzer/database/facts.h"

#include "analyzer/database/database_private.h"
#include "common/arena.h"
#include "common/doc_packed.h"
#include "common/io.h"

/* A facts file has some dozen facts. */
#define FACTS_ARENA_MAX (1024 * 1024)
#define FACTS_MAX       200
#define VIEWS_MAX       20

/* Milliseconds for one query, or one expression; they look at small tables. */
#define FACT_LIMIT_MS 20000

struct fact {
    const char *name, *description; /* description may be "" */
    enum column_type type;
    const char *const *queries;
    size_t query_count;
};

/* What several facts are asked from; there only while they are computed. */
struct fact_view {
    const char *name, *query;
};

struct fact_set {
    struct arena *arena;
    const char *file;
    struct fact_view *views;
    struct fact *facts;
    size_t view_count, count;
};

void *fact_set_free(struct fact_set *facts)
{
    if (!facts)
        return NULL;
    arena_free(facts->arena);
    free(facts);
    return NULL;
}

DEFINE_CLEANUP(fact_set_cleanup, struct fact_set *, fact_set_free)

const char *fact_description(const struct fact_set *facts, const char *name)
{
    for (size_t i = 0; i < facts->count; i++)
        if (strcmp(facts->facts[i].name, name) == 0)
            return facts->facts[i].description;
    return "";
}

/* The name becomes that of a column or a table. */
static int check_name(const struct doc_node *node, const char *name, struct err *err)
{
    static const char letters[] = "abcdefghijklmnopqrstuvwxyz0123456789_";
    if (name[strspn(name, letters)] || strchr("0123456789_", name[0]))
        return doc_fail(node, err, "'%s' cannot be the name of a fact: use a-z, 0-9 and '_'", name);
    if (strcmp(name, "host") == 0)
        return doc_fail(node, err, "a fact cannot be called 'host': that column is there already");
    return 0;
}

static int load_fact(struct arena *arena, const struct doc_node *name, const struct doc_node *node,
                     struct fact *fact, struct err *err)
{
    static const char *const keys[] = {"type", "description", "query", "queries", NULL};
    static const char *const types[] = {"text", "version", "integer", "real", NULL};
    static const enum column_type columns[] = {COLUMN_TEXT, COLUMN_VERSION, COLUMN_INTEGER,
                                               COLUMN_REAL};
    int type = 0;
    fact->description = "";
    int r = check_name(name, name->text, err);
    if (r == 0)
        r = doc_check_keys(node, keys, err);
    if (r == 0 && doc_get(node, "type"))
        r = doc_choice(doc_get(node, "type"), types, &type, err);
    if (r == 0 && doc_get(node, "description"))
        r = doc_string(doc_get(node, "description"), &fact->description, err);
    if (r < 0)
        return r;
    const struct doc_node *queries = doc_get(node, "queries");
    if (!queries == !doc_get(node, "query"))
        return doc_fail(node, err,
                        "a fact has either 'query' or 'queries': SELECT host, value ...");
    fact->name = name->text;
    fact->type = columns[type];
    return doc_strings(queries ? queries : doc_get(node, "query"), arena, &fact->queries,
                       &fact->query_count, err);
}

static int load_views(struct fact_set *set, const struct doc_node *map, struct err *err)
{
    if (map->kind != DOC_MAP || map->count > VIEWS_MAX)
        return doc_fail(map, err, "'views' must be a map of up to %d names with their SELECT",
                        VIEWS_MAX);
    set->views = arena_array(set->arena, map->count + 1, sizeof *set->views);
    if (!set->views)
        return err_nomem(err);
    int r = 0;
    for (size_t i = 0; r == 0 && i < map->count; i++) {
        r = check_name(map->keys[i], map->keys[i]->text, err);
        if (r == 0)
            r = doc_string(map->items[i], &set->views[i].query, err);
        set->views[i].name = map->keys[i]->text;
    }
    set->view_count = map->count;
    return r;
}

static int load_facts(struct fact_set *set, const struct doc_node *root, struct err *err)
{
    static const char *const keys[] = {"views", "facts", NULL};
    int r = doc_check_keys(root, keys, err);
    if (r == 0 && doc_get(root, "views"))
        r = load_views(set, doc_get(root, "views"), err);
    if (r < 0)
        return r;
    const struct doc_node *list = doc_get(root, "facts");
    if (!list || list->kind != DOC_MAP || list->count == 0 || list->count > FACTS_MAX)
        return doc_fail(list ? list : root, err,
                        "'facts' must be a map of 1 to %d facts: name, then type and queries",
                        FACTS_MAX);
    set->facts = arena_array(set->arena, list->count, sizeof *set->facts);
    if (!set->facts)
        return err_nomem(err);
    for (size_t i = 0; r == 0 && i < list->count; i++)
        r = load_fact(set->arena, list->keys[i], list->items[i], &set->facts[i], err);
    set->count = list->count;
    return r;
}

int fact_set_load(const struct embedded_file *file, struct fact_set **ret, struct err *err)
{
    CLEANUP(fact_set_cleanup) struct fact_set *set = calloc(1, sizeof *set);
    if (set)
        set->arena = arena_new(FACTS_ARENA_MAX);
    if (!set || !set->arena)
        return err_nomem(err);
    const struct doc_node *root;
    int r = doc_parse_embedded(set->arena, file->name, file, &root, err);
    if (r == 0)
        r = load_facts(set, root, err);
    if (r < 0)
        return r;
    set->file = file->name;
    *ret = TAKE(set);
    return 0;
}

/* Temporary and empty, with the columns that their queries give. */
static int create_views(const struct fact_set *facts, struct database *database, struct err *err)
{
    int r = 0;
    for (size_t i = 0; r == 0 && i < facts->view_count; i++) {
        char *sql = sqlite3_mprintf("CREATE TEMP TABLE %s AS SELECT * FROM (%s\n) LIMIT 0",
                                    facts->views[i].name, facts->views[i].query);
        r = sql ? database_run(database, sql, err) : err_nomem(err);
        sqlite3_free(sql);
        err_prefix(err, r, "%s: view '%s'", facts->file, facts->views[i].name);
    }
    return r;
}

static int drop_views(const struct fact_set *facts, struct database *database, struct err *err)
{
    int r = 0;
    for (size_t i = 0; r == 0 && i < facts->view_count; i++) {
        char *sql = sqlite3_mprintf("DROP TABLE temp.%s", facts->views[i].name);
        r = sql ? database_run(database, sql, err) : err_nomem(err);
        sqlite3_free(sql);
    }
    return r;
}

/* Adds the tables that one query reads. */
static int add_references(struct database *database, const char *sql, struct table_names *all,
                          struct err *err)
{
    struct table_names names = {0};
    int r = database_references(database, sql, &names, err);
    for (size_t n = 0; r == 0 && n < names.count; n++)
        if (!table_names_add(all, names.names[n]))
            r = err_nomem(err);
    table_names_release(&names);
    return r;
}

int facts_references(const struct fact_set *facts, struct database *database,
                     struct table_names *ret, struct err *err)
{
    struct table_names all = {0};
    int r = create_views(facts, database, err);
    for (size_t i = 0; r == 0 && i < facts->view_count; i++)
        r = add_references(database, facts->views[i].query, &all, err);
    for (size_t i = 0; r == 0 && i < facts->count; i++)
        for (size_t q = 0; r == 0 && q < facts->facts[i].query_count; q++) {
            r = add_references(database, facts->facts[i].queries[q], &all, err);
            err_prefix(err, r, "%s: fact '%s'", facts->file, facts->facts[i].name);
        }
    if (r == 0)
        r = drop_views(facts, database, err);
    if (r < 0)
        table_names_release(&all);
    else
        *ret = all;
    return r;
}

int facts_declare(const struct fact_set *facts, struct database *database, struct err *err)
{
    struct strbuf sql = STRBUF_INIT;
    strbuf_adds(&sql, "CREATE TABLE IF NOT EXISTS facts (host TEXT");
    for (size_t i = 0; i < facts->count; i++)
        strbuf_addf(&sql, ", %s %s", facts->facts[i].name,
                    database_column_type(facts->facts[i].type));
    strbuf_addc(&sql, ')');
    int r = strbuf_ok(&sql) ? database_run(database, sql.data, err) : err_nomem(err);
    strbuf_release(&sql);
    return r;
}

/* Where the values of one query go. */
struct fact_sink {
    struct database *database;
    sqlite3_stmt *update;
    enum column_type type;
};

static int take_value(void *context, const struct result_row *row, struct err *err)
{
    struct fact_sink *sink = context;
    const char *host = NULL, *value = NULL;
    bool has_host = false, has_value = false;
    for (int i = 0; i < row->count; i++) {
        if (strcmp(row->names[i], "host") == 0) {
            host = row->values[i];
            has_host = true;
        } else if (strcmp(row->names[i], "value") == 0) {
            value = row->values[i];
            has_value = true;
        }
    }
    if (!has_host || !has_value)
        return err_set(err, ERR_PARSE, "the query must give the columns 'host' and 'value'");
    if (!host || !value || !*value)
        return 0;
    struct cell cell = {value, strlen(value)};
    int rc = database_bind(sink->update, 1, sink->type, &cell);
    if (rc == SQLITE_OK)
        rc = sqlite3_bind_text(sink->update, 2, host, -1, SQLITE_STATIC);
    if (rc == SQLITE_OK)
        rc = sqlite3_step(sink->update);
    sqlite3_reset(sink->update);
    return rc == SQLITE_DONE ? 0 : database_fail(sink->database, rc, err, "table 'facts'");
}

/* Rows that take too long, or cannot be computed from what is there, are left out. */
static int fill_views(const struct fact_set *facts, struct database *database, struct err *err)
{
    int r = 0;
    for (size_t i = 0; r == 0 && i < facts->view_count; i++) {
        char *sql =
            sqlite3_mprintf("INSERT INTO temp.%s %s", facts->views[i].name, facts->views[i].query);
        struct guard outer = database_guard_begin(database, FACT_LIMIT_MS);
        database->guard.access = ACCESS_OWN;
        if (!sql || database_run(database, sql, NULL) == ERR_NOMEM)
            r = err_nomem(err);
        database_guard_end(database, &outer);
        sqlite3_free(sql);
    }
    return r;
}

/* Whether a query can be prepared: then it failed for what is in the tables. */
static bool is_sound(struct database *database, const char *sql)
{
    sqlite3_stmt *statement = NULL;
    int r = database_prepare_foreign(database, sql, &statement, NULL);
    sqlite3_finalize(statement);
    return r == 0;
}

static int compute(const struct fact *fact, struct database *database, struct err *err)
{
    CLEANUP_STATEMENT sqlite3_stmt *update = NULL;
    char *sql = sqlite3_mprintf("UPDATE facts SET %s = ?1 WHERE host = ?2 AND %s IS NULL",
                                fact->name, fact->name);
    int r = sql ? database_prepare(database, sql, &update, err) : err_nomem(err);
    sqlite3_free(sql);
    struct fact_sink sink = {database, update, fact->type};
    for (size_t i = 0; r == 0 && i < fact->query_count; i++) {
        struct err detail = ERR_INIT;
        r = database_query(database, fact->queries[i], FACT_LIMIT_MS, take_value, &sink, &detail);
        if (r == ERR_TIMEOUT || r == ERR_LIMIT ||
            (r == ERR_PARSE && is_sound(database, fact->queries[i])))
            r = 0; /* it cannot cope with what this report holds: then the fact stays unknown */
        else if (r < 0 && err)
            *err = detail;
    }
    return r;
}

int facts_compute(const struct fact_set *facts, struct database *database, struct err *err)
{
    int r = facts_declare(facts, database, err);
    if (r == 0)
        r = database_run(database,
                         "BEGIN; INSERT INTO facts (host) SELECT host FROM hosts ORDER BY rowid;"
                         "CREATE INDEX facts_by_host ON facts (host)",
                         err);
    if (r == 0)
        r = create_views(facts, database, err);
    if (r == 0)
        r = fill_views(facts, database, err);
    for (size_t i = 0; r == 0 && i < facts->count; i++) {
        r = compute(&facts->facts[i], database, err);
        err_prefix(err, r, "%s: fact '%s'", facts->file, facts->facts[i].name);
    }
    if (r == 0)
        r = drop_views(facts, database, err);
    return r < 0 ? r : database_run(database, "COMMIT", err);
}

const char *facts_get(struct database *database, const char *host, const char *fact)
{
    CLEANUP_STATEMENT sqlite3_stmt *find = NULL;
    strbuf_clear(&database->answer);
    char *sql = sqlite3_mprintf("SELECT \"%w\" FROM facts WHERE host = ?1", fact);
    if (sql && database_prepare(database, sql, &find, NULL) == 0) {
        sqlite3_bind_text(find, 1, host, -1, SQLITE_STATIC);
        if (sqlite3_step(find) == SQLITE_ROW) {
            const char *text = (const char *)sqlite3_column_text(find, 0);
            strbuf_adds(&database->answer, text ? text : "");
        }
    }
    sqlite3_free(sql);
    return strbuf_ok(&database->answer) ? database->answer.data : "";
}

/* Where the truths of hosts go. */
struct truth_sink {
    enum truth *truths;
    size_t count, filled;
};

static int take_truth(void *context, const struct result_row *row, struct err *err)
{
    (void)err;
    struct truth_sink *sink = context;
    if (sink->filled == sink->count)
        return 0;
    enum truth *truth = &sink->truths[sink->filled++];
    if (row->types[0] == SQLITE_NULL)
        *truth = TRUTH_UNKNOWN;
    else
        *truth = row->values[0][0] == '1' ? TRUTH_TRUE : TRUTH_FALSE;
    return 0;
}

static int evaluate(struct database *database, const char *expression, const char *which,
                    struct truth_sink *sink, struct err *err)
{
    /* The newline ends a comment that the expression may end in; NOT NOT makes any value 0 or 1. */
    char *sql = sqlite3_mprintf("SELECT NOT NOT (%s\n) FROM facts %s", expression, which);
    if (!sql)
        return err_nomem(err);
    int r = database_query(database, sql, FACT_LIMIT_MS, take_truth, sink, err);
    sqlite3_free(sql);
    return r;
}

int facts_evaluate(struct database *database, const char *host, const char *expression,
                   enum truth *ret, struct err *err)
{
    enum truth truth = TRUTH_UNKNOWN;
    struct truth_sink sink = {&truth, 1, 0};
    char *which = sqlite3_mprintf("WHERE host = %Q", host);
    int r = which ? evaluate(database, expression, which, &sink, err) : err_nomem(err);
    sqlite3_free(which);
    if (r == 0)
        *ret = truth;
    return r;
}

int facts_evaluate_all(struct database *database, const char *expression, enum truth *ret,
                       size_t count, struct err *err)
{
    struct truth_sink sink = {ret, count, 0};
    for (size_t i = 0; i < count; i++)
        ret[i] = TRUTH_UNKNOWN;
    return evaluate(database, expression, "ORDER BY rowid", &sink, err);
}
