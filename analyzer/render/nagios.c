/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * --format nagios: one line and performance data, for Nagios, Icinga, NRPE and what follows the
 * Monitoring Plugins Development Guidelines (monitoring-plugins.org/doc/guidelines.html).
 *
 * Old web interfaces print the line as HTML and hand it to a shell in notification commands, so it
 * holds none of the characters that Nagios calls illegal in macro output, and no `|`, which would
 * begin performance data.
 */
#include "analyzer/render/view.h"
#include "common/escape.h"

/* NRPE's old protocol cuts at 1024 bytes, performance data included. */
#define TEXT_MAX 480

static const char *const state_names[] = {
    [NAGIOS_OK] = "OK",
    [NAGIOS_WARNING] = "WARNING",
    [NAGIOS_CRITICAL] = "CRITICAL",
    [NAGIOS_UNKNOWN] = "UNKNOWN",
};

enum nagios_state render_nagios_state(const struct verdict *verdict)
{
    enum nagios_state state = verdict->coverage.evaluated ? NAGIOS_OK : NAGIOS_UNKNOWN;
    for (size_t i = 0; i < verdict->finding_count; i++) {
        const struct finding *finding = &verdict->findings[i];
        if (finding->suppressed)
            continue;
        if (finding->severity >= SEVERITY_ERROR)
            return NAGIOS_CRITICAL;
        if (finding->severity == SEVERITY_WARNING && state != NAGIOS_UNKNOWN)
            state = NAGIOS_WARNING;
    }
    return state;
}

static char harmless(char c)
{
    switch (c) {
    case '|':
        return '/';
    case '<':
        return '(';
    case '>':
        return ')';
    case '&':
        return '+';
    case '`':
    case '~':
    case '$':
    case '"':
    case '\'':
        return '\0';
    default:
        return c;
    }
}

/* Foreign text for the line: as for a terminal, without what is illegal, cut at a character. */
static void add_text(struct strbuf *out, const char *text, size_t limit)
{
    CLEANUP(strbuf_release) struct strbuf safe = STRBUF_INIT;
    escape_terminal(&safe, text, strlen(text), false);
    size_t length = safe.length < limit ? safe.length : limit;
    while (length < safe.length && length > 0 && ((unsigned char)safe.data[length] & 0xc0) == 0x80)
        length--;
    for (size_t i = 0; i < length; i++)
        if (harmless(safe.data[i]))
            strbuf_addc(out, harmless(safe.data[i]));
    strbuf_adds(out, length < safe.length ? "..." : "");
    if (!strbuf_ok(&safe))
        out->failed = true;
}

void render_nagios_unknown(const char *reason, struct strbuf *out)
{
    strbuf_adds(out, "XENHEALTH UNKNOWN - ");
    add_text(out, reason, TEXT_MAX);
    strbuf_addc(out, '\n');
}

static void count_findings(const struct verdict *verdict, size_t counts[SEVERITY_COUNT])
{
    for (size_t i = 0; i < verdict->finding_count; i++)
        if (!verdict->findings[i].suppressed)
            counts[verdict->findings[i].severity]++;
}

/* "2 critical, 1 error": what there is, worst first. */
static void add_counts(struct strbuf *out, const size_t counts[SEVERITY_COUNT])
{
    static const char *const one[] = {"info", "warning", "error", "critical"};
    static const char *const many[] = {"info", "warnings", "errors", "critical"};
    bool any = false;
    for (int i = SEVERITY_COUNT - 1; i >= 0; i--)
        if (counts[i]) {
            strbuf_addf(out, "%s%zu %s", any ? ", " : "", counts[i],
                        counts[i] == 1 ? one[i] : many[i]);
            any = true;
        }
    strbuf_adds(out, any ? "" : "nothing found");
}

/* The verdict has the worst first. */
static const struct finding *worst_finding(const struct verdict *verdict)
{
    for (size_t i = 0; i < verdict->finding_count; i++)
        if (!verdict->findings[i].suppressed)
            return &verdict->findings[i];
    return NULL;
}

static void add_worst(struct strbuf *out, const struct finding *finding)
{
    strbuf_adds(out, "; worst: ");
    add_text(out, finding->title, TEXT_MAX / 2);
    if (finding->host_count == 0)
        return;
    strbuf_adds(out, " on ");
    add_text(out, finding->hosts[0], 64);
    if (finding->host_count > 1)
        strbuf_addf(out, " and %zu more", finding->host_count - 1);
}

/* label=value[unit];[warn];[crit];[min];[max] */
static void add_performance(struct strbuf *out, const struct view *view,
                            const size_t counts[SEVERITY_COUNT])
{
    const struct coverage *coverage = &view->verdict->coverage;
    size_t applicable = coverage_applicable(coverage);
    strbuf_adds(out, " |");
    if (coverage->evaluated)
        strbuf_addf(out, " score=%d;;;0;100", view->verdict->score);
    strbuf_addf(out, " critical=%zu;;0;0; errors=%zu;;0;0; warnings=%zu;0;;0; info=%zu;;;0;",
                counts[SEVERITY_CRITICAL], counts[SEVERITY_ERROR], counts[SEVERITY_WARNING],
                counts[SEVERITY_INFO]);
    strbuf_addf(out, " coverage=%zu%%;;;0;100 unknown=%zu;;;0;%zu problems=%zu;;;0;\n",
                applicable ? coverage->evaluated * 100 / applicable : 0, coverage->unknown,
                applicable, view->problem_count);
}

int view_as_nagios(const struct view *view, struct strbuf *out, struct err *err)
{
    const struct verdict *verdict = view->verdict;
    enum nagios_state state = render_nagios_state(verdict);
    const struct finding *worst = worst_finding(verdict);
    size_t counts[SEVERITY_COUNT] = {0};
    count_findings(verdict, counts);
    strbuf_addf(out, "XENHEALTH %s - ", state_names[state]);
    if (verdict->coverage.evaluated)
        strbuf_addf(out, "score %d, ", verdict->score);
    else
        strbuf_adds(out, "no score, no rule had the data it needs, ");
    add_counts(out, counts);
    if (worst)
        add_worst(out, worst);
    if (view->trust.level != TRUST_FULL)
        strbuf_addf(
            out, "; trust %s: %zu problem%s of the report, %zu of %zu applicable rules unknown",
            trust_name(view->trust.level), view->problem_count, view->problem_count == 1 ? "" : "s",
            verdict->coverage.unknown, coverage_applicable(&verdict->coverage));
    add_performance(out, view, counts);
    return strbuf_ok(out) ? 0 : err_nomem(err);
}
