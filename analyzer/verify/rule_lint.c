/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * What is wrong with a rule although it loads: a query over unknown columns, a pattern that is slow
 * or reports more than it needs, a title that names no value, missing advice or tests. One const
 * table of checks.
 */
#include "analyzer/judge/analysis.h"
#include "analyzer/match/matcher.h"
#include "analyzer/verify/pattern_shape.h"
#include "analyzer/verify/verify.h"
#include "common/io.h"

struct lint {
    const struct verify_parts *parts;
    struct database *database;
    lint_remark remark;
    void *context;
};

static void remark(const struct lint *lint, const struct doc_node *place, const char *format, ...)
    PRINTF_LIKE(3, 4);

static void remark(const struct lint *lint, const struct doc_node *place, const char *format, ...)
{
    char text[600];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    lint->remark(lint->context, place, text);
}

static const struct doc_node *place_of(const struct rule *rule, const char *key)
{
    const struct doc_node *node = doc_get(rule->root, key);
    return node ? node : rule->root;
}

static void check_name(const struct lint *lint, const struct rule *rule)
{
    const char *slash = strrchr(rule->file, '/');
    const char *name = slash ? slash + 1 : rule->file;
    size_t length = strlen(rule->id);
    if (strncmp(name, rule->id, length) != 0 || strcmp(name + length, ".yaml") != 0)
        remark(lint, place_of(rule, "id"), "the file of rule '%s' should be called '%s.yaml'",
               rule->id, rule->id);
}

static void check_texts(const struct lint *lint, const struct rule *rule)
{
    if (!*rule->explanation)
        remark(lint, rule->root, "rule '%s' has no 'explanation': say why it matters", rule->id);
    if (!*rule->advice)
        remark(lint, rule->root, "rule '%s' has no 'advice': say what to do", rule->id);
    if (!rule->link_count)
        remark(lint, rule->root, "rule '%s' has no 'links': say where it is known from", rule->id);
    for (size_t i = 0; i < rule->link_count; i++)
        if (strncmp(rule->links[i], "https://", 8) != 0)
            remark(lint, place_of(rule, "links"), "'%s' is no https:// address", rule->links[i]);
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
        remark(lint, place_of(rule, "tests"), "rule '%s' has no test that it must find", rule->id);
    if (!silent)
        remark(lint, place_of(rule, "tests"),
               "rule '%s' has no look-alike that it must not find (expect: none)", rule->id);
}

/* Counted repeats of thousands need gigabytes in the compiler of the multi-pattern engine. */
#define REPEAT_MAX 1000

/* A pattern with less that is fixed fits lines of every kind. */
#define LITERAL_MIN 3

static void check_shape(const struct lint *lint, const struct rule_log *log)
{
    struct pattern_shape shape = pattern_shape_of(regex_pattern(log->match));
    if (shape.repeats_repetition)
        remark(lint, log->match_node,
               "a repetition inside a repetition, as in (a+)+, can take for ever on a line that "
               "nearly fits; repeat only one of them");
    if (shape.largest_repeat > REPEAT_MAX)
        remark(lint, log->match_node, "a repeat of %ld is too many to compile; use at most %d",
               shape.largest_repeat, REPEAT_MAX);
    if (shape.longest_literal < LITERAL_MIN)
        remark(lint, log->match_node,
               "nothing in the pattern is fixed, so it fits lines of every kind; name words of the "
               "message");
}

/* What no member of a report can be called. */
static const char *impossible(const char *path)
{
    static const char *const suffixes[] = {".gz", ".xz", ".bz2", ".zst", ".1"};
    size_t length = strlen(path);
    if (strstr(path, "//") || strstr(path, "../"))
        return "no path in a report has '//' or '..'";
    if (length && path[length - 1] == '/')
        return "a folder has no lines; name files, for example with '*'";
    for (size_t i = 0; i < ARRAY_SIZE(suffixes); i++)
        if (length > strlen(suffixes[i]) &&
            strcmp(path + length - strlen(suffixes[i]), suffixes[i]) == 0)
            return "rotations and compression are implied; leave the suffix out";
    return NULL;
}

