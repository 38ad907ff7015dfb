/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * The visitor: which tables and patterns a member is for, and its way through them. And the frame
 * of the judgement: clocks, facts, rules, findings, score.
 */
#include "analyzer/judge/judge_private.h"

/* Findings, evidence and reasons of one run; a run that needs more has a rule that fires on
 * everything. */
#define VERDICT_MEMORY (256 * 1024 * 1024)

/* A member may feed a handful of tables (df and its inode twin never share a file; families count
 * once). */
#define TABLES_PER_MEMBER 8

/* A member on its way. */
struct passage {
    struct analysis *analysis;
    unsigned host;
    char *path;
    const struct table *tables[TABLES_PER_MEMBER]; /* made from this member */
    size_t table_count;
    struct extraction *extractions[TABLES_PER_MEMBER]; /* those of them that are wanted */
    size_t extraction_count;
    bool has_data;
    struct scan *scan;
    unsigned stamp_hint;
};

/* ------ what is needed ------ */

int rule_tables_create(struct database *database, const struct rule *rule, struct err *err)
{
    static const char *const common[] = {"host", "path", "line", "offset", "time", "text", "count"};
    if (!rule->query)
        return 0;
    for (size_t i = 0; i < rule->log_count; i++) {
        const struct regex *match = rule->logs[i].match;
        size_t names = regex_name_count(match), count = ARRAY_SIZE(common) + names;
        CLEANUP_FREE const char **columns = calloc(count, sizeof *columns);
        if (!columns)
            return err_nomem(err);
        memcpy(columns, common, sizeof common);
        for (size_t n = 0; n < names; n++)
            columns[ARRAY_SIZE(common) + n] = regex_name_at(match, n);
        int r = database_temp_create(database, rule->logs[i].alias, columns, count, err);
        if (r < 0)
            return r;
    }
    return 0;
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
    if (r == 0)
        r = database_references(database, rule->query, &names, &detail);
    if (r < 0)
        return blame(rule, "query", &detail, err);
    size_t kept = 0;
    for (size_t i = 0; i < names.count; i++)
        if (is_own_log(rule, names.names[i]))
            free((void *)names.names[i]);
        else
            names.names[kept++] = names.names[i];
    names.count = kept;
    state->reads = names;
    return rule_tables_drop(database, rule, err);
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

static bool is_wanted(void *context, const struct table *table)
{
    const struct analysis *analysis = context;
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
    if (r == 0 && parts->query) {
        r = database_references(parts->database, parts->query, &names, err);
        if (r == 0)
            want_all(analysis, &names);
        table_names_release(&names);
    }
    for (size_t i = 0; r == 0 && i < analysis->rule_count; i++)
        want_all(analysis, &analysis->rules[i].reads);
    return r;
}

static int add_patterns(struct analysis *analysis, struct err *err)
{
    size_t count = 0, number = 0;
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
        for (size_t l = 0; r == 0 && l < state->rule->log_count; l++) {
            const struct rule_log *log = &state->rule->logs[l];
            struct log_pattern pattern = {log->files, log->file_count, log->match, log->unless};
            unsigned ignored;
            analysis->pattern_regexes[number++] = log->match;
            r = matcher_add(analysis->matcher, &pattern, &ignored, err);
        }
    }
    if (r == 0)
        r = matcher_compile(analysis->matcher, analysis->parts.cache, err);
    return r < 0 ? r : hits_new(count, &analysis->hits, err);
}

/* ------ the visitor ------ */

static int on_row(void *context, const struct table *table, int64_t line, const struct cell *cells,
                  struct err *err)
{
    struct passage *passage = context;
    return database_insert(passage->analysis->parts.database, table, passage->host, passage->path,
                           line, cells, err);
}

static bool passage_wants(void *context, const struct table *table)
{
    struct passage *passage = context;
    return is_wanted(passage->analysis, table);
}

static int on_hit(void *context, const struct line_hit *hit, struct err *err)
{
    struct passage *passage = context;
    struct analysis *analysis = passage->analysis;
    struct stamp stamp;
    stamp_read(analysis->parts.formats, hit->text, hit->length, &passage->stamp_hint, &stamp);
    return hits_add(analysis->hits, analysis->pattern_regexes[hit->pattern], passage->host,
                    passage->path, hit, &stamp, err);
}

static bool covers(const struct table *table, const char *logical)
{
    for (size_t i = 0; i < table->file_count; i++)
        if (path_pattern_match(&table->files[i], logical, NULL))
            return true;
    return false;
}

