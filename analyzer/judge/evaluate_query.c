/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * The shapes with a query. Each row is an observation: its columns host, path, line, time and text
 * are where the proof stands, `affects` is the host it concerns (where that is another one: the
 * pool's database is in one host's report and speaks of all), `count` is how many events it stands
 * for, the others are the values of the finding. A row without a path is proved by the files its
 * tables came from.
 */
#include "analyzer/judge/judge_private.h"

/* Columns of a row that become values; more than a title can use. */
#define VALUES_MAX 32

/* Rows of one rule that become observations: room for every stored hit of a log on 64 hosts, so that
 * the many rows of one host do not push out those of another. Further rows are dropped. */
#define ROWS_MAX (64 * 2 * HITS_KEPT)

/* What a row gives as line, time or count must be below this. It is more than any of them needs,
 * and the sum over ROWS_MAX rows still fits int64_t. */
#define NUMBER_MAX 1e14

struct row_context {
    struct evaluation *evaluation;
    const struct rule_state *state;
    const enum truth *applies;
    const bool *doubtful; /* by host: something that is read is there in part only */
    size_t rows;
};

bool query_column_is_no_value(const char *name)
{
    static const char *const names[] = {"host", "path",   "line",    "time",
                                        "text", "offset", "affects", "count"};
    for (size_t i = 0; i < ARRAY_SIZE(names); i++)
        if (strcasecmp(names[i], name) == 0)
            return true;
    return false;
}

static const char *column(const struct result_row *row, const char *name)
{
    for (int i = 0; i < row->count; i++)
        if (strcasecmp(row->names[i], name) == 0)
            return row->values[i];
    return NULL;
}

/* "mount=/var/log use_percent=99": what a row without a text of its own shows as proof. */
static void describe_row(const struct result_row *row, struct strbuf *text)
{
    for (int i = 0; i < row->count; i++)
        if (!query_column_is_no_value(row->names[i]))
            strbuf_addf(text, "%s%s=%s", text->length ? " " : "", row->names[i],
                        row->values[i] ? row->values[i] : "?");
}

static const char *source_path(const struct evaluation *evaluation, const struct rule_state *state)
{
    for (size_t i = 0; i < state->reads.count; i++) {
        const struct table *table =
            table_set_find(evaluation->analysis->parts.tables, state->reads.names[i]);
        if (table && table->file_count)
            return table->leader->files[0].text;
    }
    return NULL;
}

/* A number at the start of a value; 0 for none. */
static int64_t number(const char *text)
{
    double value = text ? strtod(text, NULL) : 0;
    return value > -NUMBER_MAX && value < NUMBER_MAX ? (int64_t)value : 0;
}

/* How many events a row stands for: what it says itself, or else as many as its log line. */
static int64_t events_of_row(const struct result_row *row, const struct hit *hit)
{
    int64_t said = number(column(row, "count"));
    return said > 0 ? said : hit ? hit->count : 1;
}

/* The hit of one of the rule's own logs that a row speaks of, or NULL. */
static const struct hit *hit_of_row(const struct row_context *rows, int host, const char *path,
                                    int64_t line)
{
    const struct rule_state *state = rows->state;
    const struct hits *hits = rows->evaluation->analysis->hits;
    const struct hit *hit = NULL;
    for (size_t i = 0; host >= 0 && path && !hit && i < state->rule->log_count; i++)
        hit = hits_find(hits, state->first_pattern + (unsigned)i, (unsigned)host, path, line);
    return hit;
}

/* A row may be there only because another one is missing. Rows without a host are of all hosts. */
static bool is_certain(const struct row_context *rows, int host)
{
    if (host >= 0)
        return rows->applies[host] == TRUTH_TRUE && !rows->doubtful[host];
    for (size_t i = 0; i < rows->evaluation->host_count; i++)
        if (rows->doubtful[i])
            return false;
    return true;
}

