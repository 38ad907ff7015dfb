/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * --format markdown: GitHub-flavoured, for tickets.
 *
 * Nothing foreign may become markup. Backslashes see to that as far as Markdown goes (CommonMark
 * 0.30, 2.4), but trackers look at the finished text once more, for @names, #numbers and addresses,
 * and there a backslash is gone already: an invisible zero width space breaks those. Lines of logs
 * stand in code blocks, which no tracker looks into.
 */
#include "analyzer/render/prose.h"
#include "analyzer/render/view.h"
#include "analyzer/verdict/excerpt.h"
#include "common/escape.h"
#include "common/version.h"

/* Trackers cut at 64 KiB; a ticket is not the place for all of a report. */
#define EVIDENCE_SHOWN    4
#define TEXT_SHOWN        300
#define PROBLEMS_SHOWN    20
#define RULES_SHOWN       5
#define DIFFERENCES_SHOWN 30

#define ZERO_WIDTH_SPACE "&#8203;"

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static bool is_word(char c)
{
    return is_digit(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c & 0x80);
}

/* Whether a marker of a heading, list or line begins here, at the start of a line. */
static bool begins_block(const char *text, size_t at)
{
    if (at == 0)
        return strchr("-+=", text[0]) != NULL;
    if ((text[at] != '.' && text[at] != ')') || (text[at + 1] && text[at + 1] != ' '))
        return false;
    for (size_t i = 0; i < at; i++)
        if (!is_digit(text[i]))
            return false;
    return true;
}

/* Whether a tracker would link what ends with the character before `at`. */
static bool begins_reference(const char *text, size_t at)
{
    const char *here = text + at;
    if (at >= 1 && (here[-1] == '@' || here[-1] == '#'))
        return is_word(*here);
    if (at >= 1 && here[-1] == ':' && *here == '/')
        return true;
    if (at >= 3 && here[-1] == '-' && (here[-2] == 'H' || here[-2] == 'h') &&
        (here[-3] == 'G' || here[-3] == 'g'))
        return is_digit(*here);
    return at >= 3 && strncasecmp(here - 3, "www", 3) == 0 && *here == '.';
}

static void add_safe(struct strbuf *out, const char *safe, size_t length)
{
    for (size_t i = 0; i < length; i++) {
        if (begins_reference(safe, i))
            strbuf_adds(out, ZERO_WIDTH_SPACE);
        if (strchr("\\`*_[]<>&|~$#!", safe[i]) || begins_block(safe, i))
            strbuf_addc(out, '\\');
        strbuf_addc(out, safe[i]);
    }
}

/* Foreign text within a line. */
static void add_piece(struct strbuf *out, const char *text, size_t length)
{
    CLEANUP(strbuf_release) struct strbuf safe = STRBUF_INIT;
    escape_terminal(&safe, text, length, false);
    /* Blanks at both ends would indent, or break the line. */
    while (safe.length > 0 && safe.data[safe.length - 1] == ' ')
        strbuf_truncate(&safe, safe.length - 1);
    size_t start = strspn(safe.data, " ");
    strbuf_adds(out, start && out->length && out->data[out->length - 1] != '\n' ? " " : "");
    add_safe(out, safe.data + start, safe.length - start);
    if (!strbuf_ok(&safe))
        out->failed = true;
}

static void add_text(struct strbuf *out, const char *text)
{
    add_piece(out, text, strlen(text));
}

static void add_ticks(struct strbuf *out, size_t count)
{
    while (count-- > 0)
        strbuf_addc(out, '`');
}

/* Foreign text as code. A fence of more backticks than the text has in a row cannot be closed by
 * it. */
static void add_code(struct strbuf *out, const char *text, size_t length)
{
    CLEANUP(strbuf_release) struct strbuf safe = STRBUF_INIT;
    size_t longest = 0, run = 0;
    escape_terminal(&safe, text, length, false);
    for (size_t i = 0; i < safe.length; i++) {
        run = safe.data[i] == '`' ? run + 1 : 0;
        longest = run > longest ? run : longest;
    }
    add_ticks(out, longest + 1);
    strbuf_addf(out, longest ? " %s " : "%s", safe.length ? safe.data : "-");
    add_ticks(out, longest + 1);
    if (!strbuf_ok(&safe))
        out->failed = true;
}

/* A line of a rule's prose, in which `this` is code. */
static void add_prose_line(struct strbuf *out, const char *text, size_t length)
{
    struct prose_span span, before = {0};
    for (const char *rest = text; prose_span_next(&rest, text + length, &span); before = span) {
        bool after_blank =
            !before.is_code && before.length && before.text[before.length - 1] == ' ';
        if (span.is_code) {
            strbuf_adds(out, after_blank ? " " : "");
            add_code(out, span.text, span.length);
        } else {
            add_piece(out, span.text, span.length);
        }
    }
}