static bool any_member_wanted(const struct analysis *analysis, const struct table *table)
{
    for (size_t i = 0; i < table->member_count; i++)
        if (is_wanted((void *)analysis, table->members[i]))
            return true;
    return false;
}

static int begin_extractions(struct passage *passage, const struct member *member, struct err *err)
{
    struct analysis *analysis = passage->analysis;
    for (size_t i = 0; i < table_set_count(analysis->parts.tables); i++) {
        const struct table *table = table_set_at(analysis->parts.tables, i);
        if (table->leader != table || !covers(table, member->logical) ||
            passage->table_count == TABLES_PER_MEMBER)
            continue;
        passage->tables[passage->table_count++] = table;
        if (!any_member_wanted(analysis, table))
            continue;
        struct extraction **slot = &passage->extractions[passage->extraction_count];
        int r = extraction_begin(table, member->logical, on_row, passage, slot, err);
        if (r < 0)
            return r;
        extraction_choose(*slot, passage_wants);
        passage->extraction_count++;
    }
    return 0;
}

static int note_log_sources(struct analysis *analysis, const struct member *member, struct err *err)
{
    for (size_t i = 0; i < analysis->pattern_count; i++) {
        if (!matcher_covers(analysis->matcher, (unsigned)i, member->logical))
            continue;
        while (analysis->sources[i].hosts.count <= member->host) {
            bool *added = vec_push(&analysis->sources[i].hosts);
            if (!added)
                return err_nomem(err);
        }
        analysis->sources[i].hosts.items[member->host] = true;
    }
    return 0;
}

static void *passage_free(struct passage *passage)
{
    for (size_t i = 0; i < passage->extraction_count; i++)
        extraction_free(passage->extractions[i]);
    scan_free(passage->scan);
    free(passage->path);
    free(passage);
    return NULL;
}

static void *visit_begin(void *context, const struct member *member)
{
    struct analysis *analysis = context;
    struct passage *passage = calloc(1, sizeof *passage);
    if (!passage) {
        err_nomem(&analysis->failure);
        return NULL;
    }
    passage->analysis = analysis;
    passage->host = member->host;
    passage->path = strdup(member->path);
    struct err *err = &analysis->failure;
    int r = passage->path ? note_log_sources(analysis, member, err) : err_nomem(err);
    if (r == 0)
        r = begin_extractions(passage, member, err);
    if (r == 0)
        r = scan_begin(analysis->matcher, member->logical, on_hit, passage, &passage->scan, err);
    if (r < 0 || (!passage->scan && passage->table_count == 0))
        return passage_free(passage);
    return passage;
}

/* The first byte is there: the tables made from this member have a source. */
static int note_sources(struct passage *passage, struct err *err)
{
    int r = 0;
    passage->has_data = true;
    for (size_t i = 0; r == 0 && i < passage->table_count; i++)
        r = database_note_source(passage->analysis->parts.database, passage->tables[i],
                                 passage->host, err);
    return r;
}

static int note_silence(struct passage *passage, struct err *err)
{
    for (size_t i = 0; i < passage->table_count; i++) {
        struct silent_member *silent = vec_push(&passage->analysis->silent);
        if (!silent || !(silent->path = strdup(passage->path)))
            return err_nomem(err);
        silent->table = passage->tables[i];
        silent->host = passage->host;
    }
    return 0;
}

static int visit_data(void *state, const char *bytes, size_t length, struct err *err)
{
    struct passage *passage = state;
    int r = passage->has_data || length == 0 ? 0 : note_sources(passage, err);
    if (r == 0 && passage->scan)
        r = scan_feed(passage->scan, bytes, length, err);
    for (size_t i = 0; r == 0 && i < passage->extraction_count; i++)
        r = extraction_feed(passage->extractions[i], bytes, length, err);
    return r;
}

static void add_problem(const struct passage *passage, enum problem_kind kind, const char *text)
{
    struct report_set *reports = passage->analysis->parts.reports;
    if (reports)
        report_set_add_problem(reports, kind, passage->host, passage->path, text);
}

