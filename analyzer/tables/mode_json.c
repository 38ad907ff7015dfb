/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * Mode `json`: parts of a JSON document are rows.
 *
 *   items   path of the rows: names parted by dots, `*` for all members or elements
 *           ("drivers.*.variants.*"); without it the whole document is one row
 *   from    (of a column) path inside the item: "version", "status.state"; `^` climbs one step of
 *           `items` out, `$1` is the name or index that the first `*` stood for
 *
 * Strings and numbers become text, true and false 1 and 0, lists and objects JSON text. What is not
 * there is NULL. The file is kept until its end, up to EXTRACT_JSON_MAX bytes.
 */
#include <jansson.h>

#include "analyzer/tables/extract.h"
#include "analyzer/tables/mode.h"
#include "common/strbuf.h"

#define PATH_STEPS_MAX 12

/* jansson's tree takes up to a hundred times the memory of its text: so much is enough for 30 MB.
 */
#define CONTAINERS_MAX 100000 /* objects and arrays */
#define VALUES_MAX     300000

struct json_path {
    const char *steps[PATH_STEPS_MAX];
    int count;
    int climb; /* steps out first */
    int star;  /* > 0: the key of this star, counted from 1 */
};

struct json_options {
    struct json_path items;
    struct json_path *columns;
};

struct json_state {
    const struct table *table;
    struct row_writer *writer;
    struct strbuf text;
    bool too_long;
};

/* Where the walk along `items` is. */
struct walk {
    const struct json_state *state;
    json_t *nodes[PATH_STEPS_MAX + 1]; /* [0] is the document */
    struct strbuf keys[PATH_STEPS_MAX];
    int depth, stars;
    struct cell *cells;
    char **dumps; /* one a column: text that jansson made */
    char (*numbers)[32];
};

static const char *const keys[] = {"items", NULL};

static int parse_path(struct table_loader *loader, const struct doc_node *node, const char *text,
                      struct json_path *ret, struct err *err)
{
    char *copy = arena_strdup(loader_arena(loader), text);
    if (!copy)
        return err_nomem(err);
    struct json_path path = {0};
    if (copy[0] == '$') {
        char *end;
        path.star = (int)strtol(copy + 1, &end, 10);
        if (*end || path.star < 1 || path.star > PATH_STEPS_MAX)
            return doc_fail(node, err, "'%s' is no place in a JSON document: write $1, $2, ...",
                            text);
        *ret = path;
        return 0;
    }
    for (char *step = copy; step;) {
        char *dot = strchr(step, '.');
        if (dot)
            *dot = '\0';
        if (step[0] == '\0' || path.count == PATH_STEPS_MAX)
            return doc_fail(node, err, "'%s' is no path of at most %d names parted by dots", text,
                            PATH_STEPS_MAX);
        if (strcmp(step, "^") == 0 && path.count == 0)
            path.climb++;
        else
            path.steps[path.count++] = step;
        step = dot ? dot + 1 : NULL;
    }
    *ret = path;
    return 0;
}

static int load(struct table_loader *loader, const struct table *table, const struct doc_node *node,
                void **ret_options, struct err *err)
{
    struct json_options *options = arena_alloc(loader_arena(loader), sizeof *options);
    if (!options)
        return err_nomem(err);
    options->columns =
        arena_array(loader_arena(loader), table->column_count, sizeof *options->columns);
    if (!options->columns)
        return err_nomem(err);
    const struct doc_node *items = doc_get(node, "items");
    const char *text;
    int r = 0, stars = 0;
    if (items) {
        r = doc_string(items, &text, err);
        if (r == 0)
            r = parse_path(loader, items, text, &options->items, err);
    }
    for (int i = 0; i < options->items.count; i++)
        stars += strcmp(options->items.steps[i], "*") == 0;
    for (size_t i = 0; r == 0 && i < table->column_count; i++) {
        struct json_path *path = &options->columns[i];
        if (table->sources[i].capture >= 0)
            continue;
        r = parse_path(loader, node, table->sources[i].from, path, err);
        if (r == 0 && (path->climb > options->items.count || path->star > stars))
            r = doc_fail(node, err, "column '%s': '%s' reaches out of 'items'",
                         table->columns[i].name, table->sources[i].from);
    }
    if (r < 0)
        return r;
    *ret_options = options;
    return 0;
}

static int begin(const struct table *table, struct row_writer *writer, void **ret_state,
                 struct err *err)
{
    struct json_state *state = calloc(1, sizeof *state);
    if (!state)
        return err_nomem(err);
    *state = (struct json_state){
        .table = table, .writer = writer, .text = STRBUF_INIT_MAX(EXTRACT_JSON_MAX)};
    *ret_state = state;
    return 0;
}

static int feed(void *opaque, const char *bytes, size_t length, int64_t line, struct err *err)
{
    (void)line;
    struct json_state *state = opaque;
    if (state->too_long || length > EXTRACT_JSON_MAX - state->text.length) {
        state->too_long = true;
        return 0;
    }
    strbuf_add(&state->text, bytes, length);
    return strbuf_ok(&state->text) ? 0 : err_nomem(err);
}