static void add_prose(struct strbuf *out, const char *label, const char *text)
{
    struct prose prose = {.rest = text};
    struct prose_line line;
    enum prose_kind before = PROSE_BLANK;
    if (!*text)
        return;
    strbuf_addf(out, "**%s**\n\n", label);
    while (prose_next(&prose, &line)) {
        bool is_item = line.kind == PROSE_BULLET || line.kind == PROSE_NUMBER;
        bool was_item = before == PROSE_BULLET || before == PROSE_NUMBER;
        /* Without a blank line a paragraph would swallow a list, and a list a paragraph. */
        if (before != PROSE_BLANK && line.kind != PROSE_BLANK && !line.continues &&
            is_item != was_item)
            strbuf_addc(out, '\n');
        if (line.kind == PROSE_BULLET)
            strbuf_adds(out, "- ");
        else if (line.kind == PROSE_NUMBER)
            strbuf_addf(out, "%d. ", line.number);
        else if (line.continues)
            strbuf_adds(out, "   ");
        if (line.kind == PROSE_CODE)
            add_code(out, line.text, line.length);
        else
            add_prose_line(out, line.text, line.length);
        /* Commands one below the other stay so. */
        strbuf_adds(out, line.kind == PROSE_CODE ? "  \n" : "\n");
        before = line.continues ? before : line.kind;
    }
    strbuf_addc(out, '\n');
}

static void add_names(struct strbuf *out, const char *const *names, size_t count, size_t shown)
{
    for (size_t i = 0; i < count && i < shown; i++) {
        strbuf_adds(out, i ? ", " : "");
        add_text(out, names[i]);
    }
    if (count > shown)
        strbuf_addf(out, " and %zu more", count - shown);
}

static void add_head(struct strbuf *out, const struct view *view)
{
    strbuf_adds(out, "# Health of ");
    if (view->host_count == 1)
        add_text(out, view->hosts[0].name);
    else
        strbuf_addf(out, "%zu hosts", view->host_count);
    if (view_is_judged(view))
        strbuf_addf(out, ": %d of 100 (%s)", view->verdict->score,
                    view_score_word(view, view->verdict->score));
    else
        strbuf_adds(out, ": no score");
    strbuf_adds(out, "\n\n**");
    add_text(out, view->trust.sentence);
    strbuf_adds(out, "**\n\n");
}

static void add_hosts(struct strbuf *out, const struct view *view)
{
    char time[32];
    if (view->host_count == 0)
        return;
    strbuf_adds(out, "| Host | Product | Taken | Score |\n| --- | --- | --- | ---: |\n");
    for (size_t i = 0; i < view->host_count; i++) {
        const struct view_host *host = &view->hosts[i];
        strbuf_adds(out, "| ");
        add_text(out, host->name);
        strbuf_adds(out, " | ");
        add_text(out, host->product);
        strbuf_addc(out, ' ');
        add_text(out, host->version);
        strbuf_addf(out, " | %s%s | ", view_time(host->taken, time),
                    host->taken_is_known ? "" : " (guessed)");
        if (host->score >= 0 && view_is_judged(view))
            strbuf_addf(out, "%d", host->score);
        strbuf_adds(out, " |\n");
    }
    strbuf_addc(out, '\n');
}

static void add_problems(struct strbuf *out, const struct view *view)
{
    if (view->problem_count == 0)
        return;
    strbuf_adds(out, "## Data quality\n\n");
    for (size_t i = 0; i < view->problem_count && i < PROBLEMS_SHOWN; i++) {
        const struct view_problem *problem = &view->problems[i];
        strbuf_addf(out, "- **%s** ", problem->kind);
        add_text(out, problem->subject);
        strbuf_adds(out, ": ");
        if (*problem->path) {
            add_code(out, problem->path, strlen(problem->path));
            strbuf_adds(out, ": ");
        }
        add_text(out, problem->text);
        strbuf_adds(out, "; so ");
        add_text(out, problem->effect);
        strbuf_addc(out, '\n');
    }
    if (view->problem_count > PROBLEMS_SHOWN)
        strbuf_addf(out, "- and %zu more\n", view->problem_count - PROBLEMS_SHOWN);
    strbuf_addc(out, '\n');
}

/* The longest run of backticks in the lines that go into one block. */
static size_t longest_run(const struct finding *finding)
{
    size_t longest = 0, run = 0;
    for (size_t i = 0; i < finding->evidence_count; i++) {
        const struct evidence *evidence = &finding->evidence[i];
        const char *texts[] = {evidence->host, evidence->path, evidence->text};
        for (size_t j = 0; j < ARRAY_SIZE(texts); j++)
            for (const char *c = texts[j]; *c; c++) {
                run = *c == '`' ? run + 1 : 0;
                longest = run > longest ? run : longest;
            }
    }
    return longest;
}

