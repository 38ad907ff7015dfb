/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * What there is to show, as plain data: the verdict in the order people read it, joined with what
 * the report set and the facts say about each host.
 *
 * Renderers see only a view: they need neither a report nor a database, which is also how they are
 * tested. No text is ever NULL; what is not known is "". All of it is foreign and must be escaped.
 */
#pragma once

#include "analyzer/render/render.h"

/* A host, with the facts a reader wants in the heading and in the inventory. */
struct view_host {
    const char *name;
    const char *source; /* the REPORT it came from, as given on the command line */
    const char *product, *version;
    const char *xen, *kernel;
    const char *machine; /* maker and model */
    const char *bios;    /* version and date */
    const char *cpu;     /* model and number */
    const char *memory;  /* of the machine and of the control domain */
    const char *role;    /* in the pool */
    int64_t taken;       /* TIME_UNKNOWN if nothing tells */
    bool taken_is_known; /* false: guessed from the newest file */
    int64_t entries, bytes;
    int score; /* -1: none */
};

struct view_problem {
    const char *kind;
    int host;            /* index into the view's hosts, or -1: of a source that gave none */
    const char *subject; /* who it is about: the host's name, or the REPORT as a whole */
    const char *source;  /* the REPORT it is about */
    const char *path;
    const char *text;
    const char *effect; /* what the result lacks because of it: one sentence without its end */
    size_t unknown;     /* rules that are unknown because of it */
};

/* How far the result can be trusted: "full", "partial" or "poor". */
enum trust { TRUST_FULL, TRUST_PARTIAL, TRUST_POOR };

struct view_trust {
    enum trust level;
    size_t unknown_by_problems; /* unknown rules that some problem of the reports explains */
    size_t lowered;             /* findings that are less sure than their rule is */
    const char *sentence;       /* all of this for a person, escaped by nobody; one line, ended */
};

const char *trust_name(enum trust level);

/* Findings as they are read: a cause, then its symptoms, then the next cause. */
struct view_finding {
    const struct finding *finding;
    bool is_symptom; /* belongs to the nearest one above that is none */
};

/* Rules that share a reason why they could not be judged; the most frequent reason comes first. */
struct view_unknown {
    const char *reason;
    const char **rules;
    size_t count;
};

struct view {
    struct arena *arena;
    const struct verdict *verdict;
    bool colour;
    int width;

    struct view_host *hosts;
    size_t host_count;
    const char **sources; /* REPORTs as given */
    size_t source_count;
    struct view_problem *problems;
    size_t problem_count;

    struct view_finding *findings;
    size_t finding_count;
    const struct finding **suppressed;
    size_t suppressed_count;
    size_t counts[SEVERITY_COUNT]; /* of `findings` */
    size_t hidden;                 /* findings below min_severity, suppressed ones not counted */
    enum severity min_severity;

    struct view_unknown *unknown;
    size_t unknown_count;
    struct view_trust trust;
};

/* An empty view in an arena of its own. ERR_NOMEM. */
int view_new(const struct verdict *verdict, struct view **ret, struct err *err);
void *view_free(struct view *view); /* returns NULL */

/* Puts the verdict's findings and unknown rules in reading order. ERR_NOMEM. */
int view_arrange(struct view *view, struct err *err);

/* Fills in `trust` and the effect of each problem; needs hosts and problems. ERR_NOMEM. */
int view_weigh(struct view *view, struct err *err);

/* Joins everything: a new view, hosts, facts and problems filled in, arranged and weighed.
 * ERR_NOMEM. */
int view_build(const struct render_input *input, struct view **ret, struct err *err);

/* The formats. Each appends a whole document. ERR_NOMEM. */
int view_as_text(const struct view *view, struct strbuf *out, struct err *err);
int view_as_json(const struct view *view, struct strbuf *out, struct err *err);
int view_as_html(const struct view *view, struct strbuf *out, struct err *err);
int view_as_markdown(const struct view *view, struct strbuf *out, struct err *err);
int view_as_junit(const struct view *view, struct strbuf *out, struct err *err);
int view_as_sarif(const struct view *view, struct strbuf *out, struct err *err);
int view_as_prometheus(const struct view *view, struct strbuf *out, struct err *err);
int view_as_nagios(const struct view *view, struct strbuf *out, struct err *err);

/* "2026-11-02 10:00:00" into buffer; "" for TIME_UNKNOWN. Returns buffer. */
const char *view_time(int64_t time, char buffer[32]);

/* "2026-11-02 10:00:00 - 11:30:00" (one time if both are the same or one is not known) into buffer.
 */
const char *view_period(int64_t first, int64_t last, char buffer[80]);

/* False when no rule had data: the score says nothing then. */
bool view_is_judged(const struct view *view);

/* How many findings changed in which way since the baseline; all 0 without one. */
struct view_changes {
    size_t fresh, still, gone, lost;
};

struct view_changes view_changes(const struct view *view);

/*
 * Links come from rules, and rules may come from a stranger: true for an https address of printable
 * ASCII that no reader of a page can take in two ways. Nothing else becomes a link anywhere.
 */
bool view_is_address(const char *url);

/*
 * What a score is shown as. Of a result that can hardly be trusted none is good: that is a promise.
 * GRADE_NONE is also what has no score (-1), and all scores when nothing was judged.
 */
enum grade { GRADE_NONE, GRADE_GOOD, GRADE_FAIR, GRADE_POOR, GRADE_BAD };
enum grade view_grade(const struct view *view, int score);

/* How a score reads in words. What was not seen can only lower it, so of a result that can hardly
 * be trusted they say "at best". */
const char *view_score_word(const struct view *view, int score);
