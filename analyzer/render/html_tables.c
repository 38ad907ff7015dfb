/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * The lists of the page: data quality, components, what was not judged or is suppressed.
 */
#include "analyzer/render/html.h"

#define PROBLEMS_SHOWN 200 /* a report of a sick host has dozens */
#define PROBLEMS_OPEN  6   /* the others are folded, or nobody sees the findings */

static void add_problem(const struct view_problem *problem, struct strbuf *out)
{
    strbuf_adds(out, "<li><p><span class=\"kind\">");
    html_text(out, problem->kind);
    strbuf_adds(out, "</span> <span class=\"host\">");
    html_text(out, problem->subject);
    strbuf_adds(out, "</span>");
    if (*problem->path) {
        strbuf_adds(out, " <code>");
        html_text(out, problem->path);
        strbuf_adds(out, "</code>");
    }
    strbuf_adds(out, "</p><p>");
    html_text(out, problem->text);
    if (problem->effect && *problem->effect) {
        strbuf_adds(out, " <span class=\"effect\">Cost: ");
        html_text(out, problem->effect);
        strbuf_adds(out, ".</span>");
    }
    strbuf_adds(out, "</p></li>\n");
}

void html_quality(const struct view *view, struct strbuf *out)
{
    size_t count = view->problem_count < PROBLEMS_SHOWN ? view->problem_count : PROBLEMS_SHOWN;
    if (view->problem_count == 0)
        return;
    strbuf_adds(out, "<section class=\"quality\" aria-labelledby=\"quality\">\n"
                     "<h2 id=\"quality\">Data quality</h2>\n"
                     "<p>Parts of the report are missing or doubtful. What is not here was not "
                     "looked at.</p>\n<ul class=\"problems\">\n");
    for (size_t i = 0; i < count && i < PROBLEMS_OPEN; i++)
        add_problem(&view->problems[i], out);
    strbuf_adds(out, "</ul>\n");
    if (count > PROBLEMS_OPEN) {
        strbuf_addf(
            out, "<details class=\"more\"><summary>%zu more</summary>\n<ul class=\"problems\">\n",
            view->problem_count - PROBLEMS_OPEN);
        for (size_t i = PROBLEMS_OPEN; i < count; i++)
            add_problem(&view->problems[i], out);
        if (view->problem_count > count)
            strbuf_addf(out, "<li>and %zu more; --format json has all</li>\n",
                        view->problem_count - count);
        strbuf_adds(out, "</ul></details>\n");
    }
    strbuf_adds(out, "</section>\n");
}

void html_components(const struct view *view, struct strbuf *out)
{
    const struct verdict *verdict = view->verdict;
    if (verdict->component_score_count == 0 || !view_is_judged(view))
        return;
    strbuf_adds(out, "<section aria-labelledby=\"components\">\n"
                     "<h2 id=\"components\">Components</h2>\n<ul class=\"components\">\n");
    for (size_t i = 0; i < verdict->component_score_count; i++) {
        const struct score *score = &verdict->component_scores[i];
        strbuf_adds(out, "<li><span class=\"name\">");
        html_text(out, score->name);
        strbuf_addf(out, "</span> <span class=\"points %s\">%d</span>\n",
                    html_score_class(view, score->value), score->value);
        html_score_bar(out, view, score->value);
        strbuf_adds(out, "</li>\n");
    }
    strbuf_adds(out, "</ul>\n</section>\n");
}

void html_unknown(const struct view *view, struct strbuf *out)
{
    const struct coverage *coverage = &view->verdict->coverage;
    if (view->unknown_count == 0)
        return;
    strbuf_addf(out,
                "<section aria-labelledby=\"unknown\">\n"
                "<h2 id=\"unknown\">Not judged</h2>\n"
                "<p class=\"note\">%zu of %zu applicable rules lack the data they need. That is "
                "not a good sign or a bad one.</p>\n<ul class=\"unknown\">\n",
                view->verdict->unknown_count, coverage_applicable(coverage));
    for (size_t i = 0; i < view->unknown_count; i++) {
        const struct view_unknown *unknown = &view->unknown[i];
        strbuf_adds(out, "<li><details class=\"more\"><summary>");
        html_text(out, unknown->reason);
        strbuf_addf(out, " <span class=\"note\">%zu %s</span></summary>\n<ul class=\"rules\">",
                    unknown->count, unknown->count == 1 ? "rule" : "rules");
        for (size_t j = 0; j < unknown->count; j++) {
            strbuf_adds(out, "<li><code>");
            html_text(out, unknown->rules[j]);
            strbuf_adds(out, "</code></li>");
        }
        strbuf_adds(out, "</ul></details></li>\n");
    }
    strbuf_adds(out, "</ul>\n</section>\n");
}

void html_suppressed(const struct view *view, struct strbuf *out)
{
    if (view->suppressed_count == 0)
        return;
    strbuf_adds(out, "<section aria-labelledby=\"suppressed\">\n"
                     "<h2 id=\"suppressed\">Suppressed</h2>\n"
                     "<p class=\"note\">Found, but somebody decided that it is known and accepted."
                     "</p>\n<ul class=\"plain\">\n");
    for (size_t i = 0; i < view->suppressed_count; i++) {
        const struct finding *finding = view->suppressed[i];
        strbuf_adds(out, "<li>");
        html_badge(out, finding->severity);
        strbuf_adds(out, " <strong>");
        html_text(out, finding->title);
        strbuf_adds(out, "</strong> <span class=\"note\"><code>");
        html_text(out, finding->rule);
        strbuf_adds(out, "</code> on ");
        html_texts(out, finding->hosts, finding->host_count);
        strbuf_adds(out, "</span><br>Reason: ");
        html_text(out, finding->suppressed);
        if (finding->suppressed_owner) {
            strbuf_adds(out, " <span class=\"note\">(");
            html_text(out, finding->suppressed_owner);
            strbuf_adds(out, ")</span>");
        }
        if (finding->suppressed_until) {
            strbuf_adds(out, " <span class=\"note\">until ");
            html_text(out, finding->suppressed_until);
            strbuf_adds(out, "</span>");
        }
        strbuf_adds(out, "</li>\n");
    }
    strbuf_adds(out, "</ul>\n</section>\n");
}