/* As much as fits, with the `length` bytes at `start`. */
static void add_cut(struct strbuf *out, const char *text, size_t start, size_t length)
{
    CLEANUP(strbuf_release) struct strbuf shown = STRBUF_INIT;
    size_t total = strlen(text);
    struct excerpt part = excerpt_of(text, total, start, length, TEXT_SHOWN);
    excerpt_add(&shown, text, total, &part);
    if (!strbuf_ok(&shown))
        out->failed = true;
    escape_terminal(out, shown.data, shown.length, false);
}

static void add_evidence(struct strbuf *out, const struct finding *finding)
{
    if (finding->evidence_count == 0)
        return;
    size_t fence = longest_run(finding) < 3 ? 3 : longest_run(finding) + 1;
    add_ticks(out, fence);
    strbuf_adds(out, "text\n");
    for (size_t i = 0; i < finding->evidence_count && i < EVIDENCE_SHOWN; i++) {
        const struct evidence *evidence = &finding->evidence[i];
        add_cut(out, evidence->host, 0, 0);
        strbuf_addc(out, ' ');
        add_cut(out, evidence->path, 0, 0);
        if (evidence->line > 0)
            strbuf_addf(out, ":%lld", (long long)evidence->line);
        strbuf_adds(out, "\n    ");
        add_cut(out, evidence->text, evidence->match, evidence->match_length);
        strbuf_addc(out, '\n');
    }
    add_ticks(out, fence);
    strbuf_adds(out, "\n\n");
}

static void add_facts_of(struct strbuf *out, const struct finding *finding)
{
    char period[80];
    add_code(out, finding->rule, strlen(finding->rule));
    strbuf_addf(out, ", %s", finding->component);
    if (finding->host_count) {
        strbuf_adds(out, ", on ");
        add_names(out, finding->hosts, finding->host_count, RULES_SHOWN);
    }
    if (finding->count > 1)
        strbuf_addf(out, ", %lld times", (long long)finding->count);
    if (*view_period(finding->first_seen, finding->last_seen, period))
        strbuf_addf(out, ", %s", period);
    strbuf_addf(out, ", confidence %s", confidence_name(finding->confidence));
    if (finding->change == CHANGE_NEW)
        strbuf_adds(out, ", **new since the baseline**");
    strbuf_adds(out, "\n\n");
}

static void add_links(struct strbuf *out, const struct finding *finding)
{
    for (const char *const *link = finding->links; *link; link++) {
        strbuf_adds(out, "- ");
        if (view_is_address(*link))
            strbuf_addf(out, "<%s>", *link);
        else
            add_text(out, *link);
        strbuf_addc(out, '\n');
    }
    strbuf_adds(out, finding->links[0] ? "\n" : "");
}

static void add_cause(struct strbuf *out, const struct finding *finding)
{
    strbuf_addf(out, "### %s: ", severity_name(finding->severity));
    add_text(out, finding->title);
    strbuf_adds(out, "\n\n");
    add_facts_of(out, finding);
    add_evidence(out, finding);
    add_prose(out, "Why", finding->explanation);
    add_prose(out, "What to do", finding->advice);
    add_links(out, finding);
}

static void add_line_of(struct strbuf *out, const struct finding *finding)
{
    strbuf_addf(out, "- %s: ", severity_name(finding->severity));
    add_text(out, finding->title);
    strbuf_adds(out, " (");
    add_code(out, finding->rule, strlen(finding->rule));
    if (finding->host_count) {
        strbuf_adds(out, ", on ");
        add_names(out, finding->hosts, finding->host_count, RULES_SHOWN);
    }
    strbuf_addc(out, ')');
}

static void add_findings(struct strbuf *out, const struct view *view)
{
    strbuf_adds(out, "## Findings\n\n");
    if (view->finding_count == 0 && !view_is_judged(view))
        strbuf_adds(out, "None, but no rule had the data it needs: this says nothing.\n\n");
    else if (view->finding_count == 0)
        strbuf_addf(out,
                    "None from %zu of %zu applicable rules, the ones that had the data they "
                    "need.\n\n",
                    view->verdict->coverage.evaluated,
                    coverage_applicable(&view->verdict->coverage));
    for (size_t i = 0; i < view->finding_count; i++) {
        const struct view_finding *entry = &view->findings[i];
        bool is_last = i + 1 == view->finding_count || !view->findings[i + 1].is_symptom;
        if (!entry->is_symptom) {
            add_cause(out, entry->finding);
            continue;
        }
        if (!view->findings[i - 1].is_symptom)
            strbuf_adds(out, "**What follows from it**\n\n");
        add_line_of(out, entry->finding);
        strbuf_adds(out, is_last ? "\n\n" : "\n");
    }
    if (view->hidden)
        strbuf_addf(out, "%zu more below severity %s are not shown.\n\n", view->hidden,
                    severity_name(view->min_severity));
}

