/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * The frame of an analysis: what it needs to look at, and, when all members are read, the
 * judgement: clocks, facts, rules, findings, score.
 */
#include "analyzer/judge/judge_private.h"
#include "common/background.h"

/* Findings, evidence and reasons of one run; a run that needs more has a rule that fires on
 * everything. */
#define VERDICT_MEMORY (256 * 1024 * 1024)

static int create_table(struct database *database, const struct rule_log *log, struct err *err)
{
    static const char *const common[] = {"host", "path", "line", "offset", "time", "text", "count"};
    size_t names = regex_name_count(log->match), count = ARRAY_SIZE(common) + names;
    CLEANUP_FREE const char **columns = calloc(count, sizeof *columns);
    if (!columns)
        return err_nomem(err);
    memcpy(columns, common, sizeof common);
    for (size_t n = 0; n < names; n++)
        columns[ARRAY_SIZE(common) + n] = regex_name_at(log->match, n);
    return database_temp_create(database, log->alias, columns, count, err);
}

int rule_tables_create(struct database *database, const struct rule *rule, struct err *err)
{
    size_t made = 0;
    int r = 0;
    while (rule->query && made < rule->log_count &&
           (r = create_table(database, &rule->logs[made], err)) == 0)
        made++;
    while (r < 0 && made > 0)
        database_temp_drop(database, rule->logs[--made].alias, NULL);
    return r;
}

int rule_tables_drop(struct database *database, const struct rule *rule, struct err *err)
{
    for (size_t i = 0; rule->query && i < rule->log_count; i++) {
        int r = database_temp_drop(database, rule->logs[i].alias, err);
        if (r < 0)
            return r;
    }
    return 0;
}

static bool is_own_log(const struct rule *rule, const char *table)
{
    for (size_t i = 0; i < rule->log_count; i++)
        if (strcasecmp(rule->logs[i].alias, table) == 0)
            return true;
    return false;
}

/* The error of a statement, at the place of the rule's key. */
static int blame(const struct rule *rule, const char *key, struct err *detail, struct err *err)
{
    return doc_fail(doc_get(rule->root, key), err, "%s", detail->text);
}

static int find_references(struct analysis *analysis, struct rule_state *state, struct err *err)
{
    const struct rule *rule = state->rule;
    struct database *database = analysis->parts.database;
    if (!rule->query)
        return 0;
    struct table_names names = {0};
    struct err detail = ERR_INIT;
    int r = rule_tables_create(database, rule, &detail);
    if (r < 0)
        return blame(rule, "query", &detail, err);
    r = database_references(database, rule->query, &names, &detail);
    /* Also of a wrong query: lint goes on with the next rule in the same database. */
    int dropped = rule_tables_drop(database, rule, &detail);
    if (r < 0 || dropped < 0) {
        table_names_release(&names);
        return blame(rule, "query", &detail, err);
    }
    size_t kept = 0;
    for (size_t i = 0; i < names.count; i++)
        if (is_own_log(rule, names.names[i]))
            free((void *)names.names[i]);
        else
            names.names[kept++] = names.names[i];
    names.count = kept;
    state->reads = names;
    return 0;
}

int analysis_query_names(struct database *database, const struct rule *rule,
                         struct table_names *ret_tables, struct table_names *ret_columns,
                         struct err *err)
{
    struct table_names tables = {0}, columns = {0};
    int r = rule_tables_create(database, rule, err);
    if (r < 0)
        return r;
    r = database_references(database, rule->query, &tables, err);
    if (r == 0)
        r = database_columns(database, rule->query, &columns, err);
    int dropped = rule_tables_drop(database, rule, err);
    r = r < 0 ? r : dropped;
    if (r < 0) {
        table_names_release(&tables);
        table_names_release(&columns);
        return r;
    }
    *ret_tables = tables;
    *ret_columns = columns;
    return 0;
}

static void want(struct analysis *analysis, const char *name)
{
    for (size_t i = 0; i < table_set_count(analysis->parts.tables); i++)
        if (strcasecmp(table_set_at(analysis->parts.tables, i)->name, name) == 0)
            analysis->wanted[i] = true;
}

static void want_all(struct analysis *analysis, const struct table_names *names)
{
    for (size_t i = 0; i < names->count; i++)
        want(analysis, names->names[i]);
}

