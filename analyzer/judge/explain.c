/* SPDX-License-Identifier: LGPL-2.1-only */
#include "analyzer/judge/explain.h"

#include <ctype.h>

#include "analyzer/judge/judge_private.h"
#include "common/units.h"

/* Files that are named for one pattern or table on one host; the others are counted. */
#define FILES_SHOWN 8
#define FILES_KEPT  10000

/* Hits shown from the beginning and from the end; rows of the query and of facts. */
#define HITS_SHOWN 3
#define ROWS_SHOWN 5

/* A member that one of the rule's patterns or tables is about. */
struct looked {
    unsigned host;
    char *path, *logical;
    int64_t bytes;
};

struct explanation {
    struct analysis *analysis;
    const struct report_visitor *inner;
    struct report_visitor visitor;
    const struct rule_state *state;
    VEC(struct looked) looked;
    bool out_of_memory;
};

/* A member on its way through both. */
struct watched {
    struct explanation *explanation;
    void *inner;
    size_t index; /* of `looked` */
    bool is_kept;
};

static bool log_covers(const struct rule_log *log, const char *logical)
{
    for (size_t i = 0; i < log->file_count; i++)
        if (path_pattern_match_log(&log->files[i], logical))
            return true;
    return false;
}

static const struct table *table_at(const struct explanation *e, size_t index)
{
    return table_set_find(e->analysis->parts.tables, e->state->reads.names[index]);
}

static bool concerns_rule(const struct explanation *e, const char *logical)
{
    const struct rule *rule = e->state->rule;
    for (size_t i = 0; i < rule->log_count; i++)
        if (log_covers(&rule->logs[i], logical))
            return true;
    for (size_t i = 0; i < e->state->reads.count; i++) {
        const struct table *table = table_at(e, i);
        if (table && table_covers(table, logical))
            return true;
    }
    return false;
}

static bool keep_member(struct explanation *e, const struct member *member)
{
    struct looked *slot = e->looked.count < FILES_KEPT ? vec_push(&e->looked) : NULL;
    if (!slot)
        return false;
    *slot = (struct looked){
        .host = member->host, .path = strdup(member->path), .logical = strdup(member->logical)};
    e->out_of_memory |= !slot->path || !slot->logical;
    return true;
}

static void *watch_begin(void *context, const struct member *member)
{
    struct explanation *e = context;
    void *inner = e->inner->begin(e->inner->context, member);
    struct watched *watched = inner ? calloc(1, sizeof *watched) : NULL;
    if (!inner)
        return NULL;
    if (!watched) {
        e->out_of_memory = true;
        e->inner->end(inner, false, NULL);
        return NULL;
    }
    watched->explanation = e;
    watched->inner = inner;
    watched->is_kept = concerns_rule(e, member->logical) && keep_member(e, member);
    watched->index = e->looked.count - watched->is_kept;
    return watched;
}

static int watch_data(void *state, const char *bytes, size_t length, struct err *err)
{
    struct watched *watched = state;
    struct explanation *e = watched->explanation;
    if (watched->is_kept)
        e->looked.items[watched->index].bytes += (int64_t)length;
    return e->inner->data(watched->inner, bytes, length, err);
}

static int watch_end(void *state, bool complete, struct err *err)
{
    struct watched *watched = state;
    int r = watched->explanation->inner->end(watched->inner, complete, err);
    free(watched);
    return r;
}

int explanation_new(struct analysis *analysis, const struct rule *rule, struct explanation **ret,
                    struct err *err)
{
    struct explanation *e = calloc(1, sizeof *e);
    if (!e)
        return err_nomem(err);
    e->analysis = analysis;
    e->inner = analysis_visitor(analysis);
    e->visitor = (struct report_visitor){watch_begin, watch_data, watch_end, e};
    for (size_t i = 0; i < analysis->rule_count; i++)
        if (analysis->rules[i].rule == rule)
            e->state = &analysis->rules[i];
    if (!e->state) {
        free(e);
        return err_set(err, ERR_BUG, "the rule is not one of the analysis");
    }
    *ret = e;
    return 0;
}

void *explanation_free(struct explanation *e)
{
    if (!e)
        return NULL;
    for (size_t i = 0; i < e->looked.count; i++) {
        free(e->looked.items[i].path);
        free(e->looked.items[i].logical);
    }
    vec_free(&e->looked);
    free(e);
    return NULL;
}

