/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * What is wrong with a rule although it loads: a query over unknown columns, a pattern that is slow
 * or reports more than it needs, a text that names no value, missing advice or tests. One const
 * table of checks.
 */
#include "analyzer/judge/analysis.h"
#include "analyzer/match/matcher.h"
#include "analyzer/verify/lint_private.h"
#include "common/io.h"

static const struct doc_node *place_of(const struct rule *rule, const char *key)
{
    const struct doc_node *node = doc_get(rule->root, key);
    return node ? node : rule->root;
}

static void check_name(const struct lint *lint, const struct rule *rule)
{
    lint_file_name(lint, place_of(rule, "id"), "rule", rule->id);
}

static void check_texts(const struct lint *lint, const struct rule *rule)
{
    if (!*rule->explanation)
        lint_say(lint, rule->root, "rule '%s' has no 'explanation': say why it matters", rule->id);
    if (!*rule->advice)
        lint_say(lint, rule->root, "rule '%s' has no 'advice': say what to do", rule->id);
    if (!rule->link_count)
        lint_say(lint, rule->root, "rule '%s' has no 'links': say where it is known from",
                 rule->id);
    for (size_t i = 0; i < rule->link_count; i++)
        if (strncmp(rule->links[i], "https://", 8) != 0)
            lint_say(lint, place_of(rule, "links"), "'%s' is no https:// address", rule->links[i]);
}

static bool expects_none(const struct doc_node *test)
{
    const struct doc_node *expect = doc_get(test, "expect");
    return expect && expect->kind == DOC_SCALAR;
}

static void check_tests(const struct lint *lint, const struct rule *rule)
{
    size_t fires = 0, silent = 0;
    for (size_t i = 0; rule->tests && i < rule->tests->count; i++)
        *(expects_none(rule->tests->items[i]) ? &silent : &fires) += 1;
    if (!fires)
        lint_say(lint, place_of(rule, "tests"), "rule '%s' has no test that it must find",
                 rule->id);
    if (!silent)
        lint_say(lint, place_of(rule, "tests"),
                 "rule '%s' has no look-alike that it must not find (expect: none)", rule->id);
    for (size_t i = 0; rule->tests && i < rule->tests->count; i++) {
        struct err err = ERR_INIT;
        if (verify_test_shape(rule->tests->items[i], &err) < 0) {
            struct doc_node place = {.file = rule->file, .line = err.line, .column = err.column};
            lint_say(lint, &place, "%s", err.text);
        }
    }
}

/* A pattern with less that is fixed fits lines of every kind. */
#define LITERAL_MIN 3

static void check_shape(const struct lint *lint, const struct rule_log *log)
{
    struct pattern_shape shape = lint_speed(lint, log->match_node, regex_pattern(log->match));
    if (shape.longest_literal < LITERAL_MIN)
        lint_say(
            lint, log->match_node,
            "nothing in the pattern is fixed, so it fits lines of every kind; name words of the "
            "message");
}

static void check_files(const struct lint *lint, const struct rule *rule)
{
    for (size_t l = 0; l < rule->log_count; l++)
        for (size_t i = 0; i < rule->logs[l].file_count; i++) {
            const char *path = rule->logs[l].files[i].text, *why = lint_impossible_path(path);
            const char *meant =
                strchr(path, '/') ? NULL : rule_set_log_called(lint->parts->rules, path);
            if (why)
                lint_say(lint, rule->logs[l].match_node, "'%s' finds no file: %s", path, why);
            else if (meant)
                lint_say(lint, rule->logs[l].match_node,
                         "'%s' would lie at the top of the report; write '%s'", path, meant);
        }
}

static bool is_used(const struct doc_node *node, const char *placeholder)
{
    if (!node || node->kind == DOC_SCALAR)
        return node && strstr(node->text, placeholder);
    for (size_t i = 0; i < node->count; i++)
        if (is_used(node->items[i], placeholder))
            return true;
    return false;
}