bool analysis_wants(const struct analysis *analysis, const struct table *table)
{
    for (size_t i = 0; i < table_set_count(analysis->parts.tables); i++)
        if (table_set_at(analysis->parts.tables, i) == table)
            return analysis->wanted[i];
    return false;
}

static int work_out_tables(struct analysis *analysis, struct err *err)
{
    const struct analysis_parts *parts = &analysis->parts;
    size_t count = table_set_count(parts->tables);
    analysis->wanted = calloc(count + 1, sizeof *analysis->wanted);
    if (!analysis->wanted)
        return err_nomem(err);
    for (size_t i = 0; i < count; i++)
        analysis->wanted[i] = parts->all_tables;
    struct table_names names = {0};
    int r = facts_references(parts->facts, parts->database, &names, err);
    if (r == 0)
        want_all(analysis, &names);
    table_names_release(&names);
    if (r == 0 && parts->differences) {
        r = difference_references(parts->differences, parts->database, &names, err);
        if (r == 0)
            want_all(analysis, &names);
        table_names_release(&names);
    }
    if (r == 0 && parts->query) {
        r = database_references(parts->database, parts->query, &names, err);
        if (r == 0)
            want_all(analysis, &names);
        table_names_release(&names);
    }
    if (r == 0 && parts->overview) {
        r = overview_references(parts->overview, parts->database, &names, err);
        if (r == 0)
            want_all(analysis, &names);
        table_names_release(&names);
    }
    for (size_t i = 0; r == 0 && i < analysis->rule_count; i++)
        want_all(analysis, &analysis->rules[i].reads);
    return r;
}

static int add_pattern(struct analysis *analysis, const struct rule_log *log, struct err *err)
{
    struct log_pattern pattern = {log->files, log->file_count, log->match, log->unless};
    unsigned number;
    int r = matcher_add(analysis->matcher, &pattern, &number, err);
    if (r == 0)
        analysis->pattern_regexes[number] = log->match;
    return r;
}

static int add_patterns(struct analysis *analysis, struct err *err)
{
    const struct overview *overview = analysis->parts.overview;
    size_t events = overview ? overview_log_count(overview) : 0;
    size_t count = events, number = 0;
    for (size_t i = 0; i < analysis->rule_count; i++)
        count += analysis->rules[i].rule->log_count;
    analysis->pattern_regexes = calloc(count + 1, sizeof *analysis->pattern_regexes);
    analysis->sources = calloc(count + 1, sizeof *analysis->sources);
    if (!analysis->pattern_regexes || !analysis->sources)
        return err_nomem(err);
    analysis->pattern_count = count;
    int r = matcher_new(&analysis->matcher, err);
    for (size_t i = 0; r == 0 && i < analysis->rule_count; i++) {
        struct rule_state *state = &analysis->rules[i];
        state->first_pattern = (unsigned)number;
        for (size_t l = 0; r == 0 && l < state->rule->log_count; l++, number++)
            r = add_pattern(analysis, &state->rule->logs[l], err);
    }
    analysis->overview_pattern = (unsigned)number;
    for (size_t i = 0; r == 0 && i < events; i++)
        r = add_pattern(analysis, overview_log(overview, i), err);
    return r < 0 ? r : hits_new(count, &analysis->hits, err);
}

/* In the background: of all this the queries know nothing. */
static int compile_patterns(void *context, struct err *err)
{
    const struct analysis *analysis = context;
    table_set_speed_up(analysis->parts.tables);
    return matcher_compile(analysis->matcher, analysis->parts.cache, err);
}

/* Finds out what the queries of all rules read. */
static int check_queries(struct analysis *analysis, struct err *err)
{
    /* Queries may read the lists and facts, so the tables must be there when they are checked. */
    int r = lists_fill(analysis->parts.lists, analysis->parts.database, err);
    if (r == 0)
        r = facts_declare(analysis->parts.facts, analysis->parts.database, err);
    for (size_t i = 0; r == 0 && i < analysis->rule_count; i++)
        r = find_references(analysis, &analysis->rules[i], err);
    return r < 0 ? r : work_out_tables(analysis, err);
}

