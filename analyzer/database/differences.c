/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * Both sides of an area are read into sorted lists, and the lists are walked together.
 */
#include "analyzer/database/differences.h"

#include <stdlib.h>
#include <string.h>

#include "analyzer/database/database_private.h"
#include "common/doc_packed.h"
#include "common/io.h"
#include "common/vec.h"

#define PLAN_MEMORY (1024 * 1024)
#define AREAS_MAX   50

/* Rows of one area of one side: 64 hosts with 700 packages are 45 000. */
#define ROWS_MAX       200000
#define ROWS_MEMORY    (128 * 1024 * 1024)
#define QUERY_LIMIT_MS 10000

struct area {
    const char *name, *query;
    const struct doc_node *node;
};

struct difference_plan {
    struct arena *arena;
    struct area *areas;
    size_t count;
};

void *difference_plan_free(struct difference_plan *plan)
{
    if (plan)
        arena_free(plan->arena);
    free(plan);
    return NULL;
}

static int load_area(const struct doc_node *node, struct area *area, struct err *err)
{
    static const char *const keys[] = {"area", "query", NULL};
    int r = doc_check_keys(node, keys, err);
    area->node = node;
    if (r == 0 && (!doc_get(node, "area") || !doc_get(node, "query")))
        r = doc_fail(node, err, "expected 'area' and 'query': SELECT host, object, value FROM ...");
    if (r == 0)
        r = doc_string(doc_get(node, "area"), &area->name, err);
    return r < 0 ? r : doc_string(doc_get(node, "query"), &area->query, err);
}

static int load(struct difference_plan *plan, const struct embedded_file *file, struct err *err)
{
    const struct doc_node *root;
    int r = doc_parse_embedded(plan->arena, file->name, file, &root, err);
    if (r < 0)
        return r;
    if (root->kind != DOC_LIST || root->count > AREAS_MAX)
        return doc_fail(root, err, "expected a list of at most %d areas", AREAS_MAX);
    plan->areas = arena_array(plan->arena, root->count + 1, sizeof *plan->areas);
    if (!plan->areas)
        return err_nomem(err);
    for (; r == 0 && plan->count < root->count; plan->count++)
        r = load_area(root->items[plan->count], &plan->areas[plan->count], err);
    return r;
}

int difference_plan_load(const struct embedded_file *file, struct difference_plan **ret,
                         struct err *err)
{
    struct difference_plan *plan = calloc(1, sizeof *plan);
    if (!plan || !(plan->arena = arena_new(PLAN_MEMORY))) {
        difference_plan_free(plan);
        return err_nomem(err);
    }
    int r = load(plan, file, err);
    if (r < 0)
        difference_plan_free(plan);
    else
        *ret = plan;
    return r;
}

int difference_references(const struct difference_plan *plan, struct database *database,
                          struct table_names *ret, struct err *err)
{
    struct table_names all = {0};
    for (size_t i = 0; i < plan->count; i++) {
        struct err detail = ERR_INIT;
        struct table_names names = {0};
        int r = database_references(database, plan->areas[i].query, &names, &detail);
        for (size_t n = 0; r == 0 && n < names.count; n++)
            if (!table_names_add(&all, names.names[n]))
                r = err_nomem(&detail);
        table_names_release(&names);
        if (r < 0) {
            table_names_release(&all);
            return doc_fail(plan->areas[i].node, err, "%s", detail.text);
        }
    }
    *ret = all;
    return 0;
}

struct row {
    const char *host, *object, *value;
};

struct side {
    struct arena *arena;
    VEC(struct row) rows;
};

static void side_release(struct side *side)
{
    vec_free(&side->rows);
    arena_free(side->arena);
}

static const char *keep(struct side *side, const char *text)
{
    return arena_strdup(side->arena, text ? text : "");
}

static int on_row(void *context, const struct result_row *row, struct err *err)
{
    struct side *side = context;
    if (row->count != 3)
        return err_set(err, ERR_PARSE, "the query must give host, object and value");
    if (side->rows.count == ROWS_MAX || !row->values[0] || !row->values[1])
        return 0;
    struct row *slot = vec_push(&side->rows);
    if (!slot)
        return err_nomem(err);
    *slot = (struct row){keep(side, row->values[0]), keep(side, row->values[1]),
                         keep(side, row->values[2])};
    return slot->host && slot->object && slot->value ? 0 : err_nomem(err);
}

