/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * Builds the tree from libyaml's events. The event interface is used on purpose: libyaml's document
 * loader takes quadratic time on deep nesting (20 000 brackets: seconds), while events with a depth
 * limit do not.
 */
#include "common/doc.h"

#include <stdarg.h>
#include <yaml.h>

#include "common/suggest.h"
#include "common/units.h"
#include "common/vec.h"

#define MAX_BYTES (1024 * 1024) /* the largest hand-written file is some 50 KB */
#define MAX_DEPTH 32            /* rules need about six */
#define MAX_KEYS  1000          /* of one map; each new key is compared with all before it */
#define MAX_NODES 100000        /* with the byte limit: bounds memory to a few MB */

typedef VEC(struct doc_node *) node_list;

struct open_collection {
    struct doc_node *node;
    node_list items, keys;
    struct doc_node *key; /* map: read, and waiting for its value */
};

struct builder {
    struct arena *arena;
    const char *name;
    yaml_parser_t parser;
    struct open_collection open[MAX_DEPTH];
    int depth;
    size_t nodes;
    struct doc_node *root;
};

static int fail_at(const struct builder *b, const yaml_mark_t *mark, struct err *err,
                   const char *text)
{
    return err_set_at(err, ERR_PARSE, b->name, (int)mark->line + 1, (int)mark->column + 1, "%s",
                      text);
}

static struct doc_node *new_node(struct builder *b, enum doc_kind kind, const yaml_mark_t *mark)
{
    struct doc_node *node = arena_alloc(b->arena, sizeof *node);
    if (!node)
        return NULL;
    node->kind = kind;
    node->file = b->name;
    node->line = (int)mark->line + 1;
    node->column = (int)mark->column + 1;
    return node;
}

/* Hangs a finished node into the collection that is open, or makes it the root. */
static int attach(struct builder *b, struct doc_node *node, struct err *err)
{
    if (b->depth == 0) {
        b->root = node;
        return 0;
    }
    struct open_collection *open = &b->open[b->depth - 1];
    if (open->node->kind == DOC_MAP && !open->key) {
        if (node->kind != DOC_SCALAR)
            return doc_fail(node, err, "a key must be a plain word, not a list or a map");
        if (strcmp(node->text, "<<") == 0)
            return doc_fail(node, err, "merge keys ('<<') are not supported; write the keys out");
        for (size_t i = 0; i < open->keys.count; i++)
            if (strcmp(open->keys.items[i]->text, node->text) == 0)
                return doc_fail(node, err, "key '%s' stands here twice (first in line %d)",
                                node->text, open->keys.items[i]->line);
        if (open->keys.count == MAX_KEYS)
            return doc_fail(node, err, "too many keys in one map (limit: 1000)");
        open->key = node;
        return 0;
    }
    if (open->node->kind == DOC_MAP) {
        struct doc_node **key = vec_push(&open->keys);
        if (!key)
            return err_nomem(err);
        *key = TAKE(open->key);
    }
    struct doc_node **slot = vec_push(&open->items);
    if (!slot)
        return err_nomem(err);
    *slot = node;
    return 0;
}

static int begin_collection(struct builder *b, enum doc_kind kind, const yaml_event_t *event,
                            struct err *err)
{
    if (b->depth == MAX_DEPTH)
        return fail_at(b, &event->start_mark, err, "nested too deeply (limit: 32 levels)");
    struct doc_node *node = new_node(b, kind, &event->start_mark);
    if (!node)
        return err_nomem(err);
    int r = attach(b, node, err);
    if (r < 0)
        return r;
    b->open[b->depth++] = (struct open_collection){.node = node};
    return 0;
}

static int end_collection(struct builder *b, struct err *err)
{
    struct open_collection *open = &b->open[b->depth - 1];
    struct doc_node *node = open->node;
    node->count = open->items.count;
    node->items = arena_array(b->arena, node->count + 1, sizeof *node->items);
    node->keys = arena_array(b->arena, open->keys.count + 1, sizeof *node->keys);
    if (!node->items || !node->keys)
        return err_nomem(err);
    if (node->count)
        memcpy(node->items, open->items.items, node->count * sizeof *node->items);
    if (open->keys.count)
        memcpy(node->keys, open->keys.items, open->keys.count * sizeof *node->keys);
    vec_free(&open->items);
    vec_free(&open->keys);
    b->depth--;
    return 0;
}

static int add_scalar(struct builder *b, const yaml_event_t *event, struct err *err)
{
    struct doc_node *node = new_node(b, DOC_SCALAR, &event->start_mark);
    if (!node)
        return err_nomem(err);
    node->text = arena_memdup(b->arena, event->data.scalar.value, event->data.scalar.length);
    if (!node->text)
        return err_nomem(err);
    node->length = event->data.scalar.length;
    node->plain = event->data.scalar.style == YAML_PLAIN_SCALAR_STYLE;
    if (strlen(node->text) != node->length)
        return doc_fail(node, err, "a text may not hold a NUL byte");
    return attach(b, node, err);
}