static int on_result(void *context, const struct result_row *row, struct err *err)
{
    struct row_context *rows = context;
    struct evaluation *evaluation = rows->evaluation;
    const struct rule *rule = rows->state->rule;
    int host = evaluation_find_host(evaluation, column(row, "host"));
    const char *named = column(row, "affects");
    int affects = named ? evaluation_find_host(evaluation, named) : host;
    if (rows->rows == ROWS_MAX || (host >= 0 && rows->applies[host] == TRUTH_FALSE))
        return 0;
    rows->rows++;
    struct finding_value values[VALUES_MAX];
    size_t count = 0;
    for (int i = 0; i < row->count && count < VALUES_MAX; i++)
        if (!query_column_is_no_value(row->names[i]) && row->values[i])
            values[count++] = (struct finding_value){row->names[i], row->values[i]};
    CLEANUP(strbuf_release) struct strbuf described = STRBUF_INIT;
    describe_row(row, &described);
    const char *path = column(row, "path"), *text = column(row, "text");
    const char *time = column(row, "time");
    const struct hit *hit = hit_of_row(rows, host, path, number(column(row, "line")));
    bool is_line = hit && text && strcmp(text, hit->text) == 0;
    struct observation observation = {
        .host = host,
        .affects = affects,
        .before = hit ? hit->before : NULL,
        .after = hit ? hit->after : NULL,
        .path = path ? path : source_path(evaluation, rows->state),
        .line = number(column(row, "line")),
        .time = time ? number(time) : TIME_UNKNOWN,
        .text = text ? text : described.data,
        .match = is_line ? hit->match : 0,
        .match_length = is_line ? hit->match_length : 0,
        .count = events_of_row(row, hit),
        .values = values,
        .value_count = count,
    };
    const char *key = rule->by ? column(row, rule->by)
                               : finding_title(evaluation->arena, rule->title, values, count);
    return finding_builder_add(evaluation->builder, rule, key ? key : "", is_certain(rows, host),
                               &observation, err);
}

static bool is_optional(const struct rule *rule, const char *table)
{
    for (const char *const *name = rule->optional; *name; name++)
        if (strcasecmp(*name, table) == 0)
            return true;
    return false;
}

/* The pool's database holds all hosts: one copy is enough. Other files speak for their host only.
 */
static bool is_pool_wide(const struct table *table)
{
    return table->leader != table || table->member_count > 1;
}

/* Whether a host has the table's file, or proves that it has no such thing. */
static bool table_is_known(const struct evaluation *evaluation, const struct table *table,
                           size_t host)
{
    if (database_has_source(evaluation->analysis->parts.database, table->name, (int)host))
        return true;
    return table->empty_if_absent && evaluation->reports &&
           report_host_proves_absent(evaluation->reports, host, table->files[0].text);
}

/* Whether one of the things a query reads, a table or a log, has data on a host. */
static bool is_known(const struct evaluation *evaluation, const struct rule_state *state,
                     const struct table *table, size_t log, size_t host)
{
    return table ? table_is_known(evaluation, table, host)
                 : log_is_known(evaluation, &state->rule->logs[log],
                                state->first_pattern + (unsigned)log, host);
}

/* Whether that data is all there can be of it. The rows of a table come from its leader's files. */
static bool is_whole(const struct evaluation *evaluation, const struct rule_state *state,
                     const struct table *table, size_t log, size_t host)
{
    if (!table)
        return log_is_whole(evaluation, &state->rule->logs[log], host);
    for (size_t i = 0; evaluation->reports && i < table->leader->file_count; i++)
        if (!report_host_saw_all(evaluation->reports, host, &table->leader->files[i], false))
            return false;
    return true;
}

static size_t source_count(const struct rule_state *state)
{
    return state->reads.count + state->rule->log_count;
}

/* What a query reads: a table, or one of the rule's logs. Lists come with the program, not with a
 * report. */
struct read {
    const struct table *table; /* NULL: a log */
    size_t log;
    bool is_list, is_optional;
};

static struct read read_at(const struct evaluation *evaluation, const struct rule_state *state,
                           size_t index)
{
    const struct rule *rule = state->rule;
    if (index >= state->reads.count) {
        size_t log = index - state->reads.count;
        return (struct read){.log = log, .is_optional = is_optional(rule, rule->logs[log].alias)};
    }
    const struct table *table =
        table_set_find(evaluation->analysis->parts.tables, state->reads.names[index]);
    return (struct read){
        .table = table, .is_list = !table, .is_optional = table && is_optional(rule, table->name)};
}

static int note_read_lack(struct evaluation *evaluation, const struct rule_state *state,
                          const struct read *read, int host, bool in_part, const char **ret_reason,
                          struct err *err)
{
    const char *path = read->table ? read->table->leader->files[0].text
                                   : state->rule->logs[read->log].files[0].text;
    if (!read->table && host >= 0)
        return note_log_lack(evaluation, &state->rule->logs[read->log], (size_t)host, in_part,
                             ret_reason, err);
    return note_lack(evaluation, path, host < 0 ? NULL : evaluation->hosts[host].name, in_part,
                     ret_reason, err);
}

/*
 * One thing that a query cannot do without: it must be known on any host, and with `everywhere` on
 * every host that the rule applies to, whole. *ret_reason is set when it is not.
 */