static void check_files(const struct lint *lint, const struct rule *rule)
{
    for (size_t l = 0; l < rule->log_count; l++)
        for (size_t i = 0; i < rule->logs[l].file_count; i++) {
            const char *path = rule->logs[l].files[i].text, *why = impossible(path);
            if (why)
                remark(lint, rule->logs[l].match_node, "'%s' finds no file: %s", path, why);
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
    static const char *const keys[] = {"title", "explanation", "advice", "applies", "query", "log"};
    for (size_t i = 0; i < rule->param_count; i++) {
        const struct rule_param *param = &rule->params[i];
        char placeholder[128];
        bool used = false;
        snprintf(placeholder, sizeof placeholder, "{%s}", param->name);
        for (size_t k = 0; k < ARRAY_SIZE(keys) && !used; k++)
            used = is_used(doc_get(rule->root, keys[k]), placeholder);
        if (!used)
            remark(lint, param->node, "the parameter is not used; write '%s' where it counts",
                   placeholder);
        if (!*param->description)
            remark(lint, param->node, "the parameter '%s' has no 'description'", param->name);
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
            remark(lint, log->match_node,
                   "'.*' at the beginning or end of a pattern only costs time; leave it out");
        struct matcher *matcher = NULL;
        struct log_pattern spec = {log->files, log->file_count, log->match, NULL};
        unsigned number;
        if (matcher_new(&matcher, NULL) == 0 && matcher_add(matcher, &spec, &number, NULL) == 0 &&
            matcher_compile(matcher, NULL, NULL) == 0 && matcher_is_slow(matcher, number, &reason))
            remark(lint, log->match_node, "slow pattern, read line by line: %s", reason);
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

/* Values in the title of a log rule are its groups; those of a query are known only when it runs.
 */
static void check_title(const struct lint *lint, const struct rule *rule)
{
    for (const char *p = rule->title; !rule->query && (p = strchr(p, '{')); p++) {
        const char *close = strchr(p, '}');
        if (close && !names_group(rule, p + 1, (size_t)(close - p - 1)))
            remark(lint, place_of(rule, "title"), "no group of 'match' is named '%.*s'",
                   (int)(close - p - 1), p + 1);
    }
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
        remark(lint, place, "there is no rule '%s'; did you mean '%s'?", id, nearest);
    else
        remark(lint, place, "there is no rule '%s' that it could explain", id);
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
        remark(lint, place_of(rule, "query"), "%s", err.text);
    analysis_free(analysis);
    enum truth ignored;
    err_clear(&err);
    if (rule->applies &&
        facts_evaluate(lint->database, "host1", rule->applies, &ignored, &err) == ERR_PARSE)
        remark(lint, place_of(rule, "applies"), "%s", err.text);
}

static void (*const checks[])(const struct lint *lint, const struct rule *rule) = {
    check_name,   check_texts, check_tests,    check_patterns,   check_files,
    check_params, check_title, check_explains, check_statements,
};

int verify_lint(const struct verify_parts *parts, lint_remark remark_sink, void *context,
                struct err *err)
{
    struct lint lint = {.parts = parts, .remark = remark_sink, .context = context};
    int r = database_open(parts->tables, NULL, &lint.database, err);
    if (r == 0)
        r = lists_fill(parts->lists, lint.database, err);
    if (r == 0)
        r = facts_declare(parts->facts, lint.database, err);
    for (size_t i = 0; r == 0 && i < rule_set_count(parts->rules); i++)
        for (size_t c = 0; c < ARRAY_SIZE(checks); c++)
            checks[c](&lint, rule_set_at(parts->rules, i));
    database_free(lint.database);
    return r;
}