static int visit_end(void *state, bool complete, struct err *err)
{
    (void)complete; /* what is missing is a problem of the report, which the reader records */
    struct passage *passage = state;
    int r = passage->scan ? scan_end(passage->scan, err) : 0;
    for (size_t i = 0; r == 0 && i < passage->extraction_count; i++) {
        bool timed_out = false, malformed = false;
        r = extraction_end(passage->extractions[i], &timed_out, &malformed, err);
        if (r == 0 && timed_out)
            add_problem(passage, PROBLEM_TIMEOUT,
                        "the command did not end in time; its output is cut");
        if (r == 0 && malformed)
            add_problem(passage, PROBLEM_DAMAGED, "not what it should be; rows may be missing");
    }
    if (r == 0 && !passage->has_data)
        r = note_silence(passage, err);
    passage_free(passage);
    return r;
}

/* ------ life ------ */

int analysis_new(const struct analysis_parts *parts, struct analysis **ret, struct err *err)
{
    struct analysis *analysis = calloc(1, sizeof *analysis);
    if (!analysis)
        return err_nomem(err);
    analysis->parts = *parts;
    analysis->rule_count = parts->only ? 1 : rule_set_count(parts->rules);
    analysis->rules = calloc(analysis->rule_count + 1, sizeof *analysis->rules);
    /* Queries may read the facts, so the table must be there when they are checked. */
    int r = analysis->rules ? facts_declare(parts->facts, parts->database, err) : err_nomem(err);
    for (size_t i = 0; r == 0 && i < analysis->rule_count; i++) {
        analysis->rules[i].rule = parts->only ? parts->only : rule_set_at(parts->rules, i);
        r = find_references(analysis, &analysis->rules[i], err);
    }
    if (r == 0)
        r = work_out_tables(analysis, err);
    if (r == 0)
        r = add_patterns(analysis, err);
    if (r < 0) {
        analysis_free(analysis);
        return r;
    }
    analysis->visitor = (struct report_visitor){visit_begin, visit_data, visit_end, analysis};
    *ret = analysis;
    return 0;
}

void *analysis_free(struct analysis *analysis)
{
    if (!analysis)
        return NULL;
    for (size_t i = 0; analysis->rules && i < analysis->rule_count; i++)
        table_names_release(&analysis->rules[i].reads);
    for (size_t i = 0; analysis->sources && i < analysis->pattern_count; i++)
        vec_free(&analysis->sources[i].hosts);
    for (size_t i = 0; i < analysis->silent.count; i++)
        free(analysis->silent.items[i].path);
    vec_free(&analysis->silent);
    free(analysis->sources);
    free(analysis->rules);
    free(analysis->wanted);
    free(analysis->pattern_regexes);
    hits_free(analysis->hits);
    matcher_free(analysis->matcher);
    free(analysis);
    return NULL;
}

const struct report_visitor *analysis_visitor(struct analysis *analysis)
{
    return &analysis->visitor;
}

/* ------ the judgement ------ */

static int date_hits(struct analysis *analysis, const struct database_host *hosts, size_t count,
                     struct err *err)
{
    CLEANUP_FREE int64_t *taken = calloc(count + 1, sizeof *taken);
    if (!taken)
        return err_nomem(err);
    for (size_t i = 0; i < count; i++)
        taken[i] = hosts[i].taken;
    hits_date(analysis->hits, taken, count);
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

static int record(struct verdict *verdict, const struct rule *rule, enum rule_outcome outcome,
                  const char *reason)
{
    struct coverage *coverage = &verdict->coverage;
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
        verdict->unknown[verdict->unknown_count++] = (struct unknown_rule){rule->id, reason};
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
    if (!verdict->unknown)
        return err_nomem(err);
    int r = finding_builder_new(verdict->arena, evaluation->hosts, evaluation->host_count,
                                &evaluation->builder, err);
    for (size_t i = 0; r == 0 && i < analysis->rule_count; i++) {
        struct rule_state *state = &analysis->rules[i];
        const char *reason = "";
        r = evaluate_rule(evaluation, state, &state->outcome, &reason, err);
        if (r == 0)
            r = record(verdict, state->rule, state->outcome, reason);
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
    if (analysis->failure.code != ERR_OK) {
        if (err)
            *err = analysis->failure;
        return analysis->failure.code;
    }
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
    int r = date_hits(analysis, hosts, host_count, err);
    if (r == 0)
        r = settle_silence(analysis, err);
    if (r == 0)
        r = database_settle(analysis->parts.database, hosts, host_count, err);
    if (r == 0)
        r = facts_compute(analysis->parts.facts, analysis->parts.database, err);
    if (r == 0)
        r = judge_rules(analysis, &evaluation, verdict, err);
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