static bool has_anchor_or_tag(const yaml_event_t *event)
{
    switch (event->type) {
    case YAML_SCALAR_EVENT:
        return event->data.scalar.anchor || event->data.scalar.tag;
    case YAML_SEQUENCE_START_EVENT:
        return event->data.sequence_start.anchor || event->data.sequence_start.tag;
    case YAML_MAPPING_START_EVENT:
        return event->data.mapping_start.anchor || event->data.mapping_start.tag;
    default:
        return false;
    }
}

static int take_event(struct builder *b, const yaml_event_t *event, bool *ret_done, struct err *err)
{
    if (++b->nodes > MAX_NODES)
        return fail_at(b, &event->start_mark, err, "too many values (limit: 100000)");
    if (has_anchor_or_tag(event))
        return fail_at(b, &event->start_mark, err,
                       "anchors ('&') and tags ('!') are not supported; write the value out");
    switch (event->type) {
    case YAML_SCALAR_EVENT:
        return add_scalar(b, event, err);
    case YAML_SEQUENCE_START_EVENT:
        return begin_collection(b, DOC_LIST, event, err);
    case YAML_MAPPING_START_EVENT:
        return begin_collection(b, DOC_MAP, event, err);
    case YAML_SEQUENCE_END_EVENT:
    case YAML_MAPPING_END_EVENT:
        return end_collection(b, err);
    case YAML_ALIAS_EVENT:
        return fail_at(b, &event->start_mark, err,
                       "aliases ('*') are not supported; write the value out");
    case YAML_DOCUMENT_START_EVENT:
        if (b->root)
            return fail_at(b, &event->start_mark, err,
                           "a second document in one file; use a file for each");
        return 0;
    case YAML_STREAM_END_EVENT:
        *ret_done = true;
        return 0;
    default:
        return 0;
    }
}

/* What people mean when they write what the parser does not understand. */
static const char *remedy(const char *problem)
{
    static const struct {
        const char *problem, *remedy;
    } hints[] = {
        {"cannot start any token",
         "; indent with blanks, not tabs, and quote a value that begins with @, ` or %"},
        {"unknown escape character", "; put a regular expression in single quotes"},
        {"mapping values are not allowed",
         "; is the indentation right? A value that holds ': ' needs quotes"},
        {"did not find expected key",
         "; is the indentation right (a text that begins with blanks is |2), or does a value need "
         "quotes?"},
        {"did not find expected ',' or",
         "; is it closed? Inside [] and {} quote what holds one of {}[],"},
        {"unexpected end of stream", "; a quote further up is not closed"},
        {"could not find expected ':'", "; write ': ' behind a key, or quotes around a text"},
        {"did not find expected node content",
         "; is the bracket in front closed, or does a value need quotes?"},
    };
    for (size_t i = 0; i < ARRAY_SIZE(hints); i++)
        if (strstr(problem, hints[i].problem))
            return hints[i].remedy;
    return "";
}

static int build(struct builder *b, struct err *err)
{
    for (bool done = false; !done;) {
        yaml_event_t event;
        if (!yaml_parser_parse(&b->parser, &event)) {
            if (b->parser.error == YAML_MEMORY_ERROR)
                return err_nomem(err);
            const yaml_mark_t *mark = &b->parser.problem_mark;
            if (b->parser.error == YAML_READER_ERROR)
                return err_set_at(err, ERR_PARSE, b->name, 0, 0, "not YAML text: %s at byte %zu",
                                  b->parser.problem, b->parser.problem_offset);
            return err_set_at(
                err, ERR_PARSE, b->name, (int)mark->line + 1, (int)mark->column + 1,
                "not valid YAML: %s%s%s%s", b->parser.problem, b->parser.context ? " " : "",
                b->parser.context ? b->parser.context : "", remedy(b->parser.problem));
        }
        int r = take_event(b, &event, &done, err);
        yaml_event_delete(&event);
        if (r < 0)
            return r;
    }
    if (!b->root)
        return err_set_at(err, ERR_PARSE, b->name, 1, 1, "the file is empty");
    return 0;
}

bool doc_is_file_name(const char *name)
{
    static const char suffix[] = ".yaml";
    size_t length = strlen(name), rest = sizeof suffix - 1;
    return name[0] != '.' && length > rest && strcmp(name + length - rest, suffix) == 0;
}

int doc_parse(struct arena *arena, const char *name, const char *bytes, size_t length,
              const struct doc_node **ret_root, struct err *err)
{
    struct builder b = {.arena = arena, .name = arena_strdup(arena, name)};
    if (!b.name)
        return err_nomem(err);
    if (length > MAX_BYTES)
        return err_set_at(err, ERR_LIMIT, name, 0, 0, "larger than 1 MiB; split it");
    if (!yaml_parser_initialize(&b.parser))
        return err_nomem(err);
    yaml_parser_set_input_string(&b.parser, (const unsigned char *)bytes, length);
    int r = build(&b, err);
    while (b.depth > 0) {
        b.depth--;
        vec_free(&b.open[b.depth].items);
        vec_free(&b.open[b.depth].keys);
    }
    yaml_parser_delete(&b.parser);
    if (r == 0)
        *ret_root = b.root;
    return r;
}

