/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * Reading order: each cause with its symptoms below it, as far up as the worst of them belongs;
 * suppressed findings apart, unknown rules by reason.
 *
 * A chain of causes is flattened to its top: a reader wants to know what to repair first, not a
 * tree. A symptom whose cause is not shown (suppressed, or below the asked severity) stands for
 * itself.
 */
#include "analyzer/render/view.h"

#define VIEW_MEMORY                                                                                \
    (256 * 1024 * 1024) /* a verdict is bounded by the judge; this bounds a mistake */

int view_new(const struct verdict *verdict, struct view **ret, struct err *err)
{
    struct arena *arena = arena_new(VIEW_MEMORY);
    struct view *view = arena ? arena_alloc(arena, sizeof *view) : NULL;
    if (!view) {
        arena_free(arena);
        return err_nomem(err);
    }
    view->arena = arena;
    view->verdict = verdict;
    *ret = view;
    return 0;
}

void *view_free(struct view *view)
{
    if (view)
        arena_free(view->arena);
    return NULL;
}

static bool is_shown(const struct view *view, const struct finding *finding)
{
    return !finding->suppressed && finding->severity >= view->min_severity;
}

/* Index of the finding under which number `index` is shown; itself when it has no cause that is
 * shown. */
static size_t top_cause(const struct view *view, size_t index)
{
    const struct verdict *verdict = view->verdict;
    size_t top = index;
    /* A loop of causes would be the judge's mistake; counting steps keeps it harmless. */
    for (size_t steps = 0; steps < verdict->finding_count; steps++) {
        int cause = verdict->findings[top].explained_by;
        if (cause < 0 || (size_t)cause >= verdict->finding_count ||
            !is_shown(view, &verdict->findings[cause]))
            return top;
        top = (size_t)cause;
    }
    return index;
}

/* Counting sort by the group's severity and top cause: linear, and symptoms keep the verdict's
 * order. */
static int arrange_findings(struct view *view, struct err *err)
{
    const struct verdict *verdict = view->verdict;
    size_t count = verdict->finding_count;
    size_t *tops = arena_array(view->arena, count + 1, sizeof *tops);
    size_t *places = arena_array(view->arena, count + 1, sizeof *places);
    enum severity *worst = arena_array(view->arena, count + 1, sizeof *worst);
    view->findings = arena_array(view->arena, count + 1, sizeof *view->findings);
    view->suppressed = arena_array(view->arena, count + 1, sizeof *view->suppressed);
    if (!tops || !places || !worst || !view->findings || !view->suppressed)
        return err_nomem(err);
    for (size_t i = 0; i < count; i++) {
        const struct finding *finding = &verdict->findings[i];
        if (finding->suppressed)
            view->suppressed[view->suppressed_count++] = finding;
        else if (!is_shown(view, finding))
            view->hidden++;
        else {
            tops[i] = top_cause(view, i);
            places[tops[i]]++;
            if (worst[tops[i]] < finding->severity)
                worst[tops[i]] = finding->severity;
            view->counts[finding->severity]++;
            view->finding_count++;
        }
    }
    size_t place = 0;
    for (int severity = SEVERITY_COUNT - 1; severity >= 0; severity--)
        for (size_t i = 0; i < count; i++) {
            size_t group = places[i];
            if (group == 0 || (int)worst[i] != severity)
                continue;
            view->findings[place].finding = &verdict->findings[i];
            places[i] = place + 1; /* where its first symptom goes */
            place += group;
        }
    for (size_t i = 0; i < count; i++)
        if (is_shown(view, &verdict->findings[i]) && tops[i] != i)
            view->findings[places[tops[i]]++] = (struct view_finding){&verdict->findings[i], true};
    return 0;
}

static int compare_reasons(const void *a, const void *b)
{
    const struct unknown_rule *const *left = a, *const *right = b;
    int order = strcmp((*left)->reason, (*right)->reason);
    return order ? order : strcmp((*left)->rule, (*right)->rule);
}

static int compare_sizes(const void *a, const void *b)
{
    const struct view_unknown *left = a, *right = b;
    if (left->count != right->count)
        return left->count < right->count ? 1 : -1;
    return strcmp(left->reason, right->reason);
}

