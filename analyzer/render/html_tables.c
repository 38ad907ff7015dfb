/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * The tables and lists of the page: data quality, hosts, components, what was not judged or is
 * suppressed.
 */
#include <inttypes.h>

#include "analyzer/render/html.h"
#include "common/units.h"

#define PROBLEMS_SHOWN 200 /* a report of a sick host has dozens */
#define HOSTS_COMPARED 512 /* comparing is quadratic; the largest pool has 64 */

void html_quality(const struct view *view, struct strbuf *out)
{
    if (view->problem_count == 0)
        return;
    strbuf_adds(out, "<section class=\"quality\" aria-labelledby=\"quality\">\n"
                     "<h2 id=\"quality\">Data quality</h2>\n"
                     "<p>Parts of the report are missing or doubtful. What is not here was not "
                     "looked at.</p>\n<ul>\n");
    for (size_t i = 0; i < view->problem_count && i < PROBLEMS_SHOWN; i++) {
        const struct view_problem *problem = &view->problems[i];
        strbuf_adds(out, "<li><span class=\"host\">");
        html_text(out, problem->subject);
        strbuf_adds(out, "</span> <span class=\"kind\">");
        html_text(out, problem->kind);
        strbuf_adds(out, "</span> ");
        if (*problem->path) {
            strbuf_adds(out, "<code>");
            html_text(out, problem->path);
            strbuf_adds(out, "</code>: ");
        }
        html_text(out, problem->text);
        strbuf_adds(out, "</li>\n");
    }
    if (view->problem_count > PROBLEMS_SHOWN)
        strbuf_addf(out, "<li>and %zu more; --format json has all</li>\n",
                    view->problem_count - PROBLEMS_SHOWN);
    strbuf_adds(out, "</ul>\n</section>\n");
}

/* One column of the inventory. */
struct column_of_hosts {
    const char *title;
    size_t offset;    /* of the text in struct view_host */
    bool is_compared; /* hosts of a pool should have the same */
};

static const struct column_of_hosts columns[] = {
    {"Product", offsetof(struct view_host, product), false},
    {"Version", offsetof(struct view_host, version), true},
    {"Xen", offsetof(struct view_host, xen), true},
    {"Kernel", offsetof(struct view_host, kernel), true},
    {"System", offsetof(struct view_host, machine), false},
    {"BIOS", offsetof(struct view_host, bios), true},
    {"CPU", offsetof(struct view_host, cpu), true},
    {"Memory", offsetof(struct view_host, memory), true},
};

static const char *text_at(const struct view_host *host, size_t offset)
{
    return *(const char *const *)((const char *)host + offset);
}

/* Whether at most half of the hosts that tell have the value of this one. */
static bool differs(const struct view *view, size_t index, size_t offset)
{
    const char *own = text_at(&view->hosts[index], offset);
    size_t known = 0, same = 0;
    if (!*own || view->host_count > HOSTS_COMPARED)
        return false;
    for (size_t i = 0; i < view->host_count; i++) {
        const char *other = text_at(&view->hosts[i], offset);
        known += *other != '\0';
        same += strcmp(own, other) == 0;
    }
    return same * 2 <= known;
}

static void add_host_cell(const struct view *view, size_t index,
                          const struct column_of_hosts *column, struct strbuf *out)
{
    const char *text = text_at(&view->hosts[index], column->offset);
    strbuf_addf(out, "<td data-label=\"%s\"><span>", column->title);
    if (*text)
        html_text(out, text);
    else
        strbuf_adds(out, "<span class=\"none\">not known</span>");
    if (column->is_compared && differs(view, index, column->offset))
        strbuf_adds(out, " <span class=\"differs\">differs</span>");
    strbuf_adds(out, "</span></td>\n");
}

static void add_report_cell(const struct view_host *host, struct strbuf *out)
{
    char size[32];
    strbuf_adds(out, "<td data-label=\"Report\"><span>");
    html_time(out, host->taken);
    if (host->taken != TIME_UNKNOWN)
        strbuf_adds(out, host->taken_is_known ? ", " : " (guessed), ");
    strbuf_addf(out, "%" PRId64 " files, %s</span></td>\n", host->entries,
                units_format_bytes(host->bytes, size, sizeof size));
}

void html_hosts(const struct view *view, struct strbuf *out)
{
    if (view->host_count == 0)
        return;
    strbuf_adds(out, "<section aria-labelledby=\"hosts\">\n<h2 id=\"hosts\">Hosts</h2>\n"
                     "<table class=\"hosts\">\n<thead><tr><th scope=\"col\">Host</th>"
                     "<th scope=\"col\">Score</th>");
    for (size_t i = 0; i < ARRAY_SIZE(columns); i++)
        strbuf_addf(out, "<th scope=\"col\">%s</th>", columns[i].title);
    strbuf_adds(out, "<th scope=\"col\">Report</th></tr></thead>\n<tbody>\n");
    for (size_t i = 0; i < view->host_count; i++) {
        const struct view_host *host = &view->hosts[i];
        strbuf_adds(out, "<tr><th scope=\"row\">");
        html_text(out, host->name);
        if (*host->role) {
            strbuf_adds(out, " <span class=\"role\">");
            html_text(out, host->role);
            strbuf_adds(out, "</span>");
        }
        strbuf_adds(out, "</th>\n<td data-label=\"Score\">");
        if (host->score >= 0 && view_is_judged(view))
            strbuf_addf(out, "<span class=\"points %s\">%d</span></td>\n",
                        html_score_class(view, host->score), host->score);
        else
            strbuf_adds(out, "<span class=\"none\">none</span></td>\n");
        for (size_t j = 0; j < ARRAY_SIZE(columns); j++)
            add_host_cell(view, i, &columns[j], out);
        add_report_cell(host, out);
        strbuf_adds(out, "</tr>\n");
    }
    strbuf_adds(out, "</tbody>\n</table>\n</section>\n");
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
                "<p class=\"note\">%zu of %zu rules lack the data they need. That is not a "
                "good sign or a bad one.</p>\n<ul class=\"unknown\">\n",
                view->verdict->unknown_count, coverage->rules);
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
        strbuf_adds(out, "</li>\n");
    }
    strbuf_adds(out, "</ul>\n</section>\n");
}
