/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * How far a result can be trusted, which every format says before its first finding.
 *
 * A problem of a report costs coverage (rules that lack their data because of it) and confidence
 * (what passed may only not have been seen). Which unknown rules a problem explains is worked out
 * from the file that each of them lacks; a cut archive or a missing host explains all that its host
 * lacks, since nobody can say what stood behind the cut.
 */
#include "analyzer/render/view.h"
#include "analyzer/report/path_pattern.h"

const char *trust_name(enum trust level)
{
    static const char *const names[] = {
        [TRUST_FULL] = "full", [TRUST_PARTIAL] = "partial", [TRUST_POOR] = "poor"};
    return names[level];
}

static const char *consequence(const char *kind)
{
    static const struct {
        const char *kind, *text;
    } consequences[] = {
        {"truncated", "what stood behind the cut was not looked at"},
        {"damaged", "what could not be read was not looked at"},
        {"refused", "what was refused was not looked at"},
        {"omitted", "what was left out was not looked at"},
        {"timeout", "what the command would have told is not known"},
        {"missing-host", "nothing is known about this host, and hosts were compared without it"},
        {"suspicious", "the report may not be what it seems, or somebody changed it"},
        {"clock", "times before and after the step cannot be compared"},
        {"stale", "what happened after their end was not written down"},
    };
    for (size_t i = 0; i < ARRAY_SIZE(consequences); i++)
        if (strcmp(consequences[i].kind, kind) == 0)
            return consequences[i].text;
    return "a part of the report is missing";
}

static bool is_kind(const struct view_problem *problem, const char *kind)
{
    return strcmp(problem->kind, kind) == 0;
}

/* A loss of which nobody knows what it took. */
static bool is_sweeping(const struct view_problem *problem)
{
    return is_kind(problem, "truncated") || is_kind(problem, "missing-host") ||
           (!*problem->path && !is_kind(problem, "suspicious"));
}

static bool concerns_host(const struct view *view, const struct view_problem *problem,
                          const char *host)
{
    bool is_whole = strcmp(problem->subject, problem->source) == 0;
    if (!host || strcmp(problem->subject, host) == 0)
        return true;
    for (size_t i = 0; is_whole && i < view->host_count; i++)
        if (strcmp(view->hosts[i].name, host) == 0)
            return strcmp(view->hosts[i].source, problem->source) == 0;
    return false;
}

/* Nothing is missing from the report: it tells all that the host wrote. */
static bool is_loss(const struct view_problem *problem)
{
    return !is_kind(problem, "clock") && !is_kind(problem, "stale");
}

/* A host that is not there cannot be the one whose file another lacks. */
static bool explains(const struct view *view, const struct view_problem *problem,
                     const struct unknown_rule *rule)
{
    struct path_pattern pattern;
    if (!rule->path || !is_loss(problem) || !concerns_host(view, problem, rule->host) ||
        (rule->host && is_kind(problem, "missing-host")))
        return false;
    if (is_sweeping(problem))
        return true;
    return path_pattern_compile(view->arena, rule->path, &pattern, NULL) == 0 &&
           path_pattern_match_log(&pattern, problem->path);
}

static int weigh_problem(struct view *view, struct view_problem *problem, bool *explained,
                         struct err *err)
{
    const struct verdict *verdict = view->verdict;
    problem->unknown = 0;
    for (size_t i = 0; i < verdict->unknown_count; i++)
        if (explains(view, problem, &verdict->unknown[i])) {
            problem->unknown++;
            explained[i] = true;
        }
    const char *text = consequence(problem->kind);
    problem->effect =
        problem->unknown == 0
            ? text
            : arena_printf(view->arena, "%s; %zu %s unknown%s because of it", text,
                           problem->unknown, problem->unknown == 1 ? "rule is" : "rules are",
                           is_sweeping(problem) ? ", perhaps" : "");
    return problem->effect ? 0 : err_nomem(err);
}

static const struct judged_rule *find_rule(const struct verdict *verdict, const char *id)
{
    for (size_t i = 0; i < verdict->rule_count; i++)
        if (strcmp(verdict->rules[i].rule, id) == 0)
            return &verdict->rules[i];
    return NULL;
}

static size_t count_lowered(const struct verdict *verdict)
{
    size_t count = 0;
    for (size_t i = 0; i < verdict->finding_count; i++) {
        const struct judged_rule *rule = find_rule(verdict, verdict->findings[i].rule);
        count += rule && verdict->findings[i].confidence < rule->confidence;
    }
    return count;
}

/* Poor: what is missing may change the picture as a whole. */
static enum trust level_of(const struct view *view)
{
    const struct coverage *coverage = &view->verdict->coverage;
    if (coverage->unknown > coverage->evaluated || coverage->evaluated == 0)
        return TRUST_POOR;
    for (size_t i = 0; i < view->problem_count; i++)
        if (is_kind(&view->problems[i], "truncated") || is_kind(&view->problems[i], "missing-host"))
            return TRUST_POOR;
    return view->problem_count || coverage->unknown ? TRUST_PARTIAL : TRUST_FULL;
}

static const char *plural(size_t count)
{
    return count == 1 ? "" : "s";
}

static int write_sentence(struct view *view, struct err *err)
{
    static const char *const openings[] = {
        [TRUST_FULL] = "This result can be trusted",
        [TRUST_PARTIAL] = "This result can be trusted in part",
        [TRUST_POOR] = "This result can hardly be trusted",
    };
    const struct coverage *coverage = &view->verdict->coverage;
    const struct view_trust *trust = &view->trust;
    CLEANUP(strbuf_release) struct strbuf text = STRBUF_INIT;
    strbuf_addf(&text, "%s: ", openings[trust->level]);
    if (view->problem_count)
        strbuf_addf(&text, "the report has %zu problem%s, ", view->problem_count,
                    plural(view->problem_count));
    strbuf_addf(&text, "%zu of %zu applicable rules had the data they need", coverage->evaluated,
                coverage_applicable(coverage));
    if (trust->unknown_by_problems)
        strbuf_addf(&text, ", %zu lack it because of the problem%s", trust->unknown_by_problems,
                    plural(view->problem_count));
    if (trust->lowered)
        strbuf_addf(&text, ", %zu finding%s less sure for want of facts", trust->lowered,
                    trust->lowered == 1 ? " is" : "s are");
    if (trust->level == TRUST_POOR && coverage->evaluated)
        strbuf_adds(&text, "; that a rule passed says little");
    strbuf_addc(&text, '.');
    view->trust.sentence = strbuf_ok(&text) ? arena_strdup(view->arena, text.data) : NULL;
    return view->trust.sentence ? 0 : err_nomem(err);
}

int view_weigh(struct view *view, struct err *err)
{
    const struct verdict *verdict = view->verdict;
    bool *explained = arena_array(view->arena, verdict->unknown_count + 1, sizeof *explained);
    if (!explained)
        return err_nomem(err);
    for (size_t i = 0; i < view->problem_count; i++) {
        int r = weigh_problem(view, &view->problems[i], explained, err);
        if (r < 0)
            return r;
    }
    view->trust = (struct view_trust){.level = level_of(view), .lowered = count_lowered(verdict)};
    for (size_t i = 0; i < verdict->unknown_count; i++)
        view->trust.unknown_by_problems += explained[i];
    return write_sentence(view, err);
}