/* The text of a value. Lists and objects become a dump that is freed behind the row. */
static void take_value(struct walk *walk, size_t column, json_t *value)
{
    struct cell *cell = &walk->cells[column];
    char *number = walk->numbers[column];
    switch (value ? json_typeof(value) : JSON_NULL) {
    case JSON_NULL:
        return;
    case JSON_STRING:
        *cell = (struct cell){json_string_value(value), json_string_length(value)};
        return;
    case JSON_TRUE:
    case JSON_FALSE:
        *cell = (struct cell){json_is_true(value) ? "1" : "0", 1};
        return;
    case JSON_INTEGER:
        snprintf(number, sizeof *walk->numbers, "%" JSON_INTEGER_FORMAT, json_integer_value(value));
        break;
    case JSON_REAL:
        snprintf(number, sizeof *walk->numbers, "%.17g", json_real_value(value));
        break;
    case JSON_OBJECT:
    case JSON_ARRAY:
        walk->dumps[column] = json_dumps(value, JSON_COMPACT | JSON_ENCODE_ANY);
        if (walk->dumps[column])
            *cell = (struct cell){walk->dumps[column], strlen(walk->dumps[column])};
        return;
    }
    *cell = (struct cell){number, strlen(number)};
}

static json_t *step_into(json_t *node, const char *step)
{
    if (json_is_object(node))
        return json_object_get(node, step);
    char *end;
    size_t index = strtoul(step, &end, 10);
    return json_is_array(node) && *end == '\0' ? json_array_get(node, index) : NULL;
}

static int emit_item(struct walk *walk, struct err *err)
{
    const struct table *table = walk->state->table;
    const struct json_options *options = table->options;
    for (size_t i = 0; i < table->column_count; i++) {
        const struct json_path *path = &options->columns[i];
        walk->cells[i] = (struct cell){0};
        walk->dumps[i] = NULL;
        if (table->sources[i].capture >= 0)
            continue;
        if (path->star > 0) {
            const struct strbuf *key = &walk->keys[path->star - 1];
            walk->cells[i] = (struct cell){key->data, key->length};
            continue;
        }
        json_t *node = walk->nodes[walk->depth - path->climb];
        for (int k = 0; node && k < path->count; k++)
            node = step_into(node, path->steps[k]);
        take_value(walk, i, node);
    }
    int r = rows_emit(walk->state->writer, table, 0, walk->cells, err);
    for (size_t i = 0; i < table->column_count; i++)
        free(walk->dumps[i]);
    return r;
}

static int walk_items(struct walk *walk, struct err *err);

/* Goes on in one child. A key of a star is kept for the time of the visit. */
static int visit(struct walk *walk, json_t *child, struct err *err)
{
    walk->nodes[++walk->depth] = child;
    int r = walk_items(walk, err);
    walk->depth--;
    return r;
}

static int visit_all(struct walk *walk, json_t *node, struct err *err)
{
    struct strbuf *key = &walk->keys[walk->stars++];
    int r = 0;
    if (json_is_object(node)) {
        for (void *i = json_object_iter(node); i && r == 0; i = json_object_iter_next(node, i)) {
            strbuf_clear(key);
            strbuf_adds(key, json_object_iter_key(i));
            r = strbuf_ok(key) ? visit(walk, json_object_iter_value(i), err) : err_nomem(err);
        }
    } else if (json_is_array(node)) {
        for (size_t i = 0; i < json_array_size(node) && r == 0; i++) {
            strbuf_clear(key);
            strbuf_addf(key, "%zu", i);
            r = strbuf_ok(key) ? visit(walk, json_array_get(node, i), err) : err_nomem(err);
        }
    }
    walk->stars--;
    return r;
}

static int walk_items(struct walk *walk, struct err *err)
{
    const struct json_options *options = walk->state->table->options;
    json_t *node = walk->nodes[walk->depth];
    if (walk->depth == options->items.count)
        return emit_item(walk, err);
    const char *step = options->items.steps[walk->depth];
    if (strcmp(step, "*") == 0)
        return visit_all(walk, node, err);
    json_t *child = step_into(node, step);
    return child ? visit(walk, child, err) : 0;
}

static int walk_document(const struct json_state *state, json_t *document, struct err *err)
{
    size_t count = state->table->column_count;
    struct walk walk = {
        .state = state,
        .nodes = {document},
        .cells = calloc(count, sizeof *walk.cells),
        .dumps = calloc(count, sizeof *walk.dumps),
        .numbers = calloc(count, sizeof *walk.numbers),
    };
    for (size_t i = 0; i < ARRAY_SIZE(walk.keys); i++)
        walk.keys[i] = (struct strbuf)STRBUF_INIT;
    int r = walk.cells && walk.dumps && walk.numbers ? walk_items(&walk, err) : err_nomem(err);
    for (size_t i = 0; i < ARRAY_SIZE(walk.keys); i++)
        strbuf_release(&walk.keys[i]);
    free(walk.cells);
    free(walk.dumps);
    free(walk.numbers);
    return r;
}

static bool has_too_many_values(const struct strbuf *text)
{
    size_t containers = 0, values = 0;
    for (size_t i = 0; i < text->length; i++) {
        containers += text->data[i] == '{' || text->data[i] == '[';
        values += text->data[i] == ',';
    }
    return containers > CONTAINERS_MAX || values > VALUES_MAX;
}

static int finish(void *opaque, bool *malformed, struct err *err)
{
    struct json_state *state = opaque;
    /*
     * An empty file is a program that was not there. Text behind the document is the collector's
     * mark.
     */
    if (state->text.length == 0 && !state->too_long)
        return 0;
    json_error_t error;
    json_t *document = state->too_long || has_too_many_values(&state->text)
                           ? NULL
                           : json_loadb(state->text.data, state->text.length,
                                        JSON_DISABLE_EOF_CHECK | JSON_ALLOW_NUL, &error);
    if (!document) {
        *malformed = true;
        return 0;
    }
    int r = walk_document(state, document, err);
    json_decref(document);
    return r;
}

static void json_free(void *opaque)
{
    struct json_state *state = opaque;
    strbuf_release(&state->text);
    free(state);
}

const struct mode mode_json = {
    .name = "json",
    .keys = keys,
    .load = load,
    .begin = begin,
    .feed = feed,
    .finish = finish,
    .free = json_free,
};
