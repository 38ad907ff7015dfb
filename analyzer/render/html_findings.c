/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * Findings as cards that open: the ones that matter are open already. A cause holds its symptoms,
 * so that the page lists what to repair, not what was seen.
 */
#include <inttypes.h>

#include "analyzer/render/html.h"

#define EVIDENCE_BYTES 4000 /* of one line; longer ones are binary rubbish or dumps */
#define ALL_OPEN       4    /* so few findings need no folding */
#define ERRORS_OPEN    12 /* with more, only the critical ones are open, or nobody sees the whole */

static void add_count(const struct finding *finding, struct strbuf *out)
{
    if (finding->count > 1)
        strbuf_addf(out, "<li>%" PRId64 " times</li>", finding->count);
}

/* The line below a title: what one wants to know before opening the card. */
static void add_meta(const struct finding *finding, struct strbuf *out)
{
    strbuf_adds(out, "<ul class=\"meta\"><li>");
    html_text(out, finding->component);
    strbuf_adds(out, "</li>");
    if (finding->host_count) {
        strbuf_adds(out, "<li>");
        html_texts(out, finding->hosts, finding->host_count);
        strbuf_adds(out, "</li>");
    }
    add_count(finding, out);
    if (finding->last_seen != TIME_UNKNOWN) {
        strbuf_adds(out, "<li>last ");
        html_time(out, finding->last_seen);
        strbuf_adds(out, "</li>");
    }
    if (finding->cost > 0)
        strbuf_addf(out, "<li class=\"cost\">−%d points</li>", finding->cost);
    strbuf_adds(out, "</ul>");
}

static void add_section(struct strbuf *out, int level, const char *class, const char *title,
                        const char *prose)
{
    if (!*prose)
        return;
    strbuf_addf(out, "<div class=\"%s\">\n<h%d>%s</h%d>\n", class, level, title, level);
    html_prose(out, prose);
    strbuf_adds(out, "</div>\n");
}

static void add_evidence(const struct view *view, const struct finding *finding, int level,
                         struct strbuf *out)
{
    if (finding->evidence_count == 0)
        return;
    strbuf_addf(out, "<h%d>Evidence</h%d>\n<ul class=\"evidence\">\n", level, level);
    for (size_t i = 0; i < finding->evidence_count; i++) {
        const struct evidence *evidence = &finding->evidence[i];
        strbuf_adds(out, "<li><p class=\"where\">");
        if (view->host_count > 1 && *evidence->host) {
            strbuf_adds(out, "<span class=\"host\">");
            html_text(out, evidence->host);
            strbuf_adds(out, "</span> ");
        }
        strbuf_adds(out, "<code>");
        html_text(out, evidence->path);
        if (evidence->line > 0)
            strbuf_addf(out, ":%" PRId64, evidence->line);
        strbuf_adds(out, "</code> ");
        html_time(out, evidence->time);
        strbuf_adds(out, "</p><pre>");
        html_cut(out, evidence->text, EVIDENCE_BYTES);
        strbuf_adds(out, "</pre></li>\n");
    }
    strbuf_adds(out, "</ul>\n");
}

static void add_details(const struct finding *finding, struct strbuf *out)
{
    strbuf_adds(out, "<dl class=\"facts\">\n<div><dt>Rule</dt><dd><code>");
    html_text(out, finding->rule);
    strbuf_addf(out, "</code></dd></div>\n<div><dt>Confidence</dt><dd>%s</dd></div>\n",
                confidence_name(finding->confidence));
    if (finding->first_seen != TIME_UNKNOWN || finding->last_seen != TIME_UNKNOWN) {
        strbuf_adds(out, "<div><dt>Seen</dt><dd>");
        html_period(out, finding->first_seen, finding->last_seen);
        strbuf_adds(out, "</dd></div>\n");
    }
    for (const char *const *link = finding->links; link && *link; link++) {
        strbuf_adds(out, "<div><dt>More</dt><dd>");
        html_link(out, *link);
        strbuf_adds(out, "</dd></div>\n");
    }
    strbuf_adds(out, "</dl>\n");
}

static void begin_card(const struct finding *finding, size_t number, int level, bool is_open,
                       struct strbuf *out)
{
    strbuf_addf(out,
                "<details class=\"finding %s\"%s>\n<summary>"
                "<span class=\"number\">%zu</span><span class=\"about\">",
                severity_name(finding->severity), is_open ? " open" : "", number);
    html_badge(out, finding->severity);
    strbuf_addf(out, "<h%d>", level);
    html_text(out, finding->title);
    strbuf_addf(out, "</h%d>", level);
    add_meta(finding, out);
    /* The number's anchor stands inside: following a link to it opens the card. */
    strbuf_addf(out, "</span></summary>\n<div class=\"body\" id=\"f%zu\">\n", number);
}

static void add_body(const struct view *view, const struct finding *finding, int level,
                     struct strbuf *out)
{
    strbuf_adds(out, "<div class=\"prose\">\n");
    add_section(out, level, "why", "Why it matters", finding->explanation);
    add_section(out, level, "advice", "What to do", finding->advice);
    strbuf_adds(out, "</div>\n");
    add_evidence(view, finding, level, out);
    add_details(finding, out);
}

/* The cause at `first` with everything up to the next one. Returns where that is. */
static size_t add_cause(const struct view *view, size_t first, struct strbuf *out)
{
    const struct finding *cause = view->findings[first].finding;
    size_t end = first + 1;
    while (end < view->finding_count && view->findings[end].is_symptom)
        end++;
    bool is_open = cause->severity == SEVERITY_CRITICAL || view->finding_count <= ALL_OPEN ||
                   (cause->severity == SEVERITY_ERROR && view->finding_count <= ERRORS_OPEN);
    begin_card(cause, first + 1, 3, is_open, out);
    add_body(view, cause, 4, out);
    if (end > first + 1) {
        strbuf_adds(out, "<h4>What follows from it</h4>\n<div class=\"symptoms\">\n");
        for (size_t i = first + 1; i < end; i++) {
            begin_card(view->findings[i].finding, i + 1, 5, false, out);
            add_body(view, view->findings[i].finding, 6, out);
            strbuf_adds(out, "</div></details>\n");
        }
        strbuf_adds(out, "</div>\n");
    }
    strbuf_adds(out, "</div></details>\n");
    return end;
}

void html_findings(const struct view *view, struct strbuf *out)
{
    strbuf_adds(out, "<section aria-labelledby=\"findings\">\n<h2 id=\"findings\">Findings</h2>\n");
    if (view->finding_count == 0) {
        const struct coverage *coverage = &view->verdict->coverage;
        strbuf_adds(out, "<p class=\"calm\">");
        if (view_is_judged(view))
            strbuf_addf(out, "None. %zu of %zu rules had the data they need and found nothing%s.",
                        coverage->evaluated, coverage->rules,
                        view->hidden ? " of the asked severity" : " to report");
        else
            strbuf_adds(out, "None, but no rule had the data it needs: this says nothing.");
        strbuf_adds(out, "</p>\n");
    }
    for (size_t i = 0; i < view->finding_count;)
        i = add_cause(view, i, out);
    strbuf_adds(out, "</section>\n");
}