const struct report_visitor *explanation_visitor(struct explanation *explanation)
{
    return &explanation->visitor;
}

/* ------ telling ------ */

struct teller {
    struct explanation *e;
    const struct database_host *hosts;
    size_t host_count;
    explanation_line line;
    void *context;
    int64_t rows; /* of the query */
};

static void say(const struct teller *t, int level, const char *format, ...) PRINTF_LIKE(3, 4);

static void say(const struct teller *t, int level, const char *format, ...)
{
    CLEANUP(strbuf_release) struct strbuf text = STRBUF_INIT;
    va_list arguments;
    va_start(arguments, format);
    strbuf_vaddf(&text, format, arguments);
    va_end(arguments);
    t->line(t->context, level, text.data);
}

static void tell_outcome(const struct teller *t, const struct verdict *verdict)
{
    static const char *const meanings[] = {
        [OUTCOME_PASS] = "passed: it had its data, and nothing in it fits the rule",
        [OUTCOME_FAIL] = "failed: what it looks for is there",
        [OUTCOME_NOT_APPLICABLE] = "not applicable: its condition is false on every host",
    };
    const struct rule *rule = t->e->state->rule;
    say(t, 0, "%s: %s", rule->id, rule->title);
    if (t->e->state->outcome == OUTCOME_UNKNOWN)
        say(t, 1, "unknown: %s", verdict->unknown_count ? verdict->unknown[0].reason : "");
    else
        say(t, 1, "%s", meanings[t->e->state->outcome]);
    if (rule->severity_set_at)
        say(t, 1, "severity %s, set by %s", severity_name(rule->severity), rule->severity_set_at);
    for (size_t i = 0; i < rule->param_count; i++) {
        const struct rule_param *param = &rule->params[i];
        if (param->set_at)
            say(t, 1, "%s = %s, set by %s (the rule has %s)", param->name, param->text,
                param->set_at, param->standard);
        else
            say(t, 1, "%s = %s", param->name, param->text);
    }
}

static bool names_word(const char *text, const char *word)
{
    size_t length = strlen(word);
    for (const char *p = text; (p = strstr(p, word)); p += length) {
        bool begins = p == text || (!isalnum((unsigned char)p[-1]) && p[-1] != '_');
        bool ends = !isalnum((unsigned char)p[length]) && p[length] != '_';
        if (begins && ends)
            return true;
    }
    return false;
}

struct fact_names {
    struct strbuf all; /* each with a newline */
    const char *expression;
};

static int on_fact_name(void *context, const struct result_row *row, struct err *err)
{
    struct fact_names *names = context;
    (void)err;
    if (row->values[0] && names_word(names->expression, row->values[0]))
        strbuf_addf(&names->all, "%s\n", row->values[0]);
    return 0;
}

static void tell_facts(const struct teller *t, const char *host, const struct fact_names *names)
{
    for (const char *p = names->all.data; *p;) {
        size_t length = strcspn(p, "\n");
        char name[128];
        snprintf(name, sizeof name, "%.*s", (int)length, p);
        const char *value = facts_get(t->e->analysis->parts.database, host, name);
        say(t, 2, "%s = %s", name, *value ? value : "(not known)");
        p += length + 1;
    }
}

static int tell_condition(const struct teller *t, struct err *err)
{
    static const char *const words[] = {
        [TRUTH_FALSE] = "does not apply",
        [TRUTH_TRUE] = "applies",
        [TRUTH_UNKNOWN] = "may apply: a fact is not known, so the confidence is one step less",
    };
    struct database *database = t->e->analysis->parts.database;
    const char *applies = t->e->state->rule->applies;
    if (!applies)
        return 0;
    struct fact_names names = {.all = STRBUF_INIT, .expression = applies};
    int r = database_query(database, "SELECT name FROM pragma_table_info('facts')",
                           RULE_QUERY_LIMIT_MS, on_fact_name, &names, err);
    say(t, 0, "Applies where %s", applies);
    for (size_t i = 0; r == 0 && i < t->host_count; i++) {
        enum truth truth;
        r = facts_evaluate(database, t->hosts[i].name, applies, &truth, err);
        if (r < 0)
            break;
        say(t, 1, "%s: %s", t->hosts[i].name, words[truth]);
        tell_facts(t, t->hosts[i].name, &names);
    }
    strbuf_release(&names.all);
    return r;
}