static void check_params(const struct lint *lint, const struct rule *rule)
{
    static const char *const keys[] = {"title", "explanation", "advice", "applies",
                                       "query", "log",         "logs"};
    for (size_t i = 0; i < rule->param_count; i++) {
        const struct rule_param *param = &rule->params[i];
        char placeholder[128];
        bool used = false;
        snprintf(placeholder, sizeof placeholder, "{%s}", param->name);
        for (size_t k = 0; k < ARRAY_SIZE(keys) && !used; k++)
            used = is_used(doc_get(rule->root, keys[k]), placeholder);
        if (!used)
            lint_say(lint, param->node, "the parameter is not used; write '%s' where it counts",
                     placeholder);
        if (!*param->description)
            lint_say(lint, param->node, "the parameter '%s' has no 'description'", param->name);
    }
}

static void check_patterns(const struct lint *lint, const struct rule *rule)
{
    for (size_t i = 0; i < rule->log_count; i++) {
        const struct rule_log *log = &rule->logs[i];
        const char *pattern = regex_pattern(log->match), *reason;
        check_shape(lint, log);
        size_t length = strlen(pattern);
        if (strncmp(pattern, ".*", 2) == 0 ||
            (length > 2 && strcmp(pattern + length - 2, ".*") == 0))
            lint_say(lint, log->match_node,
                     "'.*' at the beginning or end of a pattern only costs time; leave it out");
        struct matcher *matcher = NULL;
        struct log_pattern spec = {log->files, log->file_count, log->match, NULL};
        unsigned number;
        if (matcher_new(&matcher, NULL) == 0 && matcher_add(matcher, &spec, &number, NULL) == 0 &&
            matcher_compile(matcher, NULL, NULL) == 0 && matcher_is_slow(matcher, number, &reason))
            lint_say(lint, log->match_node, "slow pattern, read line by line: %s", reason);
        matcher_free(matcher);
    }
}

static bool names_group(const struct rule *rule, const char *name, size_t length)
{
    char word[128];
    snprintf(word, sizeof word, "%.*s", (int)(length < 100 ? length : 100), name);
    for (size_t i = 0; i < rule->log_count; i++)
        if (regex_name_find(rule->logs[i].match, word) >= 0)
            return true;
    return false;
}

static bool has_name(const struct table_names *names, const char *name)
{
    for (size_t i = 0; i < names->count; i++)
        if (strcasecmp(names->names[i], name) == 0)
            return true;
    return false;
}

/* A value that a text or `explains` names must be a group of the log, or a column of the query. */
static void check_value(const struct lint *lint, const struct rule *rule,
                        const struct table_names *columns, const struct doc_node *place,
                        const char *name)
{
    if (!rule->query && !names_group(rule, name, strlen(name)))
        lint_say(lint, place, "no group of 'match' is named '%s'", name);
    else if (rule->query && query_column_is_no_value(name))
        lint_say(lint, place,
                 "'%s' says %s and is no value; give the query a column of another name, '%s AS "
                 "its_%s'",
                 name,
                 strcasecmp(name, "count") == 0 ? "how often it was seen" : "where the proof stands",
                 name, name);
    else if (rule->query && !has_name(columns, name))
        lint_say(lint, place, "the query has no column '%s' that could be shown", name);
}

/* Braces in texts may be awk's or a shell's: only those around a word can be meant. */
static void check_text(const struct lint *lint, const struct rule *rule,
                       const struct table_names *columns, const char *key, const char *text)
{
    bool is_title = text == rule->title;
    for (const char *p = text; (p = strchr(p, '{')); p++) {
        size_t length = strcspn(p + 1, "}");
        bool is_word = strspn(p + 1, "abcdefghijklmnopqrstuvwxyz0123456789_") == length;
        char name[100];
        snprintf(name, sizeof name, "%.*s", (int)(length < 99 ? length : 99), p + 1);
        bool is_shells = p > text && p[-1] == '$';
        if (p[1 + length] && length && (is_title || (is_word && !is_shells)))
            check_value(lint, rule, columns, place_of(rule, key), name);
    }
}

