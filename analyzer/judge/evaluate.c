/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * One rule against all hosts: its condition, and the shape that has log patterns alone.
 */
#include "analyzer/judge/judge_private.h"

static int truths(struct evaluation *evaluation, const struct rule *rule, enum truth *applies,
                  struct err *err)
{
    for (size_t i = 0; i < evaluation->host_count; i++)
        applies[i] = TRUTH_TRUE;
    if (!rule->applies)
        return 0;
    struct err detail = ERR_INIT;
    int r = facts_evaluate_all(evaluation->analysis->parts.database, rule->applies, applies,
                               evaluation->host_count, &detail);
    return r < 0 ? doc_fail(doc_get(rule->root, "applies"), err, "%s", detail.text) : 0;
}

int evaluation_find_host(const struct evaluation *evaluation, const char *name)
{
    for (size_t i = 0; name && i < evaluation->host_count; i++)
        if (strcmp(evaluation->hosts[i].name, name) == 0)
            return (int)i;
    return -1;
}

bool log_is_whole(const struct evaluation *evaluation, const struct rule_log *log, size_t host)
{
    for (size_t i = 0; evaluation->reports && i < log->file_count; i++)
        if (report_host_lost(evaluation->reports, host, log->files[i].text) ||
            !report_host_saw_all(evaluation->reports, host, &log->files[i], true))
            return false;
    return true;
}

bool log_is_known(const struct evaluation *evaluation, const struct rule_log *log, unsigned pattern,
                  size_t host)
{
    const struct sources *sources = &evaluation->analysis->sources[pattern];
    if (host < sources->hosts.count && sources->hosts.items[host])
        return true;
    for (size_t i = 0; evaluation->reports && i < log->file_count; i++)
        if (report_host_proves_absent(evaluation->reports, host, log->files[i].text))
            return true;
    return false;
}

int note_lack(struct evaluation *evaluation, const char *path, const char *host, bool in_part,
              const char **ret_reason, struct err *err)
{
    evaluation->lacks_path = path;
    evaluation->lacks_host = host;
    *ret_reason =
        !host     ? arena_printf(evaluation->arena, "no %s in the report", path)
        : in_part ? arena_printf(evaluation->arena, "only a part of %s in the report of %.100s",
                                 path, host)
                  : arena_printf(evaluation->arena, "no %s in the report of %.100s", path, host);
    return *ret_reason ? 0 : err_nomem(err);
}

/* A file of the log that was collected and is not there any more, or NULL. */
static const char *lost_file(const struct evaluation *evaluation, const struct rule_log *log,
                             size_t host)
{
    for (size_t i = 0; evaluation->reports && i < log->file_count; i++)
        if (report_host_lost(evaluation->reports, host, log->files[i].text))
            return log->files[i].text;
    return NULL;
}

int note_log_lack(struct evaluation *evaluation, const struct rule_log *log, size_t host,
                  bool in_part, const char **ret_reason, struct err *err)
{
    const char *lost = lost_file(evaluation, log, host);
    return note_lack(evaluation, lost ? lost : log->files[0].text, evaluation->hosts[host].name,
                     in_part && !lost, ret_reason, err);
}

/* The named groups of a hit that took part. Returns their number. */
static size_t hit_values(const struct regex *match, const struct hit *hit,
                         struct finding_value values[REGEX_GROUPS_MAX])
{
    size_t count = 0;
    for (size_t i = 0; i < regex_name_count(match) && count < REGEX_GROUPS_MAX; i++)
        if (hit->groups[i])
            values[count++] = (struct finding_value){regex_name_at(match, i), hit->groups[i]};
    return count;
}

static int add_hits(struct evaluation *evaluation, const struct rule *rule, const char *key,
                    bool certain, struct hit *const *items, size_t count, struct err *err)
{
    for (size_t i = 0; i < count; i++) {
        const struct hit *hit = items[i];
        struct finding_value values[REGEX_GROUPS_MAX];
        struct observation observation = {
            .host = (int)hit->host,
            .affects = (int)hit->host,
            .path = hit->path,
            .line = hit->line,
            .time = hit->time,
            .text = hit->text,
            .match = hit->match,
            .match_length = hit->match_length,
            .before = hit->before,
            .after = hit->after,
            .count = hit->count,
            .values = values,
            .value_count = hit_values(rule->logs[0].match, hit, values),
        };
        int r = finding_builder_add(evaluation->builder, rule, key, certain, &observation, err);
        if (r < 0)
            return r;
    }
    return 0;
}

/* `by`: the hits of each value of the group are judged for themselves. */
static int evaluate_groups(struct evaluation *evaluation, const struct rule *rule, bool certain,
                           const struct hit_list *list, bool *ret_fails, struct err *err)
{
    size_t group = (size_t)regex_name_find(rule->logs[0].match, rule->by);
    CLEANUP_FREE struct hit **chosen = calloc(list->count + 1, sizeof *chosen);
    CLEANUP_FREE bool *done = calloc(list->count + 1, sizeof *done);
    if (!chosen || !done)
        return err_nomem(err);
    for (size_t i = 0; i < list->count; i++) {
        if (done[i])
            continue;
        const char *key = list->items[i]->groups[group] ? list->items[i]->groups[group] : "";
        size_t count = 0;
        for (size_t j = i; j < list->count; j++) {
            const char *other = list->items[j]->groups[group] ? list->items[j]->groups[group] : "";
            if (!done[j] && strcmp(other, key) == 0) {
                done[j] = true;
                chosen[count++] = list->items[j];
            }
        }
        count = hits_bursts(chosen, count, rule->logs[0].within_s, rule->logs[0].at_least);
        *ret_fails |= count > 0;
        int r = add_hits(evaluation, rule, key, certain, chosen, count, err);
        if (r < 0)
            return r;
    }
    return 0;
}

