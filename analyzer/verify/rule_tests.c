/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * A rule's tests. Each test is a small report: its texts go through the same visitor, tables and
 * judge as a real one, so a test that passes means that the rule works, not that a regex matches.
 */
#include "analyzer/judge/analysis.h"
#include "analyzer/verify/verify.h"
#include "common/io.h"
#include "common/vec.h"

/* The report's clock where a test gives none: after the dates that tests use. */
#define DEFAULT_TAKEN 1798761599 /* 2026-12-31T23:59:59 */

struct trial {
    const struct verify_parts *parts;
    const struct rule *rule;
    const struct doc_node *test;
    struct arena *arena;
    VEC(struct database_host) hosts;
    int64_t taken;
};

static int add_host(struct trial *trial, const char *name, struct err *err)
{
    struct database_host *host = vec_push(&trial->hosts);
    if (!host)
        return err_nomem(err);
    *host = (struct database_host){
        .name = name, .source = "test", .taken = trial->taken, .taken_is_known = true};
    return 0;
}

static int feed_file(const struct report_visitor *visitor, unsigned host, const char *path,
                     const struct doc_node *content, struct err *err)
{
    if (content->kind != DOC_SCALAR)
        return doc_fail(content, err, "expected the content of '%s' as a text", path);
    struct member member = {
        .host = host, .path = path, .logical = path, .size = (int64_t)content->length};
    void *state = visitor->begin(visitor->context, &member);
    if (!state)
        return 0;
    struct err ignored = ERR_INIT;
    int r = visitor->data(state, content->text, content->length, err);
    int e = visitor->end(state, true, r < 0 ? &ignored : err);
    return r < 0 ? r : e;
}

static int feed_files(const struct report_visitor *visitor, unsigned host,
                      const struct doc_node *files, struct err *err)
{
    if (files->kind != DOC_MAP)
        return doc_fail(files, err, "expected 'path: content' lines");
    int r = 0;
    for (size_t i = 0; r == 0 && i < files->count; i++)
        r = feed_file(visitor, host, files->keys[i]->text, files->items[i], err);
    return r;
}

/* Where `log:` goes: the first file of the rule that is named in full. */
static const char *log_path(const struct rule *rule)
{
    for (size_t l = 0; l < rule->log_count; l++)
        for (size_t i = 0; i < rule->logs[l].file_count; i++)
            if (!strpbrk(rule->logs[l].files[i].text, "*?{"))
                return rule->logs[l].files[i].text;
    return NULL;
}

static int feed_test(struct trial *trial, const struct report_visitor *visitor, struct err *err)
{
    const struct doc_node *log = doc_get(trial->test, "log");
    const struct doc_node *files = doc_get(trial->test, "files");
    const struct doc_node *hosts = doc_get(trial->test, "hosts");
    int r = 0;
    if (hosts) {
        for (size_t i = 0; r == 0 && i < hosts->count; i++) {
            r = add_host(trial, hosts->keys[i]->text, err);
            if (r == 0)
                r = feed_files(visitor, (unsigned)i, hosts->items[i], err);
        }
        return r;
    }
    if ((r = add_host(trial, "host1", err)) == 0 && files)
        r = feed_files(visitor, 0, files, err);
    if (r == 0 && log) {
        const char *path = log_path(trial->rule);
        if (!path)
            return doc_fail(log, err, "the rule names no log in full; use 'files' in the test");
        r = feed_file(visitor, 0, path, log, err);
    }
    return r;
}

static const char *finding_value(const struct finding *finding, const char *name, char buffer[32])
{
    for (size_t i = 0; i < finding->value_count; i++)
        if (strcmp(finding->values[i].name, name) == 0)
            return finding->values[i].text;
    if (strcmp(name, "title") == 0)
        return finding->title;
    if (strcmp(name, "count") == 0) {
        snprintf(buffer, 32, "%lld", (long long)finding->count);
        return buffer;
    }
    return NULL;
}

static bool finding_fits(const struct finding *finding, const struct doc_node *expected)
{
    char buffer[32];
    for (size_t i = 0; i < expected->count; i++) {
        const char *value = finding_value(finding, expected->keys[i]->text, buffer);
        if (!value || expected->items[i]->kind != DOC_SCALAR ||
            strcmp(value, expected->items[i]->text) != 0)
            return false;
    }
    return true;
}

/* "2 findings: 'title' (process=xapi pid=12) 3 times, ..." */
static void describe(const struct verdict *verdict, struct strbuf *text)
{
    strbuf_addf(text, "%zu finding%s", verdict->finding_count,
                verdict->finding_count == 1 ? "" : "s");
    for (size_t i = 0; i < verdict->finding_count && i < 3; i++) {
        const struct finding *finding = &verdict->findings[i];
        strbuf_addf(text, "%s '%s' (", i ? "," : ":", finding->title);
        for (size_t v = 0; v < finding->value_count; v++)
            strbuf_addf(text, "%s%s=%s", v ? " " : "", finding->values[v].name,
                        finding->values[v].text);
        strbuf_adds(text, ")");
        if (finding->count != 1)
            strbuf_addf(text, " %lld times", (long long)finding->count);
    }
    for (size_t i = 0; i < verdict->unknown_count; i++)
        strbuf_addf(text, "; unknown: %s", verdict->unknown[i].reason);
}

static void expectation(const struct doc_node *expected, struct strbuf *text)
{
    for (size_t i = 0; i < expected->count; i++)
        strbuf_addf(text, "%s%s=%s", i ? " " : "", expected->keys[i]->text,
                    expected->items[i]->kind == DOC_SCALAR ? expected->items[i]->text : "?");
}

