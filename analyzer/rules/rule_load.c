/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * One YAML document becomes one rule. Everything that can be checked without tables is checked
 * here, with the place; what a query means is checked when it is first prepared (lint.c, the
 * judge).
 */
#include "analyzer/rules/params.h"

#include <ctype.h>

#include "common/units.h"

static const char *const no_strings[] = {NULL};

/* Ids are file names, JSON values and words on a command line. */
static int load_id(const struct doc_node *root, struct rule *rule, struct err *err)
{
    const struct doc_node *node = doc_get(root, "id");
    if (!node)
        return doc_fail(root, err, "a rule needs an 'id'");
    int r = doc_string(node, &rule->id, err);
    if (r < 0)
        return r;
    for (const char *p = rule->id; *p; p++)
        if (!islower((unsigned char)*p) && !isdigit((unsigned char)*p) && *p != '-')
            return doc_fail(node, err, "an id has lower-case letters, digits and '-' only");
    return 0;
}

static int required_text(const struct doc_node *root, const char *key, const char **ret,
                         struct err *err)
{
    const struct doc_node *node = doc_get(root, key);
    if (!node)
        return doc_fail(root, err, "the rule needs the key '%s'", key);
    return doc_string(node, ret, err);
}

static int optional_text(const struct doc_node *root, const char *key, const char **ret,
                         struct err *err)
{
    const struct doc_node *node = doc_get(root, key);
    return node ? doc_string(node, ret, err) : 0;
}

static int optional_strings(struct rule_set *set, const struct doc_node *root, const char *key,
                            const char *const **ret, size_t *ret_count, struct err *err)
{
    const struct doc_node *node = doc_get(root, key);
    *ret = no_strings;
    return node ? doc_strings(node, set->arena, ret, ret_count, err) : 0;
}

static int optional_choice(const struct doc_node *root, const char *key, const char *const *names,
                           int *value, struct err *err)
{
    const struct doc_node *node = doc_get(root, key);
    return node ? doc_choice(node, names, value, err) : 0;
}

int rule_set_regex(struct rule_set *set, const struct doc_node *node, const struct regex **ret,
                   struct err *err)
{
    struct regex **slot = vec_push(&set->regexes);
    if (!slot)
        return err_nomem(err);
    int r = regex_compile_node(node, slot, err);
    if (r == 0)
        *ret = *slot;
    return r;
}

/* {name} without quotes is a map to YAML. */
static int fail_unquoted(const struct doc_node *node, struct err *err)
{
    return doc_fail(node, err, "a parameter needs quotes here: '{name}'");
}

static int load_time(const struct doc_node *node, int64_t *ret, struct err *err)
{
    if (node->kind != DOC_SCALAR || !units_seconds(node->text, ret))
        return doc_fail(node, err, "expected a time such as 90, 10m or 2h");
    return 0;
}

/* How many lines it takes, and in how long. */
static int load_number(struct rule_set *set, const struct rule *rule, const struct doc_node *node,
                       struct rule_log *log, struct err *err)
{
    const struct doc_node *at_least = NULL, *within = NULL;
    log->at_least = 1;
    int r =
        params_expand_node(set, rule, doc_get(node, "at_least"), PARAMS_FOR_SQL, &at_least, err);
    if (r == 0)
        r = params_expand_node(set, rule, doc_get(node, "within"), PARAMS_FOR_SQL, &within, err);
    if (r == 0 && at_least)
        r = at_least->kind == DOC_MAP ? fail_unquoted(at_least, err)
                                      : doc_integer(at_least, &log->at_least, err);
    if (r == 0 && log->at_least < 1)
        r = doc_fail(at_least, err, "'at_least' must be 1 or more");
    if (r == 0 && within)
        r = within->kind == DOC_MAP ? fail_unquoted(within, err)
                                    : load_time(within, &log->within_s, err);
    return r;
}

static int load_log(struct rule_set *set, const struct rule *rule, const struct doc_node *node,
                    struct rule_log *log, struct err *err)
{
    const struct doc_node *files = doc_get(node, "files");
    const struct doc_node *match = doc_get(node, "match");
    const struct doc_node *unless = doc_get(node, "unless");
    if (!files || !match)
        return doc_fail(node, err, "a log pattern needs 'files' and 'match'");
    log->match_node = match;
    int r = log_groups_expand(set, files, &log->files, &log->file_count, err);
    if (r == 0)
        r = rule_set_regex(set, match, &log->match, err);
    if (r == 0 && unless)
        r = rule_set_regex(set, unless, &log->unless, err);
    if (r == 0)
        r = load_number(set, rule, node, log, err);
    return r;
}

/* Columns every log table has; a group of the same name would hide one. */
static int check_groups(const struct rule_log *log, struct err *err)
{
    static const char *const taken[] = {"host", "path", "line", "offset", "time", "text", "count"};
    for (size_t i = 0; i < ARRAY_SIZE(taken); i++)
        if (regex_name_find(log->match, taken[i]) >= 0)
            return doc_fail(log->match_node, err,
                            "the group '%s' has the name of a column that every log table has; "
                            "choose another",
                            taken[i]);
    return 0;
}

