/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * What is wrong with a rule although it loads: a query over unknown columns, a pattern that is slow
 * or reports more than it needs, a title that names no value, missing advice or tests. One const
 * table of checks.
 */
#include "analyzer/judge/analysis.h"
#include "analyzer/match/matcher.h"
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

static void check_patterns(const struct lint *lint, const struct rule *rule)
{
    for (size_t i = 0; i < rule->log_count; i++) {
        const struct rule_log *log = &rule->logs[i];
        const char *pattern = regex_pattern(log->match), *reason;
        size_t length = strlen(pattern);
        if (strncmp(pattern, ".*", 2) == 0 ||
            (length > 2 && strcmp(pattern + length - 2, ".*") == 0))
            remark(lint, log->match_node,
                   "'.*' at the beginning or end of a pattern only costs time; leave it out");
        struct matcher *matcher = NULL;
        struct log_pattern spec = {log->files, log->file_count, log->match, NULL};
        unsigned number;
        if (matcher_new(&matcher, NULL) == 0 && matcher_add(matcher, &spec, &number, NULL) == 0 &&
            matcher_is_slow(matcher, number, &reason))
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
    check_name,  check_texts,    check_tests,      check_patterns,
    check_title, check_explains, check_statements,
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