int analysis_new(const struct analysis_parts *parts, struct analysis **ret, struct err *err)
{
    struct analysis *analysis = calloc(1, sizeof *analysis);
    if (!analysis)
        return err_nomem(err);
    analysis->parts = *parts;
    analysis->rule_count = parts->only ? 1 : rule_set_count(parts->rules);
    analysis->rules = calloc(analysis->rule_count + 1, sizeof *analysis->rules);
    for (size_t i = 0; analysis->rules && i < analysis->rule_count; i++)
        analysis->rules[i].rule = parts->only ? parts->only : rule_set_at(parts->rules, i);
    int r = analysis->rules ? add_patterns(analysis, err) : err_nomem(err);
    if (r == 0) {
        struct background patterns;
        background_begin(&patterns, parts->threads, compile_patterns, analysis);
        r = check_queries(analysis, err);
        int compiled = background_end(&patterns, err);
        r = r < 0 ? r : compiled;
    }
    if (r == 0 && parts->overview && parts->overview->timeline)
        r = presence_new(parts->overview->timeline->presence,
                         parts->overview->timeline->presence_count, parts->formats,
                         &analysis->presence, err);
    if (r == 0 && parts->reports && !parts->query)
        r = log_clock_new(rule_set_log_times(parts->rules), parts->formats, &analysis->clock, err);
    if (r < 0) {
        analysis_free(analysis);
        return r;
    }
    if (parts->context)
        hits_want_context(analysis->hits);
    analysis->visitor = analysis_visits(analysis);
    *ret = analysis;
    return 0;
}

void *analysis_free(struct analysis *analysis)
{
    if (!analysis)
        return NULL;
    for (size_t i = 0; analysis->rules && i < analysis->rule_count; i++)
        table_names_release(&analysis->rules[i].reads);
    for (size_t i = 0; analysis->sources && i < analysis->pattern_count; i++) {
        struct sources *sources = &analysis->sources[i];
        vec_free(&sources->hosts);
        for (size_t host = 0; host < sources->gaps.count; host++)
            free(sources->gaps.items[host]);
        vec_free(&sources->gaps);
    }
    for (size_t i = 0; i < analysis->silent.count; i++)
        free(analysis->silent.items[i].path);
    vec_free(&analysis->silent);
    free(analysis->sources);
    free(analysis->rules);
    free(analysis->wanted);
    free(analysis->pattern_regexes);
    hits_free(analysis->hits);
    presence_free(analysis->presence);
    log_clock_free(analysis->clock);
    matcher_free(analysis->matcher);
    free(analysis);
    return NULL;
}

const struct report_visitor *analysis_visitor(struct analysis *analysis)
{
    return &analysis->visitor;
}

static int date_hits(struct analysis *analysis, const struct database_host *hosts, size_t count,
                     struct err *err)
{
    CLEANUP_FREE struct host_clock *clocks = calloc(count + 1, sizeof *clocks);
    if (!clocks)
        return err_nomem(err);
    for (size_t i = 0; i < count; i++)
        clocks[i] = (struct host_clock){hosts[i].taken, hosts[i].utc_offset};
    hits_date(analysis->hits, clocks, count);
    return 0;
}

/* Empty members that the report says are results, not failures, are sources too. */
static int settle_silence(struct analysis *analysis, struct err *err)
{
    const struct report_set *reports = analysis->parts.reports;
    int r = 0;
    for (size_t i = 0; r == 0 && i < analysis->silent.count; i++) {
        const struct silent_member *silent = &analysis->silent.items[i];
        if (!reports || report_host_proves_empty(reports, silent->host, silent->path))
            r = database_note_source(analysis->parts.database, silent->table, silent->host, err);
    }
    return r;
}