static int load_single_log(struct rule_set *set, const struct doc_node *node, struct rule *rule,
                           struct err *err)
{
    static const char *const keys[] = {"files",  "match", "unless", "at_least",
                                       "within", "by",    NULL};
    struct rule_log *log = arena_alloc(set->arena, sizeof *log);
    if (!log)
        return err_nomem(err);
    log->alias = "log";
    int r = doc_check_keys(node, keys, err);
    if (r == 0)
        r = load_log(set, rule, node, log, err);
    if (r == 0)
        r = check_groups(log, err);
    if (r == 0)
        r = optional_text(node, "by", &rule->by, err);
    if (r == 0 && rule->by && regex_name_find(log->match, rule->by) < 0)
        r = doc_fail(doc_get(node, "by"), err, "'match' has no group named '%s'", rule->by);
    rule->logs = log;
    rule->log_count = 1;
    return r;
}

static bool is_identifier(const char *word)
{
    if (!isalpha((unsigned char)*word) && *word != '_')
        return false;
    while (isalnum((unsigned char)*word) || *word == '_')
        word++;
    return *word == '\0';
}

static int load_named_logs(struct rule_set *set, const struct doc_node *node, struct rule *rule,
                           struct err *err)
{
    static const char *const keys[] = {"files", "match", "unless", "at_least", "within", NULL};
    if (node->kind != DOC_MAP || node->count == 0)
        return doc_fail(node, err, "expected named log patterns: 'name: {files: ..., match: ...}'");
    struct rule_log *logs = arena_array(set->arena, node->count, sizeof *logs);
    if (!logs)
        return err_nomem(err);
    rule->logs = logs;
    rule->log_count = node->count;
    for (size_t i = 0; i < node->count; i++) {
        logs[i].alias = node->keys[i]->text;
        if (!is_identifier(logs[i].alias))
            return doc_fail(node->keys[i], err,
                            "'%s' cannot be the name of a table; use letters, digits and '_'",
                            logs[i].alias);
        int r = doc_check_keys(node->items[i], keys, err);
        if (r == 0)
            r = load_log(set, rule, node->items[i], &logs[i], err);
        if (r == 0)
            r = check_groups(&logs[i], err);
        if (r < 0)
            return r;
    }
    return 0;
}

/* A text of the rule with its parameters filled in. */
static int expand(struct rule_set *set, const struct rule *rule, enum params_form form,
                  const char **text, struct err *err)
{
    if (*text)
        *text = params_expand(set, rule, *text, form);
    else
        return 0;
    return *text ? 0 : err_nomem(err);
}

static int expand_all(struct rule_set *set, struct rule *rule, struct err *err)
{
    int r;
    if ((r = expand(set, rule, PARAMS_FOR_PEOPLE, &rule->title, err)) < 0 ||
        (r = expand(set, rule, PARAMS_FOR_PEOPLE, &rule->explanation, err)) < 0 ||
        (r = expand(set, rule, PARAMS_FOR_PEOPLE, &rule->advice, err)) < 0 ||
        (r = expand(set, rule, PARAMS_FOR_SQL, &rule->applies, err)) < 0)
        return r;
    return expand(set, rule, PARAMS_FOR_SQL, &rule->query, err);
}

/* A parameter and a value of the finding of one name: the title could mean either. */
static int check_param_names(const struct rule *rule, struct err *err)
{
    for (size_t i = 0; i < rule->param_count; i++)
        for (size_t l = 0; l < rule->log_count; l++)
            if (regex_name_find(rule->logs[l].match, rule->params[i].name) >= 0)
                return doc_fail(rule->params[i].node, err,
                                "'match' has a group '%s' too; give the parameter another name",
                                rule->params[i].name);
    return 0;
}

/* The severity of the rule, or the site's. */
static int load_severity(struct rule_set *set, const struct doc_node *site, struct rule *rule,
                         struct err *err)
{
    int severity = -1;
    const struct doc_node *own = doc_get(rule->root, "severity");
    if (!own)
        return doc_fail(rule->root, err, "the rule needs the key 'severity'");
    int r = doc_choice(own, severity_names, &severity, err);
    if (r == 0 && site && (r = doc_choice(site, severity_names, &severity, err)) == 0) {
        rule->severity_set_at =
            arena_printf(set->arena, "%s:%d:%d", site->file, site->line, site->column);
        if (!rule->severity_set_at)
            r = err_nomem(err);
    }
    if (r == 0)
        rule->severity = (enum severity)severity;
    return r;
}