/* Single events far from the others are no proof of "so many within so long". */
static int add_bursts(struct evaluation *evaluation, const struct rule *rule, bool certain,
                      const struct hit_list *list, struct err *err)
{
    CLEANUP_FREE struct hit **chosen = calloc(list->count + 1, sizeof *chosen);
    if (!chosen)
        return err_nomem(err);
    memcpy(chosen, list->items, list->count * sizeof *chosen);
    size_t count = hits_bursts(chosen, list->count, rule->logs[0].within_s, rule->logs[0].at_least);
    return add_hits(evaluation, rule, "", certain, chosen, count, err);
}

static int evaluate_host(struct evaluation *evaluation, const struct rule_state *state, size_t host,
                         bool certain, bool *ret_fails, struct err *err)
{
    const struct rule *rule = state->rule;
    const struct hits *hits = evaluation->analysis->hits;
    struct hit_list list = hits_list(hits, state->first_pattern, (unsigned)host);
    if (list.count == 0)
        return 0;
    if (rule->by)
        return evaluate_groups(evaluation, rule, certain, &list, ret_fails, err);
    if (hits_densest(hits, state->first_pattern, (unsigned)host, rule->logs[0].within_s) <
        rule->logs[0].at_least)
        return 0;
    *ret_fails = true;
    if (list.complete)
        return add_bursts(evaluation, rule, certain, &list, err);
    int r = add_hits(evaluation, rule, "", certain, list.items, list.count, err);
    int64_t stored = 0;
    for (size_t i = 0; i < list.count; i++)
        stored += list.items[i]->count;
    if (r == 0)
        finding_builder_count(evaluation->builder, rule, "", list.events - stored);
    return r;
}

static int evaluate_log(struct evaluation *evaluation, const struct rule_state *state,
                        const enum truth *applies, enum rule_outcome *ret, const char **ret_reason,
                        struct err *err)
{
    const struct rule *rule = state->rule;
    const struct rule_log *log = &rule->logs[0];
    bool fails = false, in_part = false;
    int blind = -1;
    for (size_t i = 0; i < evaluation->host_count; i++) {
        if (applies[i] == TRUTH_FALSE)
            continue;
        bool known = log_is_known(evaluation, log, state->first_pattern, i);
        if (blind < 0 && (!known || !log_is_whole(evaluation, log, i))) {
            blind = (int)i;
            in_part = known;
        }
        /* What is there counts, even where a part is lost. */
        int r = evaluate_host(evaluation, state, i, applies[i] == TRUTH_TRUE, &fails, err);
        if (r < 0)
            return r;
    }
    *ret = fails ? OUTCOME_FAIL : blind < 0 ? OUTCOME_PASS : OUTCOME_UNKNOWN;
    return *ret == OUTCOME_UNKNOWN
               ? note_log_lack(evaluation, log, (size_t)blind, in_part, ret_reason, err)
               : 0;
}

/* A log in which a pattern of the rule was given up, on a host that it applies to, or NULL. */
static const char *find_gap(const struct evaluation *evaluation, const struct rule_state *state,
                            const enum truth *applies, size_t *ret_host)
{
    for (size_t i = 0; i < state->rule->log_count; i++) {
        const struct sources *sources = &evaluation->analysis->sources[state->first_pattern + i];
        for (size_t host = 0; host < sources->gaps.count; host++)
            if (sources->gaps.items[host] && applies[host] != TRUTH_FALSE) {
                *ret_host = host;
                return sources->gaps.items[host];
            }
    }
    return NULL;
}

/* What was not searched to its end proves nothing by holding no hit. */
static int doubt_pass(struct evaluation *evaluation, const struct rule_state *state,
                      const enum truth *applies, enum rule_outcome *ret, const char **ret_reason,
                      struct err *err)
{
    size_t host = 0;
    const char *path = find_gap(evaluation, state, applies, &host);
    if (!path)
        return 0;
    evaluation->lacks_path = arena_strdup(evaluation->arena, path);
    evaluation->lacks_host = evaluation->hosts[host].name;
    *ret_reason = arena_printf(evaluation->arena,
                               "its pattern was given up in %.200s of %.100s, whose lines keep it "
                               "busy beyond the limits",
                               path, evaluation->lacks_host);
    if (!evaluation->lacks_path || !*ret_reason)
        return err_nomem(err);
    *ret = OUTCOME_UNKNOWN;
    return 0;
}

int evaluate_rule(struct evaluation *evaluation, const struct rule_state *state,
                  enum rule_outcome *ret, const char **ret_reason, struct err *err)
{
    CLEANUP_FREE enum truth *applies = calloc(evaluation->host_count + 1, sizeof *applies);
    if (!applies)
        return err_nomem(err);
    int r = truths(evaluation, state->rule, applies, err);
    if (r < 0)
        return r;
    bool any = false;
    for (size_t i = 0; i < evaluation->host_count; i++)
        any |= applies[i] != TRUTH_FALSE;
    if (!any) {
        *ret = OUTCOME_NOT_APPLICABLE;
        return 0;
    }
    r = state->rule->query ? evaluate_query(evaluation, state, applies, ret, ret_reason, err)
                           : evaluate_log(evaluation, state, applies, ret, ret_reason, err);
    return r == 0 && *ret == OUTCOME_PASS
               ? doubt_pass(evaluation, state, applies, ret, ret_reason, err)
               : r;
}
