/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * Findings as cards that open: the ones that matter are open already. A cause holds its symptoms,
 * so that the page lists what to repair, not what was seen.
 */
#include <inttypes.h>

#include "analyzer/render/html.h"

#define EVIDENCE_BYTES 4000 /* of one line; longer ones are binary rubbish or dumps */
#define CONTEXT_BYTES  400  /* of a line around it */
#define CONTEXTS_SHOWN 3    /* of a finding: first ones; more of the same tells nothing new */

/*
 * The page can be mailed however much is wrong: when it has become so long, evidence comes without
 * context, then one cut line a finding, then the rest is only counted. The pool of 64 hosts with
 * 100 findings stays below the first of these.
 */
#define PAGE_CONTEXT     (1024 * 1024)
#define PAGE_WHOLE_LINES (2 * 1024 * 1024)
#define PAGE_FINDINGS    (6 * 1024 * 1024)
#define ALL_OPEN         4 /* so few findings need no folding */
#define ERRORS_OPEN      12 /* with more, only the critical ones are open, or nobody sees the whole */

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

static void begin_line(struct strbuf *out, int64_t number, bool is_hit)
{
    strbuf_addf(out, "<%s class=\"row\"><span class=\"no\">%" PRId64 "</span><span>",
                is_hit ? "mark" : "span", number);
}

static void end_line(struct strbuf *out, bool is_hit)
{
    strbuf_addf(out, "</span></%s>", is_hit ? "mark" : "span");
}

static size_t count_lines(const char *text)
{
    size_t count = *text ? 1 : 0;
    for (; *text; text++)
        count += *text == '\n';
    return count;
}

/* The evidence of a finding that is this line, at or behind `from`; the count when there is none.
 */
static size_t find_proof(const struct finding *finding, size_t from, const struct evidence *like,
                         int64_t line)
{
    for (; from < finding->evidence_count; from++) {
        const struct evidence *evidence = &finding->evidence[from];
        if (evidence->line == line && strcmp(evidence->path, like->path) == 0 &&
            strcmp(evidence->host, like->host) == 0)
            break;
    }
    return from;
}

/* Context; what in it is proof, too, is marked. */
static void add_lines(struct strbuf *out, const struct finding *finding,
                      const struct evidence *evidence, int64_t number, const char *text)
{
    for (; *text; number++) {
        size_t length = strcspn(text, "\n");
        bool is_hit = find_proof(finding, 0, evidence, number) < finding->evidence_count;
        CLEANUP(strbuf_release) struct strbuf line = STRBUF_INIT;
        strbuf_add(&line, text, length);
        begin_line(out, number, is_hit);
        html_cut(out, line.data, CONTEXT_BYTES);
        end_line(out, is_hit);
        out->failed = out->failed || !strbuf_ok(&line);
        text += length + (text[length] == '\n');
    }
}

static void add_proof(const struct finding *finding, const struct evidence *evidence,
                      bool with_context, struct strbuf *out)
{
    const char *before = with_context && evidence->before ? evidence->before : "";
    const char *after = with_context && evidence->after ? evidence->after : "";
    bool has_lines = evidence->line > 0 && (*before || *after);
    size_t limit = out->length < PAGE_WHOLE_LINES ? EVIDENCE_BYTES : CONTEXT_BYTES;
    strbuf_addf(out, "<pre%s>", has_lines ? " class=\"lines\"" : "");
    if (has_lines) {
        add_lines(out, finding, evidence, evidence->line - (int64_t)count_lines(before), before);
        begin_line(out, evidence->line, true);
        html_around(out, evidence->text, evidence->match, evidence->match_length, limit);
        end_line(out, true);
        add_lines(out, finding, evidence, evidence->line + 1, after);
    } else {
        html_around(out, evidence->text, evidence->match, evidence->match_length, limit);
    }
    strbuf_adds(out, "</pre>");
}

static void add_place(const struct view *view, const struct evidence *evidence, struct strbuf *out)
{
    strbuf_adds(out, "<p class=\"where\">");
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
    strbuf_adds(out, "</p>");
}

static void add_evidence(const struct view *view, const struct finding *finding, int level,
                         struct strbuf *out)
{
    const struct evidence *shown = NULL; /* the last one with context */
    size_t contexts = 0;
    if (finding->evidence_count == 0)
        return;
    strbuf_addf(out, "<h%d>Evidence</h%d>\n<ul class=\"evidence\">\n", level, level);
    for (size_t i = 0; i < finding->evidence_count; i++) {
        const struct evidence *evidence = &finding->evidence[i];
        if (shown && evidence->line > shown->line &&
            evidence->line <= shown->line + (int64_t)count_lines(shown->after) &&
            find_proof(finding, i, shown, evidence->line) == i)
            continue; /* marked in that context */
        if (i > 0 && out->length > PAGE_WHOLE_LINES)
            break;
        bool with_context = contexts < CONTEXTS_SHOWN && out->length < PAGE_CONTEXT;
        contexts += with_context;
        shown = with_context && evidence->after ? evidence : NULL;
        strbuf_adds(out, "<li>");
        add_place(view, evidence, out);
        add_proof(finding, evidence, with_context, out);
        strbuf_adds(out, "</li>\n");
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
    strbuf_addf(out, "<h%d>", level);
    html_badge(out, finding->severity);
    if (finding->change == CHANGE_NEW)
        strbuf_adds(out, " <span class=\"new\">new</span>");
    strbuf_adds(out, " ");
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
        for (size_t i = first + 1; i < end && out->length < PAGE_FINDINGS; i++) {
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
            strbuf_addf(out,
                        "None. %zu of %zu applicable rules had the data they need and found "
                        "nothing%s.",
                        coverage->evaluated, coverage_applicable(coverage),
                        view->hidden ? " of the asked severity" : " to report");
        else
            strbuf_adds(out, "None, but no rule had the data it needs: this says nothing.");
        strbuf_adds(out, "</p>\n");
    }
    size_t next = 0;
    while (next < view->finding_count && out->length < PAGE_FINDINGS)
        next = add_cause(view, next, out);
    if (next < view->finding_count)
        strbuf_addf(out, "<p class=\"note\">and %zu more; --format json has all</p>\n",
                    view->finding_count - next);
    strbuf_adds(out, "</section>\n");
}