const struct doc_node *doc_get(const struct doc_node *map, const char *key)
{
    if (!map || map->kind != DOC_MAP)
        return NULL;
    for (size_t i = 0; i < map->count; i++)
        if (strcmp(map->keys[i]->text, key) == 0)
            return map->items[i];
    return NULL;
}

int doc_fail(const struct doc_node *node, struct err *err, const char *format, ...)
{
    char text[400];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    return err_set_at(err, ERR_PARSE, node->file, node->line, node->column, "%s", text);
}

static bool is_listed(const char *key, const char *const *allowed)
{
    for (; *allowed; allowed++)
        if (strcmp(*allowed, key) == 0)
            return true;
    return false;
}

int doc_check_keys(const struct doc_node *map, const char *const *allowed, struct err *err)
{
    if (map->kind != DOC_MAP)
        return doc_fail(map, err, "expected a map ('key: value' lines)");
    for (size_t i = 0; i < map->count; i++) {
        const char *key = map->keys[i]->text;
        if (is_listed(key, allowed))
            continue;
        const char *nearest = suggest_nearest(key, allowed);
        if (nearest)
            return doc_fail(map->keys[i], err, "unknown key '%s'; did you mean '%s'?", key,
                            nearest);
        char list[256] = "";
        for (const char *const *word = allowed; *word; word++) {
            size_t used = strlen(list);
            snprintf(list + used, sizeof list - used, "%s%s", used ? ", " : "", *word);
        }
        return doc_fail(map->keys[i], err, "unknown key '%s'; known here: %s", key, list);
    }
    return 0;
}

int doc_string(const struct doc_node *node, const char **ret, struct err *err)
{
    if (node->kind != DOC_SCALAR || node->length == 0)
        return doc_fail(node, err, "expected a text");
    *ret = node->text;
    return 0;
}

int doc_strings(const struct doc_node *node, struct arena *arena, const char *const **ret,
                size_t *ret_count, struct err *err)
{
    if (node->kind == DOC_MAP)
        return doc_fail(node, err, "expected a text or a list of texts");
    size_t count = node->kind == DOC_LIST ? node->count : 1;
    const char **texts = arena_array(arena, count + 1, sizeof *texts);
    if (!texts)
        return err_nomem(err);
    for (size_t i = 0; i < count; i++) {
        int r = doc_string(node->kind == DOC_LIST ? node->items[i] : node, &texts[i], err);
        if (r < 0)
            return r;
    }
    *ret = texts;
    if (ret_count)
        *ret_count = count;
    return 0;
}

int doc_bool(const struct doc_node *node, bool *ret, struct err *err)
{
    static const char *const words[] = {"false", "no", "true", "yes"};
    for (unsigned i = 0; node->kind == DOC_SCALAR && i < ARRAY_SIZE(words); i++)
        if (strcmp(node->text, words[i]) == 0) {
            *ret = i >= 2;
            return 0;
        }
    return doc_fail(node, err, "expected true or false");
}

int doc_integer(const struct doc_node *node, int64_t *ret, struct err *err)
{
    if (node->kind != DOC_SCALAR || !units_integer(node->text, ret))
        return doc_fail(node, err, "expected a whole number");
    return 0;
}

static bool is_minus_one(const struct doc_node *node)
{
    return node->kind == DOC_SCALAR && strcmp(node->text, "-1") == 0;
}

int doc_bytes(const struct doc_node *node, int64_t *ret, struct err *err)
{
    if (is_minus_one(node))
        *ret = -1;
    else if (node->kind != DOC_SCALAR || !units_bytes(node->text, ret))
        return doc_fail(node, err, "expected a size such as 4096, 20K or 8M (or -1: not known)");
    return 0;
}

int doc_seconds(const struct doc_node *node, int64_t *ret, struct err *err)
{
    if (is_minus_one(node))
        *ret = -1;
    else if (node->kind != DOC_SCALAR || !units_seconds(node->text, ret))
        return doc_fail(node, err, "expected a time such as 30, 10m or 2h (or -1: not known)");
    return 0;
}

int doc_choice(const struct doc_node *node, const char *const *names, int *ret, struct err *err)
{
    char list[200] = "";
    for (int i = 0; names[i]; i++) {
        if (node->kind == DOC_SCALAR && strcmp(node->text, names[i]) == 0) {
            *ret = i;
            return 0;
        }
        size_t used = strlen(list);
        snprintf(list + used, sizeof list - used, "%s%s", used ? ", " : "", names[i]);
    }
    return doc_fail(node, err, "expected one of: %s", list);
}
