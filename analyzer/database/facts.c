/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * The facts: declared in YAML, computed by SQL, asked by rules.
 *
 * Each query gives columns `host` and `value`; the first value of a host counts, and a later query
 * only fills what is still unknown. An expression is evaluated as a SELECT over the one row of its
 * host, so that a fact's type and collation decide how it compares: a version against a text is
 * still a comparison of versions.
 */
#include "analyzer/database/facts.h"

#include "analyzer/database/database_private.h"
#include "common/arena.h"
#include "common/doc.h"
#include "common/io.h"

/* A facts file has some dozen facts. */
#define FACTS_ARENA_MAX (1024 * 1024)
#define FACTS_MAX       200

/* Milliseconds for one query, or one expression; they look at small tables. */
#define FACT_LIMIT_MS 20000

struct fact {
    const char *name;
    enum column_type type;
    const char *const *queries;
    size_t query_count;
};

struct fact_set {
    struct arena *arena;
    const char *file;
    struct fact *facts;
    size_t count;
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

/* The name becomes a column; NULL ends the list of keys a fact has. */
static int check_name(const struct doc_node *node, const char *name, struct err *err)
{
    static const char letters[] = "abcdefghijklmnopqrstuvwxyz0123456789_";
    if (name[strspn(name, letters)] || strchr("0123456789_", name[0]))
        return doc_fail(node, err, "'%s' cannot be the name of a fact: use a-z, 0-9 and '_'", name);
    if (strcmp(name, "host") == 0)
        return doc_fail(node, err, "a fact cannot be called 'host': that column is there already");
    return 0;
}

/* Each query behind the common table expressions that all of them may use. */
static int load_queries(struct arena *arena, const char *with, const struct doc_node *node,
                        struct fact *fact, struct err *err)
{
    const char *const *texts;
    int r = doc_strings(node, arena, &texts, &fact->query_count, err);
    if (r < 0)
        return r;
    const char **queries = arena_array(arena, fact->query_count + 1, sizeof *queries);
    for (size_t i = 0; queries && i < fact->query_count; i++) {
        queries[i] = with ? arena_printf(arena, "WITH %s\n%s", with, texts[i]) : texts[i];
        if (!queries[i])
            return err_nomem(err);
    }
    fact->queries = queries;
    return queries ? 0 : err_nomem(err);
}

static int load_fact(struct arena *arena, const char *with, const struct doc_node *name,
                     const struct doc_node *node, struct fact *fact, struct err *err)
{
    static const char *const keys[] = {"type", "description", "query", "queries", NULL};
    static const char *const types[] = {"text", "version", "integer", "real", NULL};
    static const enum column_type columns[] = {COLUMN_TEXT, COLUMN_VERSION, COLUMN_INTEGER,
                                               COLUMN_REAL};
    int type = 0;
    const char *description;
    int r = check_name(name, name->text, err);
    if (r == 0)
        r = doc_check_keys(node, keys, err);
    if (r == 0 && doc_get(node, "type"))
        r = doc_choice(doc_get(node, "type"), types, &type, err);
    if (r == 0 && doc_get(node, "description"))
        r = doc_string(doc_get(node, "description"), &description, err);
    if (r < 0)
        return r;
    const struct doc_node *queries = doc_get(node, "queries");
    if (!queries == !doc_get(node, "query"))
        return doc_fail(node, err,
                        "a fact has either 'query' or 'queries': SELECT host, value ...");
    fact->name = name->text;
    fact->type = columns[type];
    return load_queries(arena, with, queries ? queries : doc_get(node, "query"), fact, err);
}

static int load_facts(struct fact_set *set, const struct doc_node *root, struct err *err)
{
    static const char *const keys[] = {"with", "facts", NULL};
    const char *with = NULL;
    int r = doc_check_keys(root, keys, err);
    if (r == 0 && doc_get(root, "with"))
        r = doc_string(doc_get(root, "with"), &with, err);
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
        r = load_fact(set->arena, with, list->keys[i], list->items[i], &set->facts[i], err);
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
    int r =
        doc_parse(set->arena, file->name, file->data, (size_t)(file->end - file->data), &root, err);
    if (r == 0)
        r = load_facts(set, root, err);
    if (r < 0)
        return r;
    set->file = file->name;
    *ret = TAKE(set);
    return 0;
}

int facts_references(const struct fact_set *facts, struct database *database,
                     struct table_names *ret, struct err *err)
{
    struct table_names all = {0};
    int r = 0;
    for (size_t i = 0; r == 0 && i < facts->count; i++)
        for (size_t q = 0; r == 0 && q < facts->facts[i].query_count; q++) {
            struct table_names names = {0};
            r = database_references(database, facts->facts[i].queries[q], &names, err);
            if (r < 0)
                err_prefix(err, "%s: fact '%s'", facts->file, facts->facts[i].name);
            for (size_t n = 0; r == 0 && n < names.count; n++)
                if (!table_names_add(&all, names.names[n]))
                    r = err_nomem(err);
            table_names_release(&names);
        }
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
        r = database_run(database, "BEGIN; INSERT INTO facts (host) SELECT host FROM hosts", err);
    for (size_t i = 0; r == 0 && i < facts->count; i++) {
        r = compute(&facts->facts[i], database, err);
        if (r < 0)
            err_prefix(err, "%s: fact '%s'", facts->file, facts->facts[i].name);
    }
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

static int take_truth(void *context, const struct result_row *row, struct err *err)
{
    (void)err;
    enum truth *truth = context;
    if (row->types[0] == SQLITE_NULL)
        *truth = TRUTH_UNKNOWN;
    else
        *truth = row->values[0][0] == '1' ? TRUTH_TRUE : TRUTH_FALSE;
    return 0;
}

int facts_evaluate(struct database *database, const char *host, const char *expression,
                   enum truth *ret, struct err *err)
{
    /* The newline ends a comment that the expression may end in; NOT NOT makes any value 0 or 1. */
    char *sql =
        sqlite3_mprintf("SELECT NOT NOT (%s\n) FROM facts WHERE host = %Q", expression, host);
    if (!sql)
        return err_nomem(err);
    enum truth truth = TRUTH_UNKNOWN;
    int r = database_query(database, sql, FACT_LIMIT_MS, take_truth, &truth, err);
    sqlite3_free(sql);
    if (r == 0)
        *ret = truth;
    return r;
}
