/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * The timeline and the inventory beside the findings. What counts as an event is data; here hits,
 * rows and findings become events, and those that lie close together become one.
 */
#include "analyzer/judge/overview.h"

#include "analyzer/judge/judge_private.h"

/* Events that are drawn; more of them nobody tells apart, and the page must stay small. */
#define EVENTS_MAX 20000

#define QUERY_LIMIT_MS 5000

/* Bytes of an event's line: enough to see what it is; the finding has the whole. */
#define TEXT_MAX 160

/* 1990: Xen is younger, and a host without a clock begins in 1970. */
#define FIRST_TIME 631152000

struct builder {
    struct evaluation *evaluation;
    const struct timeline_plan *plan;
    struct arena *arena;
    VEC(struct event) events;
};

static const struct timeline_source *next_log(const struct timeline_plan *plan, size_t *kind,
                                              size_t *source)
{
    for (; *kind < plan->kind_count; ++*kind, *source = 0)
        while (*source < plan->kinds[*kind].source_count) {
            const struct timeline_source *found = &plan->kinds[*kind].sources[(*source)++];
            if (found->log.match)
                return found;
        }
    return NULL;
}

size_t overview_log_count(const struct overview *overview)
{
    size_t kind = 0, source = 0, count = 0;
    while (overview->timeline && next_log(overview->timeline, &kind, &source))
        count++;
    return count;
}

const struct rule_log *overview_log(const struct overview *overview, size_t index)
{
    size_t kind = 0, source = 0;
    const struct timeline_source *found;
    while ((found = next_log(overview->timeline, &kind, &source)) && index > 0)
        index--;
    return found ? &found->log : NULL;
}

static int add_names(struct table_names *all, struct table_names *names, struct err *err)
{
    int r = 0;
    for (size_t i = 0; r == 0 && i < names->count; i++)
        if (!table_names_add(all, names->names[i]))
            r = err_nomem(err);
    table_names_release(names);
    return r;
}

int overview_references(const struct overview *overview, struct database *database,
                        struct table_names *ret, struct err *err)
{
    const struct timeline_plan *plan = overview->timeline;
    struct table_names names = {0};
    int r = overview->inventory ? inventory_references(overview->inventory, database, ret, err) : 0;
    for (size_t k = 0; r == 0 && plan && k < plan->kind_count; k++)
        for (size_t s = 0; r == 0 && s < plan->kinds[k].source_count; s++) {
            const struct timeline_source *source = &plan->kinds[k].sources[s];
            struct err detail = ERR_INIT;
            if (!source->query)
                continue;
            r = database_references(database, source->query, &names, &detail);
            r = r < 0 ? doc_fail(source->query_node, err, "%s", detail.text)
                      : add_names(ret, &names, err);
        }
    return r;
}

/* Times that are no times, or far in the future, would press all others into a point. */
static bool is_credible(const struct builder *builder, unsigned host, int64_t time)
{
    return time != TIME_UNKNOWN && time >= FIRST_TIME &&
           time <= builder->evaluation->hosts[host].taken + 86400;
}

static int add(struct builder *builder, const struct event *event, struct err *err)
{
    if (builder->events.count >= EVENTS_MAX || !is_credible(builder, event->host, event->first))
        return 0;
    struct event *slot = vec_push(&builder->events);
    if (!slot)
        return err_nomem(err);
    *slot = *event;
    slot->text = arena_printf(builder->arena, "%.*s", TEXT_MAX, event->text ? event->text : "");
    return slot->text ? 0 : err_nomem(err);
}

/* All hits of a pattern. The middle of very many is only counted: it becomes one long event. */
static int add_hits(struct builder *builder, unsigned kind, unsigned pattern, const char *rule,
                    struct err *err)
{
    int r = 0;
    for (unsigned host = 0; r == 0 && host < builder->evaluation->host_count; host++) {
        struct hit_list list = hits_list(builder->evaluation->analysis->hits, pattern, host);
        int64_t missing = list.events;
        for (size_t i = 0; i < list.count; i++)
            missing -= list.items[i]->count;
        for (size_t i = 0; r == 0 && i < list.count; i++) {
            const struct hit *hit = list.items[i];
            struct event event = {kind, host, hit->time, hit->time, hit->count, hit->text, rule};
            if (missing > 0 && i + 1 == list.count / 2) {
                event.last = list.items[i + 1]->time;
                event.count += missing;
            }
            r = add(builder, &event, err);
        }
    }
    return r;
}

