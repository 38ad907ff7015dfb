/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * --format text: what a support engineer reads first, top to bottom, on a terminal. Our own words
 * are ASCII, so that a serial console shows them too.
 */
#include <inttypes.h>

#include "analyzer/render/text_writer.h"
#include "analyzer/render/view.h"
#include "analyzer/verdict/excerpt.h"
#include "common/escape.h"
#include "common/units.h"
#include "common/version.h"

#define PROBLEMS_SHOWN    10 /* more would push the findings off the screen; JSON has all */
#define EVIDENCE_SHOWN    3
#define EVIDENCE_INDENT   "      "
#define ROW_LINES         3 /* of a row as evidence */
#define RULES_SHOWN       3 /* of those that share a reason */
#define COSTS_SHOWN       5
#define NAMES_SHOWN       4
#define DIFFERENCES_SHOWN 20

static const enum text_style severity_styles[SEVERITY_COUNT] = {
    [SEVERITY_INFO] = STYLE_INFO,
    [SEVERITY_WARNING] = STYLE_WARNING,
    [SEVERITY_ERROR] = STYLE_ERROR,
    [SEVERITY_CRITICAL] = STYLE_CRITICAL,
};

static const char *const severity_badges[SEVERITY_COUNT] = {
    [SEVERITY_INFO] = "INFO",
    [SEVERITY_WARNING] = "WARNING",
    [SEVERITY_ERROR] = "ERROR",
    [SEVERITY_CRITICAL] = "CRITICAL",
};

static void add_heading(const struct text_writer *w, const char *text)
{
    strbuf_addc(w->out, '\n');
    textw_styled(w, STYLE_HEADING, "%s", text);
    strbuf_addc(w->out, '\n');
}

/* "a, b, c and 4 more" */
static void add_names(struct strbuf *line, const char *const *names, size_t count)
{
    for (size_t i = 0; i < count && i < NAMES_SHOWN; i++)
        strbuf_addf(line, "%s%s", i ? ", " : "", names[i]);
    if (count > NAMES_SHOWN)
        strbuf_addf(line, " and %zu more", count - NAMES_SHOWN);
}

static void add_line(const struct text_writer *w, enum text_style style, const char *first,
                     const struct strbuf *line)
{
    if (!strbuf_ok(line))
        w->out->failed = true;
    textw_wrapped(w, style, first, line->data, line->length);
}

static void add_hosts(const struct text_writer *w, const struct view *view)
{
    add_heading(w, view->host_count == 1 ? "Report" : "Reports");
    for (size_t i = 0; i < view->host_count; i++) {
        const struct view_host *host = &view->hosts[i];
        CLEANUP(strbuf_release) struct strbuf line = STRBUF_INIT;
        char time[32], size[32];
        strbuf_addf(&line, "%s: ", host->name);
        if (*host->product)
            strbuf_addf(&line, "%s%s%s, ", host->product, *host->version ? " " : "", host->version);
        if (*view_time(host->taken, time))
            strbuf_addf(&line, "taken %s%s, ", time,
                        host->taken_is_known ? "" : " (guessed from the newest file)");
        if (view->host_count > 1 && host->score >= 0 && view_is_judged(view))
            strbuf_addf(&line, "score %d, ", host->score);
        strbuf_addf(&line, "%" PRId64 " %s, %s", host->entries,
                    host->entries == 1 ? "entry" : "entries",
                    units_format_bytes(host->bytes, size, sizeof size));
        add_line(w, STYLE_NONE, "  ", &line);
    }
}

/* Before anything else: what follows is only as good as the report. */
static void add_trust(const struct text_writer *w, const struct view *view)
{
    static const enum text_style styles[] = {
        [TRUST_FULL] = STYLE_GOOD, [TRUST_PARTIAL] = STYLE_WARNING, [TRUST_POOR] = STYLE_ERROR};
    const char *sentence = view->trust.sentence;
    textw_wrapped(w, styles[view->trust.level], "", sentence, strlen(sentence));
}

