/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * The inventory: declared in YAML, computed by SQL, shown by the page.
 */
#include "analyzer/database/inventory.h"

#include "analyzer/database/database_private.h"
#include "common/doc_packed.h"

#define PLAN_MEMORY (1024 * 1024)
#define ROWS_MAX    60 /* what a person reads of a host */

#define QUERY_LIMIT_MS 5000

/* Bytes of one value: a list of drivers is long, a dump is none. */
#define VALUE_MAX 400

struct row_plan {
    const char *title, *note;
    bool is_compared;
    const char *const *queries;
    size_t query_count;
};

struct inventory_plan {
    struct arena *arena;
    const char *file;
    struct row_plan *rows;
    size_t row_count;
};

void *inventory_plan_free(struct inventory_plan *plan)
{
    if (plan)
        arena_free(plan->arena);
    free(plan);
    return NULL;
}

DEFINE_CLEANUP(inventory_plan_cleanup, struct inventory_plan *, inventory_plan_free)

static int load_row(struct arena *arena, const struct doc_node *node, struct row_plan *row,
                    struct err *err)
{
    static const char *const keys[] = {"title", "note", "compare", "query", "queries", NULL};
    const struct doc_node *query = doc_get(node, "query"), *queries = doc_get(node, "queries");
    *row = (struct row_plan){.note = "", .is_compared = true};
    int r = doc_check_keys(node, keys, err);
    if (r == 0 && (!doc_get(node, "title") || !query == !queries))
        r = doc_fail(node, err,
                     "a row has a 'title' and either 'query' or 'queries': "
                     "SELECT host, ... AS value FROM ...");
    if (r == 0)
        r = doc_string(doc_get(node, "title"), &row->title, err);
    if (r == 0 && doc_get(node, "note"))
        r = doc_string(doc_get(node, "note"), &row->note, err);
    if (r == 0 && doc_get(node, "compare"))
        r = doc_bool(doc_get(node, "compare"), &row->is_compared, err);
    if (r == 0)
        r = doc_strings(query ? query : queries, arena, &row->queries, &row->query_count, err);
    return r;
}

int inventory_plan_load(const struct embedded_file *file, struct inventory_plan **ret,
                        struct err *err)
{
    static const char *const keys[] = {"rows", NULL};
    CLEANUP(inventory_plan_cleanup) struct inventory_plan *plan = calloc(1, sizeof *plan);
    if (!plan || !(plan->arena = arena_new(PLAN_MEMORY)))
        return err_nomem(err);
    const struct doc_node *root;
    int r = doc_parse_embedded(plan->arena, file->name, file, &root, err);
    if (r == 0)
        r = doc_check_keys(root, keys, err);
    if (r < 0)
        return r;
    const struct doc_node *rows = doc_get(root, "rows");
    if (!rows || rows->kind != DOC_LIST || rows->count == 0 || rows->count > ROWS_MAX)
        return doc_fail(rows ? rows : root, err, "'rows' must be a list of 1 to %d rows", ROWS_MAX);
    plan->file = file->name;
    plan->rows = arena_array(plan->arena, rows->count, sizeof *plan->rows);
    if (!plan->rows)
        return err_nomem(err);
    for (; r == 0 && plan->row_count < rows->count; plan->row_count++)
        r = load_row(plan->arena, rows->items[plan->row_count], &plan->rows[plan->row_count], err);
    if (r == 0)
        *ret = TAKE(plan);
    return r;
}

int inventory_references(const struct inventory_plan *plan, struct database *database,
                         struct table_names *ret, struct err *err)
{
    struct table_names all = {0};
    int r = 0;
    for (size_t i = 0; r == 0 && i < plan->row_count; i++)
        for (size_t q = 0; r == 0 && q < plan->rows[i].query_count; q++) {
            struct table_names names = {0};
            r = database_references(database, plan->rows[i].queries[q], &names, err);
            err_prefix(err, r, "%s: row '%s'", plan->file, plan->rows[i].title);
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

/* Where the values of a row go. */
struct value_sink {
    struct inventory_row *row;
    const char *const *hosts;
    size_t host_count;
    struct arena *arena;
};

static int take_value(void *context, const struct result_row *result, struct err *err)
{
    struct value_sink *sink = context;
    const char *host = NULL, *value = NULL;
    for (int i = 0; i < result->count; i++)
        if (strcmp(result->names[i], "host") == 0)
            host = result->values[i];
        else if (strcmp(result->names[i], "value") == 0)
            value = result->values[i];
    for (size_t i = 0; host && value && *value && i < sink->host_count; i++) {
        if (*sink->row->values[i] || strcmp(sink->hosts[i], host) != 0)
            continue;
        sink->row->values[i] = arena_printf(sink->arena, "%.*s%s", VALUE_MAX, value,
                                            strlen(value) > VALUE_MAX ? " ..." : "");
        if (!sink->row->values[i])
            return err_nomem(err);
    }
    return 0;
}

static int compute(const struct row_plan *plan, struct database *database, struct value_sink *sink,
                   struct err *err)
{
    sink->row->values = arena_array(sink->arena, sink->host_count + 1, sizeof *sink->row->values);
    if (!sink->row->values)
        return err_nomem(err);
    for (size_t i = 0; i < sink->host_count; i++)
        sink->row->values[i] = "";
    for (size_t i = 0; i < plan->query_count; i++) {
        struct err detail = ERR_INIT;
        int r =
            database_query(database, plan->queries[i], QUERY_LIMIT_MS, take_value, sink, &detail);
        if (r == ERR_NOMEM)
            return err_nomem(err);
    }
    return 0;
}

int inventory_compute(const struct inventory_plan *plan, struct database *database,
                      const char *const *hosts, size_t host_count, struct arena *arena,
                      const struct inventory **ret, struct err *err)
{
    struct inventory *inventory = arena_alloc(arena, sizeof *inventory);
    if (!inventory ||
        !(inventory->rows = arena_array(arena, plan->row_count, sizeof(struct inventory_row))))
        return err_nomem(err);
    inventory->host_count = host_count;
    int r = 0;
    for (size_t i = 0; r == 0 && i < plan->row_count; i++) {
        struct inventory_row *row = &inventory->rows[inventory->row_count++];
        /* The arena of the result outlives the plan's. */
        row->title = arena_strdup(arena, plan->rows[i].title);
        row->note = arena_strdup(arena, plan->rows[i].note);
        row->is_compared = plan->rows[i].is_compared;
        if (!row->title || !row->note)
            return err_nomem(err);
        struct value_sink sink = {row, hosts, host_count, arena};
        r = compute(&plan->rows[i], database, &sink, err);
    }
    if (r == 0)
        *ret = inventory;
    return r;
}