static int record(const struct evaluation *evaluation, struct verdict *verdict,
                  const struct rule *rule, enum rule_outcome outcome, const char *reason)
{
    struct coverage *coverage = &verdict->coverage;
    verdict->rules[verdict->rule_count++] = (struct judged_rule){
        .rule = rule->id,
        .title = rule->title,
        .component = rule->component,
        .severity = rule->severity,
        .confidence = rule->confidence,
        .explanation = rule->explanation,
        .advice = rule->advice,
        .links = rule->links,
        .outcome = outcome,
        .reason = reason,
    };
    coverage->rules++;
    switch (outcome) {
    case OUTCOME_FAIL:
        coverage->failed++;
        break;
    case OUTCOME_PASS:
        coverage->passed++;
        break;
    case OUTCOME_NOT_APPLICABLE:
        coverage->not_applicable++;
        break;
    case OUTCOME_UNKNOWN:
        coverage->unknown++;
        verdict->unknown[verdict->unknown_count++] = (struct unknown_rule){
            rule->id, reason, evaluation->lacks_path, evaluation->lacks_host};
        break;
    }
    coverage->evaluated = coverage->failed + coverage->passed;
    return 0;
}

static int copy_packs(struct verdict *verdict, const struct rule_set *rules, struct err *err)
{
    size_t count = rule_set_pack_count(rules);
    verdict->packs = arena_array(verdict->arena, count + 1, sizeof *verdict->packs);
    if (!verdict->packs)
        return err_nomem(err);
    for (size_t i = 0; i < count; i++)
        verdict->packs[verdict->pack_count++] = *rule_set_pack(rules, i);
    return 0;
}

static int judge_rules(struct analysis *analysis, struct evaluation *evaluation,
                       struct verdict *verdict, struct err *err)
{
    verdict->unknown =
        arena_array(verdict->arena, analysis->rule_count + 1, sizeof *verdict->unknown);
    verdict->rules =
        arena_array(verdict->arena, analysis->rule_count + 1, sizeof *verdict->rules);
    if (!verdict->unknown || !verdict->rules)
        return err_nomem(err);
    int r = finding_builder_new(verdict->arena, evaluation->hosts, evaluation->host_count,
                                &evaluation->builder, err);
    for (size_t i = 0; r == 0 && i < analysis->rule_count; i++) {
        struct rule_state *state = &analysis->rules[i];
        const char *reason = "";
        r = evaluate_rule(evaluation, state, &state->outcome, &reason, err);
        if (r == 0)
            r = record(evaluation, verdict, state->rule, state->outcome, reason);
        if (r == 0 && finding_builder_dropped(evaluation->builder, state->rule) &&
            evaluation->reports)
            report_set_add_problem(evaluation->reports, PROBLEM_REFUSED, 0, state->rule->id,
                                   "this rule has more findings than are shown");
    }
    if (r == 0)
        r = finding_builder_finish(evaluation->builder, verdict, err);
    finding_builder_free(evaluation->builder);
    return r;
}

int analysis_judge(struct analysis *analysis, const struct database_host *hosts, size_t host_count,
                   struct verdict **ret, struct err *err)
{
    if (analysis->failure.code != ERR_OK)
        return err_pass(err, analysis->failure.code, &analysis->failure);
    struct verdict *verdict = calloc(1, sizeof *verdict);
    if (!verdict || !(verdict->arena = arena_new(VERDICT_MEMORY))) {
        verdict_free(verdict);
        return err_nomem(err);
    }
    struct evaluation evaluation = {
        .analysis = analysis,
        .hosts = hosts,
        .host_count = host_count,
        .reports = analysis->parts.reports,
        .arena = verdict->arena,
    };
    if (analysis->clock)
        log_clock_tell(analysis->clock, evaluation.reports, hosts, host_count);
    int r = date_hits(analysis, hosts, host_count, err);
    if (r == 0)
        r = settle_silence(analysis, err);
    if (r == 0)
        r = database_settle(analysis->parts.database, hosts, host_count, err);
    if (r == 0)
        r = facts_compute(analysis->parts.facts, analysis->parts.database, err);
    if (r == 0)
        r = judge_rules(analysis, &evaluation, verdict, err);
    if (r == 0 && analysis->parts.suppressions)
        r = suppressions_apply(analysis->parts.suppressions, analysis->parts.rules,
                               analysis->parts.now, verdict, err);
    if (r == 0 && analysis->parts.overview)
        r = overview_make(&evaluation, verdict, err);
    if (r == 0)
        r = copy_packs(verdict, analysis->parts.rules, err);
    if (r == 0)
        r = score_compute(verdict, hosts, host_count, analysis->rules, analysis->rule_count, err);
    if (r < 0) {
        verdict_free(verdict);
        return r;
    }
    *ret = verdict;
    return 0;
}