/* Compares; *failure gets what is wrong, or stays empty. */
static void compare(const struct trial *trial, const struct verdict *verdict,
                    struct strbuf *failure)
{
    const struct doc_node *expect = doc_get(trial->test, "expect");
    bool none = expect->kind == DOC_SCALAR;
    size_t wanted = none ? 0 : expect->kind == DOC_LIST ? expect->count : 1;
    if (verdict->finding_count != wanted) {
        strbuf_addf(failure, "expected: %zu finding%s\ngot:      ", wanted, wanted == 1 ? "" : "s");
        describe(verdict, failure);
        return;
    }
    for (size_t i = 0; i < wanted; i++) {
        const struct doc_node *map = expect->kind == DOC_LIST ? expect->items[i] : expect;
        bool found = false;
        for (size_t f = 0; f < verdict->finding_count && !found; f++)
            found = finding_fits(&verdict->findings[f], map);
        if (!found) {
            strbuf_adds(failure, "expected: ");
            expectation(map, failure);
            strbuf_adds(failure, "\ngot:      ");
            describe(verdict, failure);
            return;
        }
    }
}

static int read_clock(struct trial *trial, struct err *err)
{
    const struct doc_node *node = doc_get(trial->test, "taken");
    struct tm tm = {0};
    trial->taken = DEFAULT_TAKEN;
    if (!node)
        return 0;
    if (node->kind != DOC_SCALAR || !strptime(node->text, "%Y-%m-%dT%H:%M:%S", &tm))
        return doc_fail(node, err, "expected a time such as 2026-11-02T12:00:00");
    trial->taken = timegm(&tm);
    return 0;
}

static int run_analysis(struct trial *trial, struct analysis *analysis, struct strbuf *failure,
                        struct err *err)
{
    struct verdict *verdict = NULL;
    int r = feed_test(trial, analysis_visitor(analysis), err);
    if (r == 0)
        r = analysis_judge(analysis, trial->hosts.items, trial->hosts.count, &verdict, err);
    if (r == 0)
        compare(trial, verdict, failure);
    verdict_free(verdict);
    return r;
}

int verify_test_shape(const struct doc_node *test, struct err *err)
{
    static const char *const keys[] = {"name", "log", "files", "hosts", "expect", "taken", NULL};
    int r = doc_check_keys(test, keys, err);
    if (r < 0)
        return r;
    const struct doc_node *hosts = doc_get(test, "hosts"), *expect = doc_get(test, "expect");
    bool has_own = doc_get(test, "log") || doc_get(test, "files");
    if (hosts && (hosts->kind != DOC_MAP || has_own))
        return doc_fail(hosts, err, "'hosts' is a map of host names to files, and stands alone");
    if (!hosts && !has_own)
        return doc_fail(test, err, "a test needs 'log', 'files' or 'hosts'");
    if (!expect)
        return doc_fail(test, err, "a test needs 'expect'");
    if (expect->kind == DOC_SCALAR && strcmp(expect->text, "none") != 0)
        return doc_fail(expect, err, "expected 'none', a map of values, or a list of such maps");
    for (size_t i = 0; expect->kind == DOC_LIST && i < expect->count; i++)
        if (expect->items[i]->kind != DOC_MAP)
            return doc_fail(expect->items[i], err, "expected a map of values");
    return 0;
}

static int run_trial(struct trial *trial, struct strbuf *failure, struct err *err)
{
    struct database *database = NULL;
    struct analysis *analysis = NULL;
    int r = verify_test_shape(trial->test, err);
    if (r == 0)
        r = read_clock(trial, err);
    if (r == 0)
        r = database_open(trial->parts->tables, NULL, &database, err);
    if (r == 0) {
        struct analysis_parts parts = {.rules = trial->parts->rules,
                                       .only = trial->rule,
                                       .tables = trial->parts->tables,
                                       .facts = trial->parts->facts,
                                       .lists = trial->parts->lists,
                                       .formats = trial->parts->formats,
                                       .database = database};
        r = analysis_new(&parts, &analysis, err);
    }
    if (r == 0)
        r = run_analysis(trial, analysis, failure, err);
    analysis_free(analysis);
    database_free(database);
    vec_free(&trial->hosts);
    return r;
}

int verify_tests(const struct verify_parts *parts, test_outcome outcome, void *context,
                 struct err *err)
{
    for (size_t i = 0; i < rule_set_count(parts->rules); i++) {
        const struct rule *rule = rule_set_at(parts->rules, i);
        for (size_t t = 0; rule->tests && t < rule->tests->count; t++) {
            const struct doc_node *test = rule->tests->items[t];
            const struct doc_node *name = doc_get(test, "name");
            struct trial trial = {.parts = parts, .rule = rule, .test = test};
            CLEANUP(strbuf_release) struct strbuf failure = STRBUF_INIT;
            struct err detail = ERR_INIT;
            int r = run_trial(&trial, &failure, &detail);
            if (r == ERR_NOMEM)
                return err_nomem(err);
            if (r < 0) {
                char message[800];
                strbuf_clear(&failure);
                strbuf_adds(&failure, err_message(&detail, message, sizeof message));
            }
            outcome(context, rule, t + 1, name && name->kind == DOC_SCALAR ? name->text : "", test,
                    failure.length ? failure.data : NULL);
        }
    }
    return 0;
}