static int check_source(struct evaluation *evaluation, const struct rule_state *state,
                        const struct read *read, const enum truth *applies, bool everywhere,
                        const char **ret_reason, struct err *err)
{
    bool any = false, any_whole = false, in_part = false;
    int blind = -1;
    for (size_t h = 0; h < evaluation->host_count; h++) {
        bool known = is_known(evaluation, state, read->table, read->log, h);
        bool whole =
            known && (!everywhere || is_whole(evaluation, state, read->table, read->log, h));
        any |= known;
        any_whole |= whole;
        if (!whole && blind < 0 && applies[h] != TRUTH_FALSE) {
            blind = (int)h;
            in_part = known;
        }
    }
    bool is_enough = any_whole && read->table && is_pool_wide(read->table);
    if (any && (!everywhere || blind < 0 || is_enough))
        return 0;
    return note_read_lack(evaluation, state, read, any ? blind : -1, in_part, ret_reason, err);
}

/*
 * What a query can do without, on one host: it must not be there in part, nor may it have stood
 * behind a cut; and when all it reads is of this kind, one thing must be there at least.
 */
static int check_optional(struct evaluation *evaluation, const struct rule_state *state,
                          size_t host, const char **ret_reason, struct err *err)
{
    bool is_open = evaluation->reports && report_host_is_open(evaluation->reports, host);
    bool any = false;
    struct read first = {.is_list = true};
    for (size_t i = 0; i < source_count(state); i++) {
        struct read read = read_at(evaluation, state, i);
        if (read.is_list)
            continue;
        bool known = is_known(evaluation, state, read.table, read.log, host);
        bool is_lost = known ? !is_whole(evaluation, state, read.table, read.log, host) : is_open;
        if (read.is_optional && is_lost && !(read.table && is_pool_wide(read.table)))
            return note_read_lack(evaluation, state, &read, (int)host, known, ret_reason, err);
        any = any || known || !read.is_optional || (read.table && is_pool_wide(read.table));
        first = first.is_list ? read : first;
    }
    return any || first.is_list
               ? 0
               : note_read_lack(evaluation, state, &first, (int)host, false, ret_reason, err);
}

/*
 * Whether the query has its data: with `everywhere`, on every host it applies to (needed to say
 * "pass"), else on any (needed to ask at all). *ret_reason is set when it has not.
 */
static int check_data(struct evaluation *evaluation, const struct rule_state *state,
                      const enum truth *applies, bool everywhere, const char **ret_reason,
                      struct err *err)
{
    int r = 0;
    for (size_t i = 0; r == 0 && i < source_count(state) && !*ret_reason; i++) {
        struct read read = read_at(evaluation, state, i);
        if (!read.is_list && !read.is_optional)
            r = check_source(evaluation, state, &read, applies, everywhere, ret_reason, err);
    }
    for (size_t h = 0; everywhere && r == 0 && h < evaluation->host_count && !*ret_reason; h++)
        if (applies[h] != TRUTH_FALSE)
            r = check_optional(evaluation, state, h, ret_reason, err);
    return r;
}

/* Whether something it reads is there in part. */
static bool is_doubtful(const struct evaluation *evaluation, const struct rule_state *state,
                        size_t host)
{
    for (size_t i = 0; i < source_count(state); i++) {
        struct read read = read_at(evaluation, state, i);
        if (!read.is_list && is_known(evaluation, state, read.table, read.log, host) &&
            !is_whole(evaluation, state, read.table, read.log, host))
            return true;
    }
    return false;
}

static struct cell text_cell(const char *text)
{
    return (struct cell){text, text ? strlen(text) : 0};
}

/* A row of a log's table: one hit, which stands for `events`. */
static int insert_hit(struct evaluation *evaluation, const struct rule_log *log,
                      const struct hit *hit, int64_t events, struct err *err)
{
    char line[24], offset[24], time[24], count[24];
    struct cell cells[7 + REGEX_GROUPS_MAX];
    size_t names = regex_name_count(log->match);
    snprintf(line, sizeof line, "%lld", (long long)hit->line);
    snprintf(offset, sizeof offset, "%lld", (long long)hit->offset);
    snprintf(time, sizeof time, "%lld", (long long)hit->time);
    snprintf(count, sizeof count, "%lld", (long long)events);
    cells[0] = text_cell(evaluation->hosts[hit->host].name);
    cells[1] = text_cell(hit->path);
    cells[2] = text_cell(line);
    cells[3] = text_cell(offset);
    cells[4] = text_cell(hit->time == TIME_UNKNOWN ? NULL : time);
    cells[5] = text_cell(hit->text);
    cells[6] = text_cell(count);
    for (size_t i = 0; i < names; i++)
        cells[7 + i] = text_cell(hit->groups[i]);
    return database_temp_insert(evaluation->analysis->parts.database, log->alias, cells, 7 + names,
                                err);
}

