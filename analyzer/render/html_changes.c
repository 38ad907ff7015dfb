/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * What changed since the report that --baseline names: findings that are gone, those that nobody
 * can judge any more, and what is installed or set differently. New findings stand among the
 * others, marked.
 */
#include "analyzer/render/html.h"

#define DIFFERENCES_SHOWN 300 /* an upgrade changes every package */

static void add_past(const struct past_finding *past, struct strbuf *out)
{
    strbuf_adds(out, "<li>");
    html_badge(out, past->severity);
    strbuf_adds(out, " <strong>");
    html_text(out, past->title);
    strbuf_adds(out, "</strong> <span class=\"note\"><code>");
    html_text(out, past->rule);
    strbuf_adds(out, "</code>");
    size_t count = 0;
    while (past->hosts && past->hosts[count])
        count++;
    if (count) {
        strbuf_adds(out, " on ");
        html_texts(out, past->hosts, count);
    }
    strbuf_adds(out, "</span>");
    if (past->lost) {
        strbuf_adds(out, "<br>");
        html_text(out, past->lost);
    }
    strbuf_adds(out, "</li>\n");
}

static void add_all_past(const struct baseline *baseline, bool is_lost, const char *title,
                         const char *class, struct strbuf *out)
{
    bool is_open = false;
    for (size_t i = 0; i < baseline->past_count; i++) {
        if ((baseline->past[i].lost != NULL) != is_lost)
            continue;
        if (!is_open)
            strbuf_addf(out, "<h3>%s</h3>\n<ul class=\"plain %s\">\n", title, class);
        is_open = true;
        add_past(&baseline->past[i], out);
    }
    strbuf_adds(out, is_open ? "</ul>\n" : "");
}

static void add_side(struct strbuf *out, const char *label, const char *text)
{
    strbuf_addf(out, "<td data-label=\"%s\"><span>", label);
    if (text)
        html_text(out, text);
    else
        strbuf_adds(out, "<span class=\"none\">not there</span>");
    strbuf_adds(out, "</span></td>");
}

static void add_differences(const struct baseline *baseline, struct strbuf *out)
{
    if (baseline->difference_count == 0)
        return;
    strbuf_addf(
        out,
        "<details class=\"more\"><summary>Installed or set differently "
        "<span class=\"note\">%zu</span></summary>\n<div class=\"scroll\" role=\"region\" "
        "aria-label=\"Installed or set differently\" tabindex=\"0\"><table>\n<thead><tr>"
        "<th scope=\"col\">Host</th><th scope=\"col\">What</th><th scope=\"col\">Before</th>"
        "<th scope=\"col\">Now</th></tr></thead>\n<tbody>\n",
        baseline->difference_count);
    for (size_t i = 0; i < baseline->difference_count && i < DIFFERENCES_SHOWN; i++) {
        const struct difference *difference = &baseline->differences[i];
        strbuf_adds(out, "<tr><td>");
        html_text(out, difference->host);
        strbuf_adds(out, "</td><td><span class=\"note\">");
        html_text(out, difference->area);
        strbuf_adds(out, "</span> ");
        html_text(out, difference->object);
        strbuf_adds(out, "</td>");
        add_side(out, "Before", difference->before);
        add_side(out, "Now", difference->now);
        strbuf_adds(out, "</tr>\n");
    }
    strbuf_adds(out, "</tbody>\n</table></div>\n");
    if (baseline->difference_count > DIFFERENCES_SHOWN)
        strbuf_addf(out, "<p class=\"note\">and %zu more; --format json has all</p>\n",
                    baseline->difference_count - DIFFERENCES_SHOWN);
    if (baseline->differences_dropped)
        strbuf_addf(out, "<p class=\"note\">and %zu more that were not kept</p>\n",
                    baseline->differences_dropped);
    strbuf_adds(out, "</details>\n");
}

void html_changes(const struct view *view, struct strbuf *out)
{
    const struct baseline *baseline = view->verdict->baseline;
    if (!baseline)
        return;
    struct view_changes changes = view_changes(view);
    strbuf_adds(out, "<section aria-labelledby=\"changes\">\n<h2 id=\"changes\">Changes</h2>\n"
                     "<p class=\"note\">Compared with ");
    for (size_t i = 0; i < baseline->path_count; i++) {
        strbuf_adds(out, i ? ", <code>" : "<code>");
        html_text(out, baseline->paths[i]);
        strbuf_adds(out, "</code>");
    }
    if (baseline->taken != TIME_UNKNOWN) {
        strbuf_adds(out, baseline->path_count > 1 ? ", the newest of " : " of ");
        html_time(out, baseline->taken);
    }
    strbuf_addf(out,
                ": %zu new, %zu still there, %zu gone, %zu lost sight of. New findings are marked "
                "above.</p>\n",
                changes.fresh, changes.still, changes.gone, changes.lost);
    add_all_past(baseline, true, "Lost sight of", "lost", out);
    add_all_past(baseline, false, "Gone", "gone", out);
    add_differences(baseline, out);
    strbuf_adds(out, "</section>\n");
}
