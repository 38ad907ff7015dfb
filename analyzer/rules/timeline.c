/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * Reads rules/timeline.yaml. Everything that can be checked without tables is checked here; a query
 * is checked when it is first prepared.
 */
#include "analyzer/rules/timeline.h"

#include <fnmatch.h>

#include "analyzer/rules/rule_private.h"

/* The page has a row a kind and host; more kinds than this nobody tells apart. */
#define KINDS_MAX 8

#define MERGE_DEFAULT_S 60
#define GAP_DEFAULT_S   (3 * 3600)

const char *const timeline_shapes[] = {"triangle", "diamond", "cross", "square",
                                       "circle",   "ring",    "bar",   NULL};
const char *const timeline_colours[] = {"blue", "purple", "red", "orange", "teal", "grey", NULL};

static const char *const nothing[] = {NULL};

static int load_texts(struct rule_set *set, const struct doc_node *map, const char *key,
                      const char *const **ret, struct err *err)
{
    const struct doc_node *node = doc_get(map, key);
    size_t ignored;
    *ret = nothing;
    return node ? doc_strings(node, set->arena, ret, &ignored, err) : 0;
}

static int load_log(struct rule_set *set, const struct doc_node *node,
                    struct timeline_source *source, struct err *err)
{
    static const char *const keys[] = {"files", "match", "unless", "examples", "others", NULL};
    const struct doc_node *files = doc_get(node, "files"), *match = doc_get(node, "match");
    const struct doc_node *unless = doc_get(node, "unless");
    int r = doc_check_keys(node, keys, err);
    if (r == 0 && (!files || !match || !doc_get(node, "examples")))
        r = doc_fail(node, err, "a log source needs 'files', 'match' and 'examples'");
    if (r == 0)
        r = log_groups_expand(set, files, &source->log.files, &source->log.file_count, err);
    if (r == 0)
        r = rule_set_regex(set, match, &source->log.match, err);
    if (r == 0 && unless)
        r = rule_set_regex(set, unless, &source->log.unless, err);
    if (r == 0)
        r = load_texts(set, node, "examples", &source->examples, err);
    if (r == 0)
        r = load_texts(set, node, "others", &source->others, err);
    source->log.alias = "log";
    source->log.match_node = match;
    return r;
}

static int load_findings(struct rule_set *set, const struct doc_node *node,
                         struct timeline_source *source, struct err *err)
{
    static const char *const keys[] = {"rules", "components", "severity", NULL};
    const struct doc_node *severity = doc_get(node, "severity");
    const struct doc_node *components = doc_get(node, "components");
    source->is_findings = true;
    int r = doc_check_keys(node, keys, err);
    if (r == 0)
        r = load_texts(set, node, "rules", &source->rules, err);
    if (r == 0)
        r = load_texts(set, node, "components", &source->components, err);
    for (size_t i = 0; r == 0 && components && source->components[i]; i++) {
        int ignored;
        bool is_list = components->kind == DOC_LIST;
        r = doc_choice(is_list ? components->items[i] : components, component_names, &ignored, err);
    }
    if (r == 0 && severity)
        r = doc_choice(severity, severity_names, &source->severity, err);
    return r;
}

static int load_source(struct rule_set *set, const struct doc_node *node,
                       struct timeline_source *source, struct err *err)
{
    static const char *const keys[] = {"log", "query", "findings", NULL};
    source->rules = source->components = source->examples = source->others = nothing;
    int r = doc_check_keys(node, keys, err);
    if (r < 0)
        return r;
    if (node->count != 1)
        return doc_fail(node, err, "a source is one of 'log', 'query' and 'findings'");
    source->query_node = doc_get(node, "query");
    if (doc_get(node, "log"))
        return load_log(set, doc_get(node, "log"), source, err);
    if (source->query_node)
        return doc_string(source->query_node, &source->query, err);
    return load_findings(set, doc_get(node, "findings"), source, err);
}

static int load_look(const struct doc_node *node, struct event_kind *kind, struct err *err)
{
    const struct doc_node *shape = doc_get(node, "shape"), *colour = doc_get(node, "colour");
    const struct doc_node *title = doc_get(node, "title");
    int index;
    kind->description = "";
    if (!title || !shape || !colour)
        return doc_fail(node, err, "a kind of events needs 'title', 'shape' and 'colour'");
    int r = doc_string(title, &kind->title, err);
    if (r == 0 && doc_get(node, "description"))
        r = doc_string(doc_get(node, "description"), &kind->description, err);
    if (r == 0)
        r = doc_choice(shape, timeline_shapes, &index, err);
    if (r == 0)
        kind->shape = timeline_shapes[index];
    if (r == 0)
        r = doc_choice(colour, timeline_colours, &index, err);
    if (r == 0)
        kind->colour = timeline_colours[index];
    return r;
}