static void check_values(const struct lint *lint, const struct rule *rule,
                         const struct table_names *columns)
{
    check_text(lint, rule, columns, "title", rule->title);
    check_text(lint, rule, columns, "explanation", rule->explanation);
    check_text(lint, rule, columns, "advice", rule->advice);
    for (size_t i = 0; i < rule->symptom_count; i++)
        if (rule->explains[i].same)
            check_value(lint, rule, columns, rule->explains[i].node, rule->explains[i].same);
}

static void check_columns(const struct lint *lint, const struct rule *rule)
{
    struct table_names tables = {0}, columns = {0};
    if (!rule->query) {
        check_values(lint, rule, &columns);
        return;
    }
    /* A query that is wrong is told of by check_statements(). */
    if (analysis_query_names(lint->database, rule, &tables, &columns, NULL) < 0)
        return;
    check_values(lint, rule, &columns);
    if (rule->by && !has_name(&columns, rule->by))
        lint_say(lint, place_of(rule, "by"),
                 "the query has no column '%s', so all its rows would be one finding", rule->by);
    for (const char *const *name = rule->optional; *name; name++)
        if (!has_name(&tables, *name))
            lint_say(lint, place_of(rule, "optional"), "the query reads no table '%s'", *name);
    if (has_name(&columns, "host") != has_name(&columns, "path"))
        lint_say(
            lint, place_of(rule, "query"),
            "the query has no column '%s': select host, path and line of the row that proves it",
            has_name(&columns, "host") ? "path" : "host");
    table_names_release(&tables);
    table_names_release(&columns);
}

static bool is_known(const struct verify_parts *parts, const char *id)
{
    return rule_set_knows(parts->rules, id) || (parts->known && rule_set_knows(parts->known, id));
}

static void no_such_rule(const struct lint *lint, const struct doc_node *place, const char *id)
{
    const char *nearest = rule_set_nearest(lint->parts->rules, id);
    if (!nearest && lint->parts->known)
        nearest = rule_set_nearest(lint->parts->known, id);
    if (nearest)
        lint_say(lint, place, "there is no rule '%s'; did you mean '%s'?", id, nearest);
    else
        lint_say(lint, place, "there is no rule '%s' that it could explain", id);
}

static void check_explains(const struct lint *lint, const struct rule *rule)
{
    for (size_t i = 0; i < rule->symptom_count; i++)
        if (!is_known(lint->parts, rule->explains[i].rule))
            no_such_rule(lint, rule->explains[i].node, rule->explains[i].rule);
}

/* Preparing the query and the condition finds unknown tables, columns, facts and functions. */
static void check_statements(const struct lint *lint, const struct rule *rule)
{
    struct analysis *analysis = NULL;
    struct err err = ERR_INIT;
    struct analysis_parts parts = {.rules = lint->parts->rules,
                                   .only = rule,
                                   .tables = lint->parts->tables,
                                   .facts = lint->parts->facts,
                                   .formats = lint->parts->formats,
                                   .database = lint->database};
    if (analysis_new(&parts, &analysis, &err) < 0)
        lint_say(lint, place_of(rule, "query"), "%s", err.text);
    analysis_free(analysis);
    enum truth ignored;
    err_clear(&err);
    if (rule->applies &&
        facts_evaluate(lint->database, "host1", rule->applies, &ignored, &err) == ERR_PARSE)
        lint_say(lint, place_of(rule, "applies"), "%s", err.text);
}

static void (*const checks[])(const struct lint *lint, const struct rule *rule) = {
    check_name,   check_texts,   check_tests,    check_patterns,   check_files,
    check_params, check_columns, check_explains, check_statements,
};

void lint_rule(const struct lint *lint, const struct rule *rule)
{
    for (size_t c = 0; c < ARRAY_SIZE(checks); c++)
        checks[c](lint, rule);
}