static void add_problems(const struct text_writer *w, const struct view *view)
{
    if (view->problem_count == 0)
        return;
    add_heading(w, "Data quality: what this report cannot tell");
    for (size_t i = 0; i < view->problem_count && i < PROBLEMS_SHOWN; i++) {
        const struct view_problem *problem = &view->problems[i];
        CLEANUP(strbuf_release) struct strbuf line = STRBUF_INIT;
        strbuf_addf(&line, "%s: %s: ", problem->subject, problem->kind);
        strbuf_addf(&line, *problem->path ? "%s: " : "%s", problem->path);
        strbuf_adds(&line, problem->text);
        add_line(w, STYLE_WARNING, "  ! ", &line);
        /* Problems that cost the same stand together; the cost is said once. */
        bool is_last = i + 1 == view->problem_count || i + 1 == PROBLEMS_SHOWN;
        if (is_last || strcmp(problem->effect, view->problems[i + 1].effect) != 0)
            textw_wrapped(w, STYLE_FAINT, "    so ", problem->effect, strlen(problem->effect));
    }
    if (view->problem_count > PROBLEMS_SHOWN)
        strbuf_addf(w->out, "  and %zu more (--format json has all)\n",
                    view->problem_count - PROBLEMS_SHOWN);
}

static void add_facts_of(const struct text_writer *w, const char *first,
                         const struct finding *finding)
{
    CLEANUP(strbuf_release) struct strbuf line = STRBUF_INIT;
    char period[80];
    strbuf_addf(&line, "%s, %s", finding->rule, finding->component);
    if (finding->host_count) {
        strbuf_adds(&line, ", on ");
        add_names(&line, finding->hosts, finding->host_count);
    }
    if (finding->count > 1)
        strbuf_addf(&line, ", %" PRId64 " times", finding->count);
    if (*view_period(finding->first_seen, finding->last_seen, period))
        strbuf_addf(&line, ", %s", period);
    if (finding->confidence != CONFIDENCE_HIGH)
        strbuf_addf(&line, ", confidence %s", confidence_name(finding->confidence));
    if (finding->change == CHANGE_NEW)
        strbuf_adds(&line, ", new since the baseline");
    add_line(w, STYLE_FAINT, first, &line);
}

/* What a rule's query says has no part that matters most: it may take a few lines. */
static void add_row(const struct text_writer *w, const char *first, const char *text)
{
    CLEANUP(strbuf_release) struct strbuf line = STRBUF_INIT;
    size_t length = strlen(text), room = (size_t)w->width * ROW_LINES;
    struct excerpt part = excerpt_of(text, length, 0, 0, room);
    excerpt_add(&line, text, length, &part);
    add_line(w, STYLE_NONE, first, &line);
}

/* A place above its text, with the time: the line may be cut where it tells that. */
static void add_place(const struct text_writer *w, struct strbuf *place, int64_t when)
{
    char time[32];
    if (*view_time(when, time))
        strbuf_addf(place, ", %s", time);
    if (!strbuf_ok(place))
        w->out->failed = true;
    textw_cut(w, STYLE_NONE, "  > ", place->data);
}

/* Place and text on one line if they fit, else the text on a line of its own. */
static void add_evidence(const struct text_writer *w, const struct view *view,
                         const struct finding *finding)
{
    for (size_t i = 0; i < finding->evidence_count && i < EVIDENCE_SHOWN; i++) {
        const struct evidence *evidence = &finding->evidence[i];
        CLEANUP(strbuf_release) struct strbuf place = STRBUF_INIT, first = STRBUF_INIT;
        if (view->host_count > 1 && *evidence->host)
            strbuf_addf(&place, "%s ", evidence->host);
        strbuf_adds(&place, evidence->path);
        if (evidence->line > 0)
            strbuf_addf(&place, ":%" PRId64, evidence->line);
        strbuf_adds(&first, "  > ");
        escape_terminal(&first, place.data, place.length, false);
        strbuf_adds(&first, "  ");
        bool fits = w->width == 0 || first.length + strlen(evidence->text) <= (size_t)w->width;
        if (!strbuf_ok(&first))
            w->out->failed = true;
        if (!fits)
            add_place(w, &place, evidence->match_length ? evidence->time : TIME_UNKNOWN);
        if (fits || evidence->match_length)
            textw_around(w, fits ? first.data : EVIDENCE_INDENT, evidence->text, evidence->match,
                         evidence->match_length);
        else
            add_row(w, EVIDENCE_INDENT, evidence->text);
    }
    if (finding->evidence_count > EVIDENCE_SHOWN)
        textw_styled(w, STYLE_FAINT, "    and %zu more in the other formats\n",
                     finding->evidence_count - EVIDENCE_SHOWN);
}