/* A rule with a query: what its findings show as proof. */
static int add_evidence(struct builder *builder, unsigned kind, const struct verdict *verdict,
                        const char *rule, struct err *err)
{
    int r = 0;
    for (size_t i = 0; i < verdict->finding_count; i++) {
        const struct finding *finding = &verdict->findings[i];
        for (size_t e = 0;
             r == 0 && strcmp(finding->rule, rule) == 0 && e < finding->evidence_count; e++) {
            const struct evidence *evidence = &finding->evidence[e];
            int host = evaluation_find_host(builder->evaluation, evidence->host);
            struct event event = {
                kind, (unsigned)host, evidence->time, evidence->time, 1, evidence->text, rule};
            if (host >= 0)
                r = add(builder, &event, err);
        }
    }
    return r;
}

static int add_findings(struct builder *builder, unsigned kind,
                        const struct timeline_source *source, bool *is_taken,
                        const struct verdict *verdict, struct err *err)
{
    const struct analysis *analysis = builder->evaluation->analysis;
    int r = 0;
    for (size_t i = 0; r == 0 && i < analysis->rule_count; i++) {
        const struct rule_state *state = &analysis->rules[i];
        if (is_taken[i] || !timeline_source_takes(source, state->rule))
            continue;
        is_taken[i] = true;
        if (state->outcome == OUTCOME_FAIL)
            r = state->rule->query
                    ? add_evidence(builder, kind, verdict, state->rule->id, err)
                    : add_hits(builder, kind, state->first_pattern, state->rule->id, err);
    }
    return r;
}

struct row_sink {
    struct builder *builder;
    unsigned kind;
};

static int take_row(void *context, const struct result_row *row, struct err *err)
{
    struct row_sink *sink = context;
    struct event event = {.kind = sink->kind, .count = 1};
    int64_t time = TIME_UNKNOWN;
    int host = -1;
    for (int i = 0; i < row->count; i++)
        if (!row->values[i])
            continue;
        else if (strcmp(row->names[i], "host") == 0)
            host = evaluation_find_host(sink->builder->evaluation, row->values[i]);
        else if (strcmp(row->names[i], "time") == 0)
            time = strtoll(row->values[i], NULL, 10);
        else if (strcmp(row->names[i], "text") == 0)
            event.text = row->values[i];
    if (host < 0)
        return 0;
    event.host = (unsigned)host;
    event.first = event.last = time;
    return add(sink->builder, &event, err);
}

static int add_kind(struct builder *builder, unsigned number, unsigned *pattern, bool *is_taken,
                    const struct verdict *verdict, struct err *err)
{
    const struct timeline_kind *kind = &builder->plan->kinds[number];
    int r = 0;
    for (size_t i = 0; r == 0 && i < kind->source_count; i++) {
        const struct timeline_source *source = &kind->sources[i];
        struct row_sink sink = {builder, number};
        if (source->log.match)
            r = add_hits(builder, number, (*pattern)++, NULL, err);
        else if (source->is_findings)
            r = add_findings(builder, number, source, is_taken, verdict, err);
        else if (database_query(builder->evaluation->analysis->parts.database, source->query,
                                QUERY_LIMIT_MS, take_row, &sink, err) == ERR_NOMEM)
            r = err_nomem(err);
    }
    return r;
}

static int by_kind_host_time(const void *a, const void *b)
{
    const struct event *left = a, *right = b;
    if (left->kind != right->kind)
        return left->kind < right->kind ? -1 : 1;
    if (left->host != right->host)
        return left->host < right->host ? -1 : 1;
    return left->first < right->first ? -1 : left->first > right->first;
}

static int by_time(const void *a, const void *b)
{
    const struct event *left = a, *right = b;
    if (left->first != right->first)
        return left->first < right->first ? -1 : 1;
    return left->host < right->host ? -1 : left->host > right->host;
}

