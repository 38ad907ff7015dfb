/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * The head of the page: how healthy, how sure, and how many findings of each severity. A score is
 * never shown without its coverage and what that is worth: a host of which nothing is known would
 * look perfect.
 */
#include "analyzer/render/html.h"

#define HOSTS_NAMED 6 /* in the heading; the inventory has all */
#define COSTS_SHOWN 3
#define NOTES_SHOWN 20 /* beyond that somebody should read his own file */

const char *html_score_class(const struct view *view, int score)
{
    static const char *const classes[] = {
        [GRADE_NONE] = "none", [GRADE_GOOD] = "good", [GRADE_FAIR] = "fair",
        [GRADE_POOR] = "poor", [GRADE_BAD] = "bad",
    };
    return classes[view_grade(view, score)];
}

void html_score_bar(struct strbuf *out, const struct view *view, int score)
{
    strbuf_addf(out,
                "<svg class=\"bar %s\" aria-hidden=\"true\" width=\"100%%\" height=\"8\">"
                "<rect class=\"rail\" width=\"100%%\" height=\"8\" rx=\"4\"/>"
                "<rect class=\"fill\" width=\"%d%%\" height=\"8\" rx=\"4\"/></svg>",
                html_score_class(view, score), score);
}

static void add_ring(const struct view *view, struct strbuf *out)
{
    bool is_judged = view_is_judged(view);
    int score = view->verdict->score;
    strbuf_addf(out,
                "<svg class=\"gauge %s\" viewBox=\"0 0 120 120\" aria-hidden=\"true\">"
                "<circle class=\"rail\" cx=\"60\" cy=\"60\" r=\"50\"/>",
                html_score_class(view, score));
    if (is_judged && score > 0)
        strbuf_addf(out,
                    "<circle class=\"fill\" cx=\"60\" cy=\"60\" r=\"50\" pathLength=\"100\" "
                    "stroke-dasharray=\"%d 100\" transform=\"rotate(-90 60 60)\"/>",
                    score);
    if (is_judged)
        strbuf_addf(out, "<text x=\"60\" y=\"74\">%d</text></svg>\n", score);
    else
        strbuf_adds(out, "<text x=\"60\" y=\"74\">?</text></svg>\n");
}

/* What would bring most points back. Of many bad findings none does alone; then the rule is said.
 */
static void add_costs(const struct view *view, struct strbuf *out)
{
    size_t shown = 0;
    for (int least = 100; least > 0 && shown < COSTS_SHOWN; least--)
        for (size_t i = 0; i < view->finding_count && shown < COSTS_SHOWN; i++) {
            const struct finding *finding = view->findings[i].finding;
            if (finding->cost != least)
                continue;
            strbuf_addf(out, "%s<li><span class=\"cost\">−%d</span> <a href=\"#f%zu\">",
                        shown++ ? "" : "<ul class=\"costs\">\n", finding->cost, i + 1);
            html_text(out, finding->title);
            strbuf_adds(out, "</a></li>\n");
        }
    if (shown)
        strbuf_adds(out, "</ul>\n");
    else if (view->finding_count && view->verdict->score < 100)
        strbuf_adds(out,
                    "<p class=\"note\">Each critical finding halves it, an error takes a "
                    "quarter, a warning a twelfth. No single repair brings a point back.</p>\n");
}

static void add_score(const struct view *view, struct strbuf *out)
{
    int score = view->verdict->score;
    strbuf_adds(out, "<div class=\"panel score\">\n<h2>Score</h2>\n");
    add_ring(view, out);
    strbuf_adds(out, "<div>\n");
    if (view_is_judged(view)) {
        strbuf_addf(out, "<p><strong>%s</strong> %d of 100</p>\n", view_score_word(view, score),
                    score);
        add_costs(view, out);
    } else {
        strbuf_adds(out, "<p><strong>No score</strong>: no rule had the data it needs.</p>\n");
    }
    strbuf_adds(out, "</div>\n</div>\n");
}

/* What became of the findings of the baseline, one line. */
static void add_changes(const struct view *view, struct strbuf *out)
{
    if (!view->verdict->baseline)
        return;
    struct view_changes changes = view_changes(view);
    strbuf_addf(out,
                "<p class=\"note\"><a href=\"#changes\">Since the baseline</a>: %zu new, %zu gone",
                changes.fresh, changes.gone);
    if (changes.lost)
        strbuf_addf(out, ", %zu lost sight of", changes.lost);
    strbuf_adds(out, "</p>\n");
}

/* What the site's own files made of this run: a suppression that expired, or fits nothing. */
static void add_notes(const struct verdict *verdict, struct strbuf *out)
{
    for (size_t i = 0; i < verdict->note_count && i < NOTES_SHOWN; i++) {
        strbuf_adds(out, "<p class=\"note\"><code>");
        html_text(out, verdict->notes[i].place);
        strbuf_adds(out, "</code> ");
        html_text(out, verdict->notes[i].text);
        strbuf_adds(out, "</p>\n");
    }
    if (verdict->note_count > NOTES_SHOWN)
        strbuf_addf(out, "<p class=\"note\">and %zu more notes; --format json has all</p>\n",
                    verdict->note_count - NOTES_SHOWN);
}