static void add_title(const struct text_writer *w, const struct finding *finding)
{
    const char *badge = severity_badges[finding->severity];
    textw_styled(w, severity_styles[finding->severity], "%s", badge);
    /* The badge is written already; blanks of its width make the wrapped lines stand below the
     * title. */
    struct strbuf line = STRBUF_INIT;
    struct text_writer rest = *w;
    int indent = (int)strlen(badge) + 2;
    rest.out = &line;
    char first[32];
    snprintf(first, sizeof first, "%*s", indent, "");
    textw_wrapped(&rest, STYLE_HEADING, first, finding->title, strlen(finding->title));
    strbuf_add(w->out, line.data + strlen(badge), line.length - strlen(badge));
    if (!strbuf_ok(&line))
        w->out->failed = true;
    strbuf_release(&line);
}

static void add_cause(const struct text_writer *w, const struct view *view,
                      const struct finding *finding)
{
    strbuf_addc(w->out, '\n');
    add_title(w, finding);
    add_facts_of(w, "  ", finding);
    add_evidence(w, view, finding);
    textw_prose(w, "  Why: ", finding->explanation);
    textw_prose(w, "  Do:  ", finding->advice);
}

static void add_symptom(const struct text_writer *w, const struct finding *finding, bool is_first)
{
    CLEANUP(strbuf_release) struct strbuf line = STRBUF_INIT;
    if (is_first)
        strbuf_adds(w->out, "  What follows from it:\n");
    strbuf_addf(&line, "%s: %s (%s", severity_name(finding->severity), finding->title,
                finding->rule);
    if (finding->host_count) {
        strbuf_adds(&line, ", on ");
        add_names(&line, finding->hosts, finding->host_count);
    }
    strbuf_addc(&line, ')');
    add_line(w, STYLE_NONE, "    - ", &line);
}

static void add_findings(const struct text_writer *w, const struct view *view)
{
    add_heading(w, "Findings");
    if (view->finding_count == 0) {
        const struct coverage *coverage = &view->verdict->coverage;
        CLEANUP(strbuf_release) struct strbuf line = STRBUF_INIT;
        if (view_is_judged(view))
            strbuf_addf(&line,
                        "None. %zu of %zu applicable rules had the data they need and found "
                        "nothing%s.",
                        coverage->evaluated, coverage_applicable(coverage),
                        view->hidden ? " of the asked severity" : " to report");
        else
            strbuf_adds(&line, "None, but no rule had the data it needs: this says nothing.");
        add_line(w, view_is_judged(view) ? STYLE_GOOD : STYLE_WARNING, "  ", &line);
    }
    for (size_t i = 0; i < view->finding_count; i++) {
        const struct view_finding *entry = &view->findings[i];
        if (entry->is_symptom)
            add_symptom(w, entry->finding, !view->findings[i - 1].is_symptom);
        else
            add_cause(w, view, entry->finding);
    }
    if (view->hidden)
        strbuf_addf(w->out, "\n  %zu more below severity %s, not shown.\n", view->hidden,
                    severity_name(view->min_severity));
}