static int load_shape(struct rule_set *set, const struct doc_node *root, struct rule *rule,
                      struct err *err)
{
    const struct doc_node *log = doc_get(root, "log"), *logs = doc_get(root, "logs");
    const struct doc_node *query = doc_get(root, "query"), *by = doc_get(root, "by");
    if (log && (logs || query))
        return doc_fail(log, err,
                        "'log' stands alone; with a query, write named patterns in 'logs'");
    if (logs && !query)
        return doc_fail(logs, err, "'logs' needs a 'query' that joins them");
    if (!log && !query)
        return doc_fail(root, err, "the rule looks at nothing: it needs 'log' or 'query'");
    int r = 0;
    if (log)
        r = load_single_log(set, log, rule, err);
    if (r == 0 && logs)
        r = load_named_logs(set, logs, rule, err);
    if (r == 0 && query)
        r = doc_string(query, &rule->query, err);
    if (r == 0 && by)
        r = log ? doc_fail(by, err, "'by' of a log pattern stands inside 'log'")
                : doc_string(by, &rule->by, err);
    return r;
}

/* `explains: [rule, {rule: value}]`; the second form wants both findings to have the same value. */
static int load_symptoms(struct rule_set *set, const struct doc_node *root, struct rule *rule,
                         struct err *err)
{
    const struct doc_node *node = doc_get(root, "explains");
    if (!node)
        return 0;
    if (node->kind != DOC_LIST)
        return doc_fail(node, err, "'explains' is a list of rules");
    struct rule_symptom *symptoms = arena_array(set->arena, node->count + 1, sizeof *symptoms);
    if (!symptoms)
        return err_nomem(err);
    for (size_t i = 0; i < node->count; i++) {
        const struct doc_node *item = node->items[i];
        bool pair = item->kind == DOC_MAP && item->count == 1;
        symptoms[i].node = item;
        symptoms[i].rule = pair ? item->keys[0]->text : NULL;
        int r = pair ? doc_string(item->items[0], &symptoms[i].same, err)
                     : doc_string(item, &symptoms[i].rule, err);
        if (r < 0)
            return r;
    }
    rule->explains = symptoms;
    rule->symptom_count = node->count;
    return 0;
}

int rule_load(struct rule_set *set, const struct doc_node *root,
              const struct rule_overrides *overrides, struct rule *ret, struct err *err)
{
    static const struct rule_overrides none = {NULL, NULL};
    static const char *const keys[] = {
        "id",     "title", "component", "severity", "confidence", "applies",  "versions",
        "log",    "logs",  "query",     "by",       "optional",   "explains", "explanation",
        "advice", "links", "tests",     "params",   NULL};
    if (!overrides)
        overrides = &none;
    struct rule rule = {
        .pack = ret->pack,
        .replaces = ret->replaces,
        .file = root->file,
        .root = root,
        .confidence = CONFIDENCE_MEDIUM,
        .explanation = "",
        .advice = "",
        .tests = doc_get(root, "tests"),
    };
    int confidence = CONFIDENCE_MEDIUM, component = -1, r;
    if (!doc_get(root, "id") && doc_get(root, "table"))
        return doc_fail(root, err,
                        "this is a table, not a rule; it belongs in a folder '" RULE_TABLES_FOLDER
                        "' inside the folder that --rules, lint and test name");
    if (!doc_get(root, "id") && doc_get(root, "list"))
        return doc_fail(root, err,
                        "this is a list, not a rule; it belongs in a folder '" RULE_LISTS_FOLDER
                        "' inside the folder that --rules, lint and test name");
    if ((r = doc_check_keys(root, keys, err)) < 0 || (r = load_id(root, &rule, err)) < 0 ||
        (r = params_load(set, doc_get(root, "params"), overrides->thresholds, &rule, err)) < 0 ||
        (r = required_text(root, "title", &rule.title, err)) < 0 ||
        (r = optional_choice(root, "component", component_names, &component, err)) < 0 ||
        (r = load_severity(set, overrides->severity, &rule, err)) < 0 ||
        (r = optional_choice(root, "confidence", confidence_names, &confidence, err)) < 0 ||
        (r = optional_text(root, "applies", &rule.applies, err)) < 0 ||
        (r = optional_text(root, "versions", &rule.versions, err)) < 0 ||
        (r = load_shape(set, root, &rule, err)) < 0 ||
        (r = optional_strings(set, root, "optional", &rule.optional, NULL, err)) < 0 ||
        (r = load_symptoms(set, root, &rule, err)) < 0 ||
        (r = optional_strings(set, root, "links", &rule.links, &rule.link_count, err)) < 0 ||
        (r = optional_text(root, "explanation", &rule.explanation, err)) < 0 ||
        (r = optional_text(root, "advice", &rule.advice, err)) < 0 ||
        (r = check_param_names(&rule, err)) < 0 || (r = expand_all(set, &rule, err)) < 0)
        return r;
    if (component < 0)
        return doc_fail(root, err, "the rule needs the key 'component'");
    if (rule.tests && rule.tests->kind != DOC_LIST)
        return doc_fail(rule.tests, err, "'tests' is a list");
    rule.component = component_names[component];
    rule.confidence = (enum confidence)confidence;
    *ret = rule;
    return 0;
}