static int load_kind(struct rule_set *set, const struct doc_node *node, struct timeline_kind *kind,
                     struct err *err)
{
    static const char *const keys[] = {"title", "description", "shape", "colour",
                                       "merge", "sources",     NULL};
    const struct doc_node *sources = doc_get(node, "sources"), *merge = doc_get(node, "merge");
    kind->merge_s = MERGE_DEFAULT_S;
    int r = doc_check_keys(node, keys, err);
    if (r == 0)
        r = load_look(node, &kind->shown, err);
    if (r == 0 && merge)
        r = doc_seconds(merge, &kind->merge_s, err);
    if (r == 0 && (!sources || sources->kind != DOC_LIST || sources->count == 0))
        r = doc_fail(node, err, "a kind of events needs a list 'sources'");
    if (r < 0)
        return r;
    kind->sources = arena_array(set->arena, sources->count, sizeof *kind->sources);
    if (!kind->sources)
        return err_nomem(err);
    for (; r == 0 && kind->source_count < sources->count; kind->source_count++)
        r = load_source(set, sources->items[kind->source_count], &kind->sources[kind->source_count],
                        err);
    return r;
}

static int load_presence(struct rule_set *set, const struct doc_node *node,
                         struct timeline_plan *plan, struct err *err)
{
    static const char *const keys[] = {"files", "gap", NULL};
    plan->gap_s = GAP_DEFAULT_S;
    if (!node)
        return 0;
    int r = doc_check_keys(node, keys, err);
    if (r == 0 && !doc_get(node, "files"))
        r = doc_fail(node, err, "'presence' needs 'files'");
    if (r == 0)
        r = log_groups_expand(set, doc_get(node, "files"), &plan->presence, &plan->presence_count,
                              err);
    if (r == 0 && doc_get(node, "gap"))
        r = doc_seconds(doc_get(node, "gap"), &plan->gap_s, err);
    return r;
}

int timeline_plan_load(struct rule_set *set, const struct embedded_file *file,
                       const struct timeline_plan **ret, struct err *err)
{
    static const char *const keys[] = {"presence", "kinds", NULL};
    const struct doc_node *root;
    struct timeline_plan *plan = arena_alloc(set->arena, sizeof *plan);
    if (!plan)
        return err_nomem(err);
    int r = doc_parse_embedded(set->arena, file->name, file, &root, err);
    if (r == 0)
        r = doc_check_keys(root, keys, err);
    if (r == 0)
        r = load_presence(set, doc_get(root, "presence"), plan, err);
    if (r < 0)
        return r;
    const struct doc_node *kinds = doc_get(root, "kinds");
    if (!kinds || kinds->kind != DOC_MAP || kinds->count == 0 || kinds->count > KINDS_MAX)
        return doc_fail(kinds ? kinds : root, err, "'kinds' must be a map of 1 to %d kinds",
                        KINDS_MAX);
    plan->kinds = arena_array(set->arena, kinds->count, sizeof *plan->kinds);
    if (!plan->kinds)
        return err_nomem(err);
    for (; r == 0 && plan->kind_count < kinds->count; plan->kind_count++) {
        struct timeline_kind *kind = &plan->kinds[plan->kind_count];
        kind->shown.name = kinds->keys[plan->kind_count]->text;
        r = load_kind(set, kinds->items[plan->kind_count], kind, err);
    }
    if (r == 0)
        *ret = plan;
    return r;
}

bool timeline_source_takes(const struct timeline_source *source, const struct rule *rule)
{
    bool by_rule = !source->rules[0], by_component = !source->components[0];
    for (size_t i = 0; source->rules[i]; i++)
        by_rule |= fnmatch(source->rules[i], rule->id, 0) == 0;
    for (size_t i = 0; source->components[i]; i++)
        by_component |= strcmp(source->components[i], rule->component) == 0;
    return source->is_findings && by_rule && by_component &&
           (int)rule->severity >= source->severity;
}