static void add_suppressed(const struct text_writer *w, const struct view *view)
{
    if (view->suppressed_count == 0)
        return;
    add_heading(w, "Suppressed");
    for (size_t i = 0; i < view->suppressed_count; i++) {
        const struct finding *finding = view->suppressed[i];
        CLEANUP(strbuf_release) struct strbuf line = STRBUF_INIT;
        strbuf_addf(&line, "%s: %s (%s): %s", severity_name(finding->severity), finding->title,
                    finding->rule, finding->suppressed);
        if (finding->suppressed_owner)
            strbuf_addf(&line, ", %s", finding->suppressed_owner);
        if (finding->suppressed_until)
            strbuf_addf(&line, ", until %s", finding->suppressed_until);
        add_line(w, STYLE_FAINT, "  - ", &line);
    }
}

static void add_past(const struct text_writer *w, const struct past_finding *past)
{
    CLEANUP(strbuf_release) struct strbuf line = STRBUF_INIT;
    size_t hosts = 0;
    while (past->hosts[hosts])
        hosts++;
    strbuf_addf(&line, "%s: %s: %s (%s", past->lost ? "lost sight of" : "gone",
                severity_name(past->severity), past->title, past->rule);
    strbuf_adds(&line, hosts ? ", on " : "");
    add_names(&line, past->hosts, hosts);
    strbuf_addf(&line, ")%s%s", past->lost ? ": " : "", past->lost ? past->lost : "");
    add_line(w, past->lost ? STYLE_WARNING : STYLE_GOOD, "  - ", &line);
}

static void add_difference(const struct text_writer *w, const struct difference *difference)
{
    CLEANUP(strbuf_release) struct strbuf line = STRBUF_INIT;
    strbuf_addf(&line, "%s: %s: %s: %s -> %s", difference->host, difference->area,
                difference->object, difference->before ? difference->before : "(not there)",
                difference->now ? difference->now : "(not there)");
    add_line(w, STYLE_NONE, "  * ", &line);
}

static void add_baseline(const struct text_writer *w, const struct view *view)
{
    const struct baseline *baseline = view->verdict->baseline;
    if (!baseline)
        return;
    CLEANUP(strbuf_release) struct strbuf line = STRBUF_INIT;
    struct view_changes changes = view_changes(view);
    char taken[32];
    add_heading(w, "Since the baseline");
    for (size_t i = 0; i < baseline->path_count; i++)
        strbuf_addf(&line, "%s%s", i ? ", " : "", baseline->paths[i]);
    if (*view_time(baseline->taken, taken))
        strbuf_addf(&line, ", %staken %s", baseline->path_count > 1 ? "the newest " : "", taken);
    strbuf_addf(&line, ": %zu new, %zu still there, %zu gone, %zu lost sight of", changes.fresh,
                changes.still, changes.gone, changes.lost);
    add_line(w, STYLE_NONE, "  ", &line);
    for (size_t i = 0; i < baseline->past_count; i++)
        add_past(w, &baseline->past[i]);
    for (size_t i = 0; i < baseline->difference_count && i < DIFFERENCES_SHOWN; i++)
        add_difference(w, &baseline->differences[i]);
    if (baseline->difference_count > DIFFERENCES_SHOWN)
        strbuf_addf(w->out, "  and %zu more differences (--format json has all)\n",
                    baseline->difference_count - DIFFERENCES_SHOWN);
}

static void add_unknown(const struct text_writer *w, const struct view *view)
{
    if (view->unknown_count == 0)
        return;
    add_heading(w, "Not judged, for want of data");
    for (size_t i = 0; i < view->unknown_count; i++) {
        const struct view_unknown *unknown = &view->unknown[i];
        CLEANUP(strbuf_release) struct strbuf line = STRBUF_INIT;
        strbuf_addf(&line, "%zu %s: %s (", unknown->count, unknown->count == 1 ? "rule" : "rules",
                    unknown->reason);
        add_names(&line, unknown->rules, unknown->count);
        strbuf_addc(&line, ')');
        add_line(w, STYLE_NONE, "  - ", &line);
    }
}

static int compare_costs(const void *a, const void *b)
{
    const struct finding *const *left = a, *const *right = b;
    return (*right)->cost - (*left)->cost;
}