static void add_counts(const struct view *view, struct strbuf *out)
{
    static const char *const words[SEVERITY_COUNT] = {"info", "warnings", "errors", "critical"};
    strbuf_adds(out, "<div class=\"panel\">\n<h2>Findings</h2>\n<ul class=\"counts\">\n");
    for (int i = SEVERITY_COUNT - 1; i >= 0; i--)
        strbuf_addf(out, "<li class=\"%s%s\"><strong>%zu</strong> <span>%s</span></li>\n",
                    severity_name((enum severity)i), view->counts[i] ? "" : " zero",
                    view->counts[i], words[i]);
    strbuf_adds(out, "</ul>\n");
    add_changes(view, out);
    if (view->suppressed_count)
        strbuf_addf(out, "<p class=\"note\"><a href=\"#suppressed\">%zu suppressed</a></p>\n",
                    view->suppressed_count);
    if (view->hidden)
        strbuf_addf(out, "<p class=\"note\">%zu more below severity %s are not shown.</p>\n",
                    view->hidden, severity_name(view->min_severity));
    add_notes(view->verdict, out);
    strbuf_adds(out, "</div>\n");
}

/* Shares of one bar; each begins where the one before it ended. */
static void add_coverage(const struct view *view, struct strbuf *out)
{
    const struct coverage *coverage = &view->verdict->coverage;
    const struct {
        const char *name, *words;
        size_t count;
    } shares[] = {
        {"failed", "found something", coverage->failed},
        {"passed", "passed", coverage->passed},
        {"unknown", "had no data", coverage->unknown},
        {"other", "do not apply", coverage->not_applicable},
    };
    double total = coverage->rules ? (double)coverage->rules : 1, start = 0;
    const char *sentence = view->trust.sentence ? view->trust.sentence : "";
    strbuf_addf(out,
                "<div class=\"panel trust %s\">\n<h2>Trust and coverage</h2>\n"
                "<p class=\"figure\"><strong>%zu</strong> of %zu applicable rules had data</p>\n",
                trust_name(view->trust.level), coverage->evaluated, coverage_applicable(coverage));
    strbuf_adds(out, "<svg class=\"bar\" aria-hidden=\"true\" width=\"100%\" height=\"12\">"
                     "<rect class=\"rail\" width=\"100%\" height=\"12\"/>");
    for (size_t i = 0; i < ARRAY_SIZE(shares); i++) {
        double width = 100 * (double)shares[i].count / total;
        strbuf_addf(out, "<rect class=\"%s\" x=\"%.2f%%\" width=\"%.2f%%\" height=\"12\"/>",
                    shares[i].name, start, width);
        start += width;
    }
    strbuf_adds(out, "</svg>\n<ul class=\"legend\">\n");
    for (size_t i = 0; i < ARRAY_SIZE(shares); i++)
        strbuf_addf(out, "<li class=\"%s\">%zu %s</li>\n", shares[i].name, shares[i].count,
                    shares[i].words);
    strbuf_adds(out, "</ul>\n<p class=\"note\">");
    html_text(out, sentence);
    if (view->problem_count)
        strbuf_adds(out, " <a href=\"#quality\">What is missing</a>");
    strbuf_adds(out, "</p>\n</div>\n");
}

static void add_names(const struct view *view, struct strbuf *out)
{
    int64_t first = TIME_UNKNOWN, last = TIME_UNKNOWN;
    for (size_t i = 0; i < view->host_count; i++) {
        int64_t taken = view->hosts[i].taken;
        if (i < HOSTS_NAMED) {
            strbuf_adds(out, i ? ", " : "");
            html_text(out, view->hosts[i].name);
        }
        if (taken == TIME_UNKNOWN)
            continue;
        if (first == TIME_UNKNOWN || taken < first)
            first = taken;
        if (last == TIME_UNKNOWN || taken > last)
            last = taken;
    }
    if (view->host_count > HOSTS_NAMED)
        strbuf_addf(out, " and %zu more", view->host_count - HOSTS_NAMED);
    if (last != TIME_UNKNOWN) {
        strbuf_adds(out, " · report of ");
        html_period(out, first, last);
    }
}

/* One sentence that a manager can read. */
static void add_lead(const struct view *view, struct strbuf *out)
{
    if (!view_is_judged(view)) {
        strbuf_adds(out, "Nothing could be judged: the report holds no data that a rule needs.");
        return;
    }
    for (int i = SEVERITY_COUNT - 1; i > SEVERITY_INFO; i--)
        if (view->counts[i]) {
            static const char *const words[] = {"", "warning", "error", "critical problem"};
            strbuf_addf(out, "%zu %s%s. Start with: <a href=\"#f1\">", view->counts[i], words[i],
                        view->counts[i] == 1 ? "" : "s");
            html_text(out, view->findings[0].finding->title);
            strbuf_adds(out, "</a>");
            return;
        }
    strbuf_adds(out, view->hidden ? "Nothing of the asked severity was found."
                                  : "No problem was found.");
}

void html_summary(const struct view *view, struct strbuf *out)
{
    strbuf_adds(out, "<header class=\"top\">\n<p class=\"brand\">xenhealth</p>\n<h1>");
    if (view->host_count == 1) {
        strbuf_adds(out, "Health of ");
        html_text(out, view->hosts[0].name);
    } else {
        strbuf_addf(out, "Health of %zu hosts", view->host_count);
    }
    strbuf_adds(out, "</h1>\n<p class=\"names\">");
    add_names(view, out);
    strbuf_adds(out, "</p>\n<p class=\"lead\">");
    add_lead(view, out);
    strbuf_adds(out, "</p>\n</header>\n<section class=\"summary\" aria-label=\"Summary\">\n");
    add_score(view, out);
    add_coverage(view, out);
    add_counts(view, out);
    strbuf_adds(out, "</section>\n");
}