static int compare_objects(const struct row *a, const struct row *b)
{
    int order = strcmp(a->host, b->host);
    return order ? order : strcmp(a->object, b->object);
}

static int compare_rows(const void *a, const void *b)
{
    const struct row *left = a, *right = b;
    int order = compare_objects(left, right);
    return order ? order : strcmp(left->value, right->value);
}

/* One row an object: "4.19.0, 4.19.19" for two kernels. */
static int join_values(struct side *side, struct err *err)
{
    size_t kept = 0;
    for (size_t i = 0; i < side->rows.count; i++) {
        struct row *row = &side->rows.items[i];
        struct row *last = kept ? &side->rows.items[kept - 1] : NULL;
        if (!last || compare_objects(last, row) != 0) {
            side->rows.items[kept++] = *row;
        } else if (strcmp(side->rows.items[i - 1].value, row->value) != 0) {
            last->value = arena_printf(side->arena, "%s, %s", last->value, row->value);
            if (!last->value)
                return err_nomem(err);
        }
    }
    side->rows.count = kept;
    return 0;
}

static int read_side(struct side *side, struct database *database, const struct area *area,
                     struct err *err)
{
    struct err detail = ERR_INIT;
    side->arena = arena_new(ROWS_MEMORY);
    if (!side->arena)
        return err_nomem(err);
    int r = database_query(database, area->query, QUERY_LIMIT_MS, on_row, side, &detail);
    if (r < 0)
        return r == ERR_NOMEM ? err_nomem(err) : doc_fail(area->node, err, "%s", detail.text);
    if (side->rows.count)
        qsort(side->rows.items, side->rows.count, sizeof *side->rows.items, compare_rows);
    return join_values(side, err);
}

/* Rows of the host that begin at `from`. */
static size_t host_end(const struct side *side, size_t from)
{
    size_t i = from;
    while (i < side->rows.count &&
           strcmp(side->rows.items[i].host, side->rows.items[from].host) == 0)
        i++;
    return i;
}

struct search {
    difference_sink sink;
    void *context;
    size_t told, dropped;
};

static int tell(struct search *search, const struct area *area, const struct row *before,
                const struct row *now, struct err *err)
{
    if (before && now && strcmp(before->value, now->value) == 0)
        return 0;
    if (search->told == DIFFERENCES_MAX) {
        search->dropped++;
        return 0;
    }
    search->told++;
    const struct row *any = now ? now : before;
    struct database_difference difference = {
        any->host, area->name, any->object, before ? before->value : NULL, now ? now->value : NULL};
    return search->sink(search->context, &difference, err);
}

/* Rows of one host on both sides. */
static int compare_host(struct search *search, const struct area *area, const struct row *before,
                        const struct row *before_end, const struct row *now,
                        const struct row *now_end, struct err *err)
{
    int r = 0;
    while (r == 0 && (before < before_end || now < now_end)) {
        int order = before == before_end ? 1 : now == now_end ? -1 : compare_objects(before, now);
        r = tell(search, area, order <= 0 ? before : NULL, order >= 0 ? now : NULL, err);
        before += order <= 0;
        now += order >= 0;
    }
    return r;
}

static int compare_area(struct search *search, const struct area *area, const struct side *before,
                        const struct side *now, struct err *err)
{
    int r = 0;
    for (size_t b = 0, n = 0; r == 0 && b < before->rows.count && n < now->rows.count;) {
        size_t b_end = host_end(before, b), n_end = host_end(now, n);
        int order = strcmp(before->rows.items[b].host, now->rows.items[n].host);
        if (order == 0)
            r = compare_host(search, area, &before->rows.items[b], &before->rows.items[b_end],
                             &now->rows.items[n], &now->rows.items[n_end], err);
        b = order <= 0 ? b_end : b;
        n = order >= 0 ? n_end : n;
    }
    return r;
}

int differences_find(const struct difference_plan *plan, struct database *before,
                     struct database *now, difference_sink sink, void *context, size_t *ret_dropped,
                     struct err *err)
{
    struct search search = {.sink = sink, .context = context};
    int r = 0;
    for (size_t i = 0; r == 0 && i < plan->count; i++) {
        CLEANUP(side_release) struct side left = {0}, right = {0};
        r = read_side(&left, before, &plan->areas[i], err);
        if (r == 0)
            r = read_side(&right, now, &plan->areas[i], err);
        if (r == 0)
            r = compare_area(&search, &plan->areas[i], &left, &right, err);
    }
    *ret_dropped = search.dropped;
    return r;
}