static void add_costs(const struct text_writer *w, const struct view *view)
{
    const struct verdict *verdict = view->verdict;
    size_t count = 0;
    const struct finding **costly = calloc(verdict->finding_count + 1, sizeof *costly);
    if (!costly) {
        w->out->failed = true;
        return;
    }
    for (size_t i = 0; i < verdict->finding_count; i++)
        if (verdict->findings[i].cost > 0)
            costly[count++] = &verdict->findings[i];
    qsort(costly, count, sizeof *costly, compare_costs);
    for (size_t i = 0; i < count && i < COSTS_SHOWN; i++) {
        char first[48];
        snprintf(first, sizeof first, "  +%-2d without: ", costly[i]->cost);
        textw_cut(w, STYLE_NONE, first, costly[i]->title);
    }
    free(costly);
}

static enum text_style score_style(const struct view *view, int score)
{
    static const enum text_style styles[] = {
        [GRADE_NONE] = STYLE_NONE,    [GRADE_GOOD] = STYLE_GOOD, [GRADE_FAIR] = STYLE_WARNING,
        [GRADE_POOR] = STYLE_WARNING, [GRADE_BAD] = STYLE_ERROR,
    };
    return styles[view_grade(view, score)];
}

static void add_score(const struct text_writer *w, const struct view *view)
{
    const struct coverage *coverage = &view->verdict->coverage;
    int score = view->verdict->score;
    add_heading(w, "Score");
    if (!view_is_judged(view)) {
        strbuf_adds(w->out, "  No score: no rule had the data it needs.\n");
        return;
    }
    strbuf_adds(w->out, "  ");
    textw_styled(w, score_style(view, score), "%d of 100 (%s)", score,
                 view_score_word(view, score));
    strbuf_addf(w->out,
                "\n  from %zu of %zu applicable rules: %zu failed, %zu passed;\n"
                "  %zu unknown, %zu others not applicable\n",
                coverage->evaluated, coverage_applicable(coverage), coverage->failed,
                coverage->passed, coverage->unknown, coverage->not_applicable);
    add_costs(w, view);
}

static void add_counts(const struct text_writer *w, const struct view *view)
{
    static const char *const plurals[SEVERITY_COUNT] = {"info", "warnings", "errors", "critical"};
    for (int i = SEVERITY_COUNT - 1; i >= 0; i--) {
        const char *word = view->counts[i] == 1 ? severity_name((enum severity)i) : plurals[i];
        textw_styled(w, view->counts[i] ? severity_styles[i] : STYLE_NONE, "%zu %s",
                     view->counts[i], word);
        strbuf_adds(w->out, i ? ", " : "");
    }
    if (view->suppressed_count)
        strbuf_addf(w->out, "; %zu suppressed", view->suppressed_count);
    strbuf_addc(w->out, '\n');
}

/* The first screen tells how bad it is; the last one, what a terminal shows, says it again. */
static void add_summary(const struct text_writer *w, const struct view *view)
{
    if (!view_is_judged(view)) {
        strbuf_adds(w->out, "No score: no rule had the data it needs.\n");
        return;
    }
    int score = view->verdict->score;
    textw_styled(w, score_style(view, score), "Score %d of 100 (%s)", score,
                 view_score_word(view, score));
    strbuf_addc(w->out, '\n');
    add_counts(w, view);
}

int view_as_text(const struct view *view, struct strbuf *out, struct err *err)
{
    struct text_writer w = {.out = out, .colour = view->colour, .width = view->width};
    textw_styled(&w, STYLE_HEADING, "xen-analyze %s", XENHEALTH_VERSION);
    strbuf_addc(out, '\n');
    add_trust(&w, view);
    add_summary(&w, view);
    add_hosts(&w, view);
    add_problems(&w, view);
    add_findings(&w, view);
    add_suppressed(&w, view);
    add_baseline(&w, view);
    add_unknown(&w, view);
    add_score(&w, view);
    strbuf_addc(out, '\n');
    add_counts(&w, view);
    return strbuf_ok(out) ? 0 : err_nomem(err);
}