static void add_suppressed(struct strbuf *out, const struct view *view)
{
    if (view->suppressed_count == 0)
        return;
    strbuf_adds(out, "## Suppressed\n\n");
    for (size_t i = 0; i < view->suppressed_count; i++) {
        const struct finding *finding = view->suppressed[i];
        add_line_of(out, finding);
        strbuf_adds(out, ": ");
        add_text(out, finding->suppressed);
        if (finding->suppressed_owner) {
            strbuf_adds(out, ", ");
            add_text(out, finding->suppressed_owner);
        }
        if (finding->suppressed_until) {
            strbuf_adds(out, ", until ");
            add_text(out, finding->suppressed_until);
        }
        strbuf_addc(out, '\n');
    }
    strbuf_addc(out, '\n');
}

static void add_past(struct strbuf *out, const struct past_finding *past)
{
    strbuf_addf(out, "- %s: ", past->lost ? "lost sight of" : "gone");
    add_text(out, past->title);
    strbuf_adds(out, " (");
    add_code(out, past->rule, strlen(past->rule));
    strbuf_adds(out, past->lost ? "): " : ")");
    add_text(out, past->lost ? past->lost : "");
    strbuf_addc(out, '\n');
}

static void add_difference(struct strbuf *out, const struct difference *difference)
{
    const char *cells[] = {difference->host, difference->area, difference->object,
                           difference->before ? difference->before : "(not there)",
                           difference->now ? difference->now : "(not there)"};
    for (size_t i = 0; i < ARRAY_SIZE(cells); i++) {
        strbuf_adds(out, "| ");
        add_text(out, cells[i]);
        strbuf_addc(out, ' ');
    }
    strbuf_adds(out, "|\n");
}

static void add_baseline(struct strbuf *out, const struct view *view)
{
    const struct baseline *baseline = view->verdict->baseline;
    struct view_changes changes = view_changes(view);
    if (!baseline)
        return;
    strbuf_adds(out, "## Since the baseline ");
    for (size_t i = 0; i < baseline->path_count; i++) {
        strbuf_adds(out, i ? ", " : "");
        add_text(out, baseline->paths[i]);
    }
    strbuf_addf(out, "\n\n%zu new, %zu still there, %zu gone, %zu lost sight of.\n\n",
                changes.fresh, changes.still, changes.gone, changes.lost);
    for (size_t i = 0; i < baseline->past_count; i++)
        add_past(out, &baseline->past[i]);
    if (baseline->difference_count == 0)
        return;
    strbuf_adds(out, "\n| Host | Area | What | Before | Now |\n| --- | --- | --- | --- | --- |\n");
    for (size_t i = 0; i < baseline->difference_count && i < DIFFERENCES_SHOWN; i++)
        add_difference(out, &baseline->differences[i]);
    strbuf_addc(out, '\n');
    if (baseline->difference_count > DIFFERENCES_SHOWN)
        strbuf_addf(out, "And %zu more differences.\n\n",
                    baseline->difference_count - DIFFERENCES_SHOWN);
}

static void add_unknown(struct strbuf *out, const struct view *view)
{
    if (view->unknown_count == 0)
        return;
    strbuf_adds(out, "## Not judged, for want of data\n\n");
    for (size_t i = 0; i < view->unknown_count; i++) {
        const struct view_unknown *unknown = &view->unknown[i];
        strbuf_addf(out, "- %zu %s: ", unknown->count, unknown->count == 1 ? "rule" : "rules");
        add_text(out, unknown->reason);
        strbuf_adds(out, " (");
        add_names(out, unknown->rules, unknown->count, RULES_SHOWN);
        strbuf_adds(out, ")\n");
    }
    strbuf_addc(out, '\n');
}

int view_as_markdown(const struct view *view, struct strbuf *out, struct err *err)
{
    const struct coverage *coverage = &view->verdict->coverage;
    add_head(out, view);
    add_hosts(out, view);
    add_problems(out, view);
    add_findings(out, view);
    add_suppressed(out, view);
    add_baseline(out, view);
    add_unknown(out, view);
    strbuf_addf(out,
                "---\n\nxen-analyze %s: %zu applicable rules, %zu failed, %zu passed, %zu unknown; "
                "%zu others not applicable.\n",
                XENHEALTH_VERSION, coverage_applicable(coverage), coverage->failed,
                coverage->passed, coverage->unknown, coverage->not_applicable);
    return strbuf_ok(out) ? 0 : err_nomem(err);
}