/* A rule's event is worth more than a line's: it leads to the finding. */
static void join(struct event *into, const struct event *event)
{
    into->count += event->count;
    if (event->last > into->last)
        into->last = event->last;
    if (!into->rule && event->rule) {
        into->rule = event->rule;
        into->text = event->text;
    }
}

static size_t merge(struct event *events, size_t count, const struct timeline_plan *plan)
{
    size_t kept = 0;
    qsort(events, count, sizeof *events, by_kind_host_time);
    for (size_t i = 0; i < count; i++) {
        struct event *last = kept ? &events[kept - 1] : NULL;
        if (last && last->kind == events[i].kind && last->host == events[i].host &&
            events[i].first - last->last <= plan->kinds[events[i].kind].merge_s)
            join(last, &events[i]);
        else
            events[kept++] = events[i];
    }
    qsort(events, kept, sizeof *events, by_time);
    return kept;
}

static int finish(struct builder *builder, struct timeline *timeline, struct err *err)
{
    const struct evaluation *evaluation = builder->evaluation;
    const struct timeline_plan *plan = builder->plan;
    struct event_kind *kinds = arena_array(builder->arena, plan->kind_count, sizeof *kinds);
    timeline->events =
        arena_array(builder->arena, builder->events.count + 1, sizeof *timeline->events);
    CLEANUP_FREE struct host_clock *clocks = calloc(evaluation->host_count + 1, sizeof *clocks);
    if (!kinds || !timeline->events || !clocks)
        return err_nomem(err);
    for (size_t i = 0; i < plan->kind_count; i++)
        kinds[i] = plan->kinds[i].shown;
    timeline->kinds = kinds;
    timeline->kind_count = plan->kind_count;
    if (builder->events.count) {
        timeline->event_count = merge(builder->events.items, builder->events.count, plan);
        memcpy(timeline->events, builder->events.items,
               timeline->event_count * sizeof *timeline->events);
    }
    for (size_t i = 0; i < evaluation->host_count; i++)
        clocks[i] = (struct host_clock){evaluation->hosts[i].taken,
                                        evaluation->hosts[i].utc_offset};
    return presence_spans(evaluation->analysis->presence, clocks, evaluation->host_count,
                          plan->gap_s, builder->arena, &timeline->spans, &timeline->span_count,
                          err);
}

static int make_timeline(struct evaluation *evaluation, struct verdict *verdict, struct err *err)
{
    const struct analysis *analysis = evaluation->analysis;
    struct builder builder = {evaluation, analysis->parts.overview->timeline, verdict->arena, {0}};
    struct timeline *timeline = arena_alloc(verdict->arena, sizeof *timeline);
    CLEANUP_FREE bool *is_taken = calloc(analysis->rule_count + 1, sizeof *is_taken);
    unsigned pattern = analysis->overview_pattern;
    int r = timeline && is_taken ? 0 : err_nomem(err);
    for (unsigned k = 0; r == 0 && k < builder.plan->kind_count; k++)
        r = add_kind(&builder, k, &pattern, is_taken, verdict, err);
    if (r == 0)
        r = finish(&builder, timeline, err);
    if (r == 0)
        verdict->timeline = timeline;
    vec_free(&builder.events);
    return r;
}

static int make_inventory(struct evaluation *evaluation, struct verdict *verdict, struct err *err)
{
    const struct analysis_parts *parts = &evaluation->analysis->parts;
    CLEANUP_FREE const char **names = calloc(evaluation->host_count + 1, sizeof *names);
    if (!names)
        return err_nomem(err);
    for (size_t i = 0; i < evaluation->host_count; i++)
        names[i] = evaluation->hosts[i].name;
    return inventory_compute(parts->overview->inventory, parts->database, names,
                             evaluation->host_count, verdict->arena, &verdict->inventory, err);
}

int overview_make(struct evaluation *evaluation, struct verdict *verdict, struct err *err)
{
    const struct overview *overview = evaluation->analysis->parts.overview;
    int r = overview->timeline ? make_timeline(evaluation, verdict, err) : 0;
    return r == 0 && overview->inventory ? make_inventory(evaluation, verdict, err) : r;
}