/* The files of one log (or, without one, of a table) on a host. Returns their number. */
static size_t tell_files(const struct teller *t, size_t host, const struct rule_log *log,
                         const struct table *table)
{
    size_t count = 0;
    for (size_t i = 0; i < t->e->looked.count; i++) {
        const struct looked *looked = &t->e->looked.items[i];
        if (looked->host != host ||
            !(log ? log_covers(log, looked->logical) : table_covers(table, looked->logical)))
            continue;
        if (count++ >= FILES_SHOWN)
            continue;
        if (looked->bytes)
            say(t, 2, "%s: %lld bytes", looked->path, (long long)looked->bytes);
        else
            say(t, 2, "%s: empty", looked->path);
    }
    if (count > FILES_SHOWN)
        say(t, 2, "... and %zu more files", count - FILES_SHOWN);
    return count;
}

static void tell_absent(const struct teller *t, size_t host, const struct path_pattern *files,
                        size_t count)
{
    const struct report_set *reports = t->e->analysis->parts.reports;
    for (size_t i = 0; i < count; i++)
        say(t, 2, "%s: %s", files[i].text,
            reports && report_host_proves_absent(reports, host, files[i].text)
                ? "the report proves that the host has none"
                : "not in the report");
}

static void tell_hit(const struct teller *t, const struct hit *hit)
{
    char when[32];
    verdict_time(hit->time, when);
    say(t, 3, "%s:%lld%s%s  %s", hit->path, (long long)hit->line, *when ? "  " : "", when,
        hit->text);
}

static void tell_hits(const struct teller *t, size_t host, size_t log)
{
    struct hit_list list =
        hits_list(t->e->analysis->hits, t->e->state->first_pattern + (unsigned)log, (unsigned)host);
    if (list.events == 0) {
        say(t, 2, "no line matches");
        return;
    }
    bool excepts = t->e->state->rule->logs[log].unless != NULL;
    say(t, 2, "%lld line%s%s", (long long)list.events, list.events == 1 ? " matches" : "s match",
        excepts ? ", without those that 'unless' excepts" : "");
    for (size_t i = 0; i < list.count; i++) {
        if (i < HITS_SHOWN || i + HITS_SHOWN >= list.count)
            tell_hit(t, list.items[i]);
        else if (i == HITS_SHOWN)
            say(t, 3, "...");
    }
}

/* How many lines it takes. */
static void tell_number(const struct teller *t, const struct rule *rule, const struct rule_log *log)
{
    char limit[32], within[48] = "", each[160] = "";
    if (log->at_least <= 1 && (rule->query || !log->within_s))
        return;
    if (log->within_s)
        snprintf(within, sizeof within, " within %s",
                 units_format_seconds(log->within_s, limit, sizeof limit));
    if (rule->by && !rule->query)
        snprintf(each, sizeof each, " with the same %s", rule->by);
    say(t, 1, "it takes %lld of them%s%s", (long long)log->at_least, each, within);
}

static void tell_log(const struct teller *t, size_t index)
{
    const struct rule *rule = t->e->state->rule;
    const struct rule_log *log = &rule->logs[index];
    if (rule->query)
        say(t, 0, "Lines '%s' that match %s", log->alias, regex_pattern(log->match));
    else
        say(t, 0, "Lines that match %s", regex_pattern(log->match));
    if (log->unless)
        say(t, 1, "but not %s", regex_pattern(log->unless));
    tell_number(t, rule, log);
    for (size_t h = 0; h < t->host_count; h++) {
        say(t, 1, "%s", t->hosts[h].name);
        if (tell_files(t, h, log, NULL))
            tell_hits(t, h, index);
        else
            tell_absent(t, h, log->files, log->file_count);
    }
}

struct row_counts {
    const struct database_host *hosts;
    size_t host_count;
    int64_t *rows; /* by host */
};

static int on_count(void *context, const struct result_row *row, struct err *err)
{
    const struct row_counts *counts = context;
    (void)err;
    for (size_t h = 0; row->values[0] && row->values[1] && h < counts->host_count; h++)
        if (strcmp(counts->hosts[h].name, row->values[0]) == 0)
            counts->rows[h] = strtoll(row->values[1], NULL, 10);
    return 0;
}

