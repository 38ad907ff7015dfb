/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * The score: 100 × Π(1 − w) over the findings that are not suppressed. One more finding never
 * raises it, and the worst findings weigh most. It says how bad what is known is; what is not known
 * is coverage, which is always shown beside it.
 */
#include "analyzer/judge/judge_private.h"

#include <math.h>

static const double weights[SEVERITY_COUNT] = {
    [SEVERITY_INFO] = 0,
    [SEVERITY_WARNING] = 0.08,
    [SEVERITY_ERROR] = 0.25,
    [SEVERITY_CRITICAL] = 0.5,
};

/* The score of the findings that concern a host and a component (NULL: any), leaving out one (-1:
 * none). */
static int score_of(const struct verdict *verdict, const char *host, const char *component,
                    int without)
{
    double product = 1;
    for (size_t i = 0; i < verdict->finding_count; i++) {
        const struct finding *finding = &verdict->findings[i];
        if (finding->suppressed || (int)i == without ||
            (host && !finding_concerns(finding, host)) ||
            (component && strcmp(finding->component, component) != 0))
            continue;
        product *= 1 - weights[finding->severity];
    }
    return (int)lround(100 * product);
}

/* Whether any rule of the component had its data: without that a score would say "healthy" of the
 * unknown. */
static bool is_judged(const struct rule_state *rules, size_t count, const char *component)
{
    for (size_t i = 0; i < count; i++)
        if ((rules[i].outcome == OUTCOME_PASS || rules[i].outcome == OUTCOME_FAIL) &&
            strcmp(rules[i].rule->component, component) == 0)
            return true;
    return false;
}

int score_compute(struct verdict *verdict, const struct database_host *hosts, size_t host_count,
                  const struct rule_state *rules, size_t rule_count, struct err *err)
{
    size_t components = 0;
    while (component_names[components])
        components++;
    verdict->host_scores =
        arena_array(verdict->arena, host_count + 1, sizeof *verdict->host_scores);
    verdict->component_scores =
        arena_array(verdict->arena, components + 1, sizeof *verdict->component_scores);
    if (!verdict->host_scores || !verdict->component_scores)
        return err_nomem(err);
    verdict->score = score_of(verdict, NULL, NULL, -1);
    for (size_t i = 0; i < verdict->finding_count; i++)
        verdict->findings[i].cost = score_of(verdict, NULL, NULL, (int)i) - verdict->score;
    for (size_t i = 0; i < host_count; i++) {
        const char *name = arena_strdup(verdict->arena, hosts[i].name);
        if (!name)
            return err_nomem(err);
        verdict->host_scores[verdict->host_score_count++] =
            (struct score){name, score_of(verdict, name, NULL, -1)};
    }
    for (const char *const *name = component_names; *name; name++)
        if (is_judged(rules, rule_count, *name))
            verdict->component_scores[verdict->component_score_count++] =
                (struct score){*name, score_of(verdict, NULL, *name, -1)};
    return 0;
}
