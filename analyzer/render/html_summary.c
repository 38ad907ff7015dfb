/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * The head of the page: how healthy, how sure, and how many findings of each severity. A score is
 * never shown without its coverage: a host of which nothing is known would look perfect.
 */
#include "analyzer/render/html.h"

#define HOSTS_NAMED 6 /* in the heading; the inventory has all */

const char *html_score_class(const struct view *view, int score)
{
    return !view_is_judged(view) || score < 0 ? "none"
           : score >= 95                      ? "good"
           : score >= 75                      ? "fair"
           : score >= 50                      ? "poor"
                                              : "bad";
}

void html_score_bar(struct strbuf *out, const struct view *view, int score)
{
    strbuf_addf(out,
                "<svg class=\"bar %s\" aria-hidden=\"true\" width=\"100%%\" height=\"8\">"
                "<rect class=\"rail\" width=\"100%%\" height=\"8\" rx=\"4\"/>"
                "<rect class=\"fill\" width=\"%d%%\" height=\"8\" rx=\"4\"/></svg>",
                html_score_class(view, score), score);
}

static void add_gauge(const struct view *view, struct strbuf *out)
{
    bool is_judged = view_is_judged(view);
    int score = view->verdict->score;
    strbuf_addf(out,
                "<div class=\"panel score\">\n"
                "<h2>Score</h2>\n"
                "<svg class=\"gauge %s\" viewBox=\"0 0 120 120\" aria-hidden=\"true\">"
                "<circle class=\"rail\" cx=\"60\" cy=\"60\" r=\"50\"/>",
                html_score_class(view, score));
    if (is_judged && score > 0)
        strbuf_addf(out,
                    "<circle class=\"fill\" cx=\"60\" cy=\"60\" r=\"50\" pathLength=\"100\" "
                    "stroke-dasharray=\"%d 100\" transform=\"rotate(-90 60 60)\"/>",
                    score);
    if (is_judged)
        strbuf_addf(out,
                    "<text x=\"60\" y=\"74\">%d</text></svg>\n"
                    "<p><strong>%s</strong><br>%d of 100</p>\n",
                    score, view_score_word(score), score);
    else
        strbuf_adds(out, "<text x=\"60\" y=\"74\">?</text></svg>\n"
                         "<p><strong>No score</strong>: no rule had the data it needs.</p>\n");
    strbuf_adds(out, "</div>\n");
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
    if (view->suppressed_count)
        strbuf_addf(out, "<p class=\"note\"><a href=\"#suppressed\">%zu suppressed</a></p>\n",
                    view->suppressed_count);
    if (view->hidden)
        strbuf_addf(out, "<p class=\"note\">%zu more below severity %s are not shown.</p>\n",
                    view->hidden, severity_name(view->min_severity));
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
    strbuf_adds(out, "<div class=\"panel\">\n<h2>Coverage</h2>\n");
    strbuf_addf(out, "<p class=\"figure\"><strong>%zu</strong> of %zu rules had data</p>\n",
                coverage->evaluated, coverage->rules);
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
    strbuf_adds(out, "</ul>\n</div>\n");
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
    add_gauge(view, out);
    add_counts(view, out);
    add_coverage(view, out);
    strbuf_adds(out, "</section>\n");
}