static int arrange_unknown(struct view *view, struct err *err)
{
    const struct verdict *verdict = view->verdict;
    size_t count = verdict->unknown_count;
    const struct unknown_rule **sorted = arena_array(view->arena, count + 1, sizeof *sorted);
    const char **rules = arena_array(view->arena, count + 1, sizeof *rules);
    view->unknown = arena_array(view->arena, count + 1, sizeof *view->unknown);
    if (!sorted || !rules || !view->unknown)
        return err_nomem(err);
    for (size_t i = 0; i < count; i++)
        sorted[i] = &verdict->unknown[i];
    if (count)
        qsort(sorted, count, sizeof *sorted, compare_reasons);
    for (size_t i = 0; i < count; i++) {
        rules[i] = sorted[i]->rule;
        if (i == 0 || strcmp(sorted[i]->reason, sorted[i - 1]->reason) != 0)
            view->unknown[view->unknown_count++] =
                (struct view_unknown){.reason = sorted[i]->reason, .rules = &rules[i]};
        view->unknown[view->unknown_count - 1].count++;
    }
    if (view->unknown_count)
        qsort(view->unknown, view->unknown_count, sizeof *view->unknown, compare_sizes);
    return 0;
}

int view_arrange(struct view *view, struct err *err)
{
    int r = arrange_findings(view, err);
    return r < 0 ? r : arrange_unknown(view, err);
}

const char *view_time(int64_t time, char buffer[32])
{
    verdict_time(time, buffer);
    char *separator = strchr(buffer, 'T');
    if (separator)
        *separator = ' ';
    return buffer;
}

const char *view_period(int64_t first, int64_t last, char buffer[80])
{
    char from[32], to[32];
    view_time(first, from);
    view_time(last, to);
    bool same_day = strncmp(from, to, strlen("2026-11-02")) == 0;
    if (!*from || !*to || strcmp(from, to) == 0)
        snprintf(buffer, 80, "%s", *from ? from : to);
    else
        snprintf(buffer, 80, "%s - %s", from, same_day ? to + strlen("2026-11-02 ") : to);
    return buffer;
}

struct view_changes view_changes(const struct view *view)
{
    const struct verdict *verdict = view->verdict;
    struct view_changes changes = {0};
    for (size_t i = 0; i < verdict->finding_count; i++) {
        changes.fresh += verdict->findings[i].change == CHANGE_NEW;
        changes.still += verdict->findings[i].change == CHANGE_STILL;
    }
    for (size_t i = 0; verdict->baseline && i < verdict->baseline->past_count; i++) {
        bool is_lost = verdict->baseline->past[i].lost != NULL;
        changes.lost += is_lost;
        changes.gone += !is_lost;
    }
    return changes;
}

bool view_is_address(const char *url)
{
    static const char scheme[] = "https://";
    if (strncmp(url, scheme, strlen(scheme)) != 0 || !url[strlen(scheme)] || strlen(url) > 500)
        return false;
    for (const char *c = url; *c; c++)
        if (*c <= ' ' || *c >= 0x7f || strchr("\"'<>\\^`{|}", *c))
            return false;
    return true;
}

bool view_is_judged(const struct view *view)
{
    return view->verdict->coverage.evaluated > 0;
}

static enum grade grade_of(int score)
{
    return score >= 95   ? GRADE_GOOD
           : score >= 75 ? GRADE_FAIR
           : score >= 50 ? GRADE_POOR
                         : GRADE_BAD;
}

enum grade view_grade(const struct view *view, int score)
{
    enum grade grade = view_is_judged(view) && score >= 0 ? grade_of(score) : GRADE_NONE;
    return grade == GRADE_GOOD && view->trust.level == TRUST_POOR ? GRADE_NONE : grade;
}

const char *view_score_word(const struct view *view, int score)
{
    static const char *const words[][2] = {
        [GRADE_GOOD] = {"healthy", "healthy at best"},
        [GRADE_FAIR] = {"fair", "fair at best"},
        [GRADE_POOR] = {"poor", "poor at best"},
        [GRADE_BAD] = {"bad", "bad"},
    };
    return words[grade_of(score)][view->trust.level == TRUST_POOR];
}