/*
 * The hits of a log on one host become rows. Where it takes so many within so long, those are rows
 * that were part of it, and the last one stands for what is counted and not stored as well.
 */
static int fill_log(struct evaluation *evaluation, const struct rule_log *log, unsigned pattern,
                    unsigned host, struct err *err)
{
    const struct hits *hits = evaluation->analysis->hits;
    struct hit_list list = hits_list(hits, pattern, host);
    if (list.count == 0 || hits_densest(hits, pattern, host, log->within_s) < log->at_least)
        return 0;
    CLEANUP_FREE struct hit **chosen = calloc(list.count, sizeof *chosen);
    if (!chosen)
        return err_nomem(err);
    memcpy(chosen, list.items, list.count * sizeof *chosen);
    size_t count = list.count;
    int64_t unstored = 0;
    if (log->at_least > 1 && list.complete)
        count = hits_bursts(chosen, count, log->within_s, log->at_least);
    else if (log->at_least > 1)
        unstored = list.events;
    for (size_t i = 0; unstored && i < count; i++)
        unstored -= chosen[i]->count;
    int r = 0;
    for (size_t i = 0; r == 0 && i < count; i++)
        r = insert_hit(evaluation, log, chosen[i],
                       chosen[i]->count + (i + 1 == count ? unstored : 0), err);
    return r;
}

int rule_tables_fill(struct evaluation *evaluation, const struct rule_state *state, struct err *err)
{
    const struct rule *rule = state->rule;
    int r = rule_tables_create(evaluation->analysis->parts.database, rule, err);
    for (size_t i = 0; i < rule->log_count; i++)
        for (size_t h = 0; r == 0 && h < evaluation->host_count; h++)
            r = fill_log(evaluation, &rule->logs[i], state->first_pattern + (unsigned)i,
                         (unsigned)h, err);
    return r;
}

/*
 * Runs the query over filled tables. One that worked with other reports may fail with this one (a
 * sum that overflows, more rows than time allows): that costs the rule, not the run. Bad SQL was
 * refused when the rule was prepared.
 */
static int ask(struct row_context *rows, const char **ret_reason, struct err *err)
{
    struct evaluation *evaluation = rows->evaluation;
    const struct rule *rule = rows->state->rule;
    struct err detail = ERR_INIT;
    int r = database_query(evaluation->analysis->parts.database, rule->query, RULE_QUERY_LIMIT_MS,
                           on_result, rows, &detail);
    if (r == ERR_PARSE || r == ERR_LIMIT || r == ERR_TIMEOUT) {
        *ret_reason = arena_printf(evaluation->arena, "its query cannot cope with this report: %s",
                                   detail.text);
        return *ret_reason ? 0 : err_nomem(err);
    }
    return r < 0 ? doc_fail(doc_get(rule->root, "query"), err, "%s", detail.text) : 0;
}

int evaluate_query(struct evaluation *evaluation, const struct rule_state *state,
                   const enum truth *applies, enum rule_outcome *ret, const char **ret_reason,
                   struct err *err)
{
    const struct rule *rule = state->rule;
    const char *reason = NULL;
    int r = check_data(evaluation, state, applies, false, &reason, err);
    if (r < 0)
        return r;
    CLEANUP_FREE bool *doubtful = calloc(evaluation->host_count + 1, sizeof *doubtful);
    if (!doubtful)
        return err_nomem(err);
    for (size_t i = 0; i < evaluation->host_count; i++)
        doubtful[i] = is_doubtful(evaluation, state, i);
    struct row_context rows = {evaluation, state, applies, doubtful, 0};
    if (!reason) {
        r = rule_tables_fill(evaluation, state, err);
        if (r == 0)
            r = ask(&rows, &reason, err);
        if (r == 0)
            r = rule_tables_drop(evaluation->analysis->parts.database, rule, err);
        if (r == 0 && rows.rows == 0 && !reason)
            r = check_data(evaluation, state, applies, true, &reason, err);
    }
    if (r < 0)
        return r;
    *ret = rows.rows ? OUTCOME_FAIL : reason ? OUTCOME_UNKNOWN : OUTCOME_PASS;
    if (*ret == OUTCOME_UNKNOWN)
        *ret_reason = reason;
    return 0;
}