static int tell_table(const struct teller *t, const char *name, struct err *err)
{
    CLEANUP(strbuf_release) struct strbuf sql = STRBUF_INIT;
    CLEANUP_FREE int64_t *rows = calloc(t->host_count + 1, sizeof *rows);
    struct row_counts counts = {t->hosts, t->host_count, rows};
    const struct table *table = table_set_find(t->e->analysis->parts.tables, name);
    if (!rows)
        return err_nomem(err);
    say(t, 0, "Table %s%s", name, table ? "" : ", which no file of the report fills");
    if (!table)
        return 0; /* hosts, facts and the like */
    strbuf_addf(&sql, "SELECT host, count(*) FROM \"%s\" GROUP BY host", name);
    int r = database_query(t->e->analysis->parts.database, sql.data, RULE_QUERY_LIMIT_MS, on_count,
                           &counts, err);
    for (size_t h = 0; r == 0 && h < t->host_count; h++) {
        say(t, 1, "%s: %lld row%s", t->hosts[h].name, (long long)rows[h], rows[h] == 1 ? "" : "s");
        if (!tell_files(t, h, NULL, table))
            tell_absent(t, h, table->leader->files, table->leader->file_count);
    }
    return r;
}

static int on_result(void *context, const struct result_row *row, struct err *err)
{
    struct teller *t = context;
    (void)err;
    if (t->rows++ >= ROWS_SHOWN)
        return 0;
    CLEANUP(strbuf_release) struct strbuf text = STRBUF_INIT;
    for (int i = 0; i < row->count; i++)
        strbuf_addf(&text, "%s%s=%s", i ? " " : "", row->names[i],
                    row->values[i] ? row->values[i] : "NULL");
    say(t, 1, "%s", text.data);
    return 0;
}

/* The rule's own logs are tables only while its query runs, so they are made once more. */
static int tell_query(struct teller *t, struct err *err)
{
    struct database *database = t->e->analysis->parts.database;
    const struct rule *rule = t->e->state->rule;
    struct evaluation evaluation = {
        .analysis = t->e->analysis, .hosts = t->hosts, .host_count = t->host_count};
    struct err detail = ERR_INIT;
    say(t, 0, "Rows of the query");
    int r = rule_tables_fill(&evaluation, t->e->state, err);
    int q = r < 0
                ? 0
                : database_query(database, rule->query, RULE_QUERY_LIMIT_MS, on_result, t, &detail);
    if (r == 0)
        r = rule_tables_drop(database, rule, err);
    if (q < 0)
        say(t, 1, "it failed: %s", detail.text);
    else if (t->rows > ROWS_SHOWN)
        say(t, 1, "... and %lld more rows", (long long)t->rows - ROWS_SHOWN);
    else if (t->rows == 0)
        say(t, 1, "none");
    return r;
}

static void tell_findings(const struct teller *t, const struct verdict *verdict)
{
    if (verdict->finding_count)
        say(t, 0, "Findings");
    for (size_t i = 0; i < verdict->finding_count; i++) {
        const struct finding *finding = &verdict->findings[i];
        char times[40] = "";
        if (finding->count != 1)
            snprintf(times, sizeof times, " (%lld times)", (long long)finding->count);
        say(t, 1, "%s: %s%s", severity_name(finding->severity), finding->title, times);
        if (finding->suppressed)
            say(t, 2, "suppressed: %s%s%s%s%s", finding->suppressed,
                finding->suppressed_owner ? ", by " : "",
                finding->suppressed_owner ? finding->suppressed_owner : "",
                finding->suppressed_until ? ", until " : "",
                finding->suppressed_until ? finding->suppressed_until : "");
    }
}

int explanation_tell(struct explanation *e, const struct database_host *hosts, size_t host_count,
                     const struct verdict *verdict, explanation_line line, void *context,
                     struct err *err)
{
    struct teller t = {
        .e = e, .hosts = hosts, .host_count = host_count, .line = line, .context = context};
    if (e->out_of_memory)
        return err_nomem(err);
    tell_outcome(&t, verdict);
    int r = tell_condition(&t, err);
    for (size_t i = 0; r == 0 && i < e->state->rule->log_count; i++)
        tell_log(&t, i);
    for (size_t i = 0; r == 0 && i < e->state->reads.count; i++)
        r = tell_table(&t, e->state->reads.names[i], err);
    if (r == 0 && e->state->rule->query)
        r = tell_query(&t, err);
    if (r == 0)
        tell_findings(&t, verdict);
    return r;
}
