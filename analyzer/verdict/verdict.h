/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * What an analysis says: findings with their proof, what could not be judged, coverage and score.
 *
 * Plain data, made by the judge, read by the renderers; everything lives in the verdict's arena.
 * Texts come from reports and are hostile: whoever shows them escapes them (common/escape.h).
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "analyzer/database/database.h"
#include "analyzer/report/report.h"
#include "analyzer/verdict/overview.h"
#include "common/arena.h"

enum severity { SEVERITY_INFO, SEVERITY_WARNING, SEVERITY_ERROR, SEVERITY_CRITICAL };
#define SEVERITY_COUNT 4

enum confidence { CONFIDENCE_LOW, CONFIDENCE_MEDIUM, CONFIDENCE_HIGH };

const char *severity_name(enum severity severity);       /* "info" ... "critical" */
const char *confidence_name(enum confidence confidence); /* "low" ... */

/* NULL-ended names, in the order of the enum, for option and YAML parsing. */
extern const char *const severity_names[];
extern const char *const confidence_names[];
extern const char *const component_names[]; /* storage, network, ha ... the contract's list */

#define TIME_UNKNOWN INT64_MIN

struct evidence {
    const char *host;
    const char *path;
    int64_t line; /* 0: the file as a whole */
    int64_t time; /* epoch seconds of the host's wall clock, or TIME_UNKNOWN */
    const char *text;
    size_t match, match_length; /* the part of `text` that the rule's pattern matched; length 0: none */
    /* Up to EVIDENCE_CONTEXT lines around a log line, joined by '\n', without a last one; "" where
     * there are none or nobody asked for them. */
    const char *before, *after;
};

#define EVIDENCE_CONTEXT 5

struct finding_value {
    const char *name, *text;
};

/* What became of a finding since the report that --baseline names. */
enum change { CHANGE_NONE /* there is no baseline */, CHANGE_NEW, CHANGE_STILL };

struct finding {
    const char *rule;
    const char *title; /* values filled in */
    enum severity severity;
    const char *component;
    enum confidence confidence;
    const char *const *hosts; /* NULL-ended */
    size_t host_count;
    int64_t count;                 /* events or rows */
    int64_t first_seen, last_seen; /* TIME_UNKNOWN where there is none */
    const char *explanation, *advice;
    const char *const *links; /* NULL-ended */
    const struct finding_value *values;
    size_t value_count;
    const struct evidence *evidence; /* the first and last few */
    size_t evidence_count;
    const char *suppressed;       /* the reason, or NULL */
    const char *suppressed_owner; /* who answers for it, or NULL */
    const char *suppressed_until; /* last day, "2027-03-31", or NULL: for good */
    enum change change;
    int explained_by;       /* index of the finding that is its cause, or -1 */
    int cost;               /* points the overall score would gain without it; 0 if none */
};

struct unknown_rule {
    const char *rule;
    const char *reason;
    /* The same for programs: the file (a pattern, path_pattern.h) that it lacks, or NULL; and whose,
     * NULL when no host has it. */
    const char *path, *host;
};

/* Whether a host is one of the finding's. */
bool finding_concerns(const struct finding *finding, const char *host);

enum rule_outcome { OUTCOME_PASS, OUTCOME_FAIL, OUTCOME_UNKNOWN, OUTCOME_NOT_APPLICABLE };

const char *outcome_name(enum rule_outcome outcome); /* "pass", "fail", "unknown", "not-applicable" */

/* A rule that took part, and what became of it. */
struct judged_rule {
    const char *rule;
    const char *title; /* as the rule has it: {names} of values, not the values */
    const char *component;
    enum severity severity;
    enum confidence confidence;
    const char *explanation, *advice; /* as the rule has them */
    const char *const *links;         /* NULL-ended */
    enum rule_outcome outcome;
    const char *reason; /* why it is unknown, else "" */
};

struct score {
    const char *name; /* host or component */
    int value;        /* 0-100 */
};

/*
 * What became of the rules. Texts for people count out of the applicable ones, "46 of 52": the
 * others are about something that these hosts do not have.
 */
struct coverage {
    size_t rules, evaluated, failed, passed, unknown, not_applicable;
};

static inline size_t coverage_applicable(const struct coverage *coverage)
{
    return coverage->rules - coverage->not_applicable;
}

struct rule_pack {
    const char *name, *version;
    size_t rules;
};

/* A finding of the baseline that is not found any more. */
struct past_finding {
    const char *rule, *title;
    enum severity severity;
    const char *const *hosts; /* NULL-ended */
    const char *lost;         /* why nobody can say: the data is not there now; NULL: it is gone */
};

/* What differs between the baseline and now: a package, a firmware, a setting. */
struct difference {
    const char *host;
    const char *area;          /* "packages", "firmware", "configuration" ... */
    const char *object;        /* "kernel", "eth0 firmware", "log_destination" */
    const char *before, *now;  /* NULL: was not there, is not there */
};

struct baseline {
    const char *const *paths; /* the reports that could be read; NULL-ended */
    size_t path_count;
    int64_t taken; /* the newest of them */
    struct past_finding *past; /* gone and lost sight of */
    size_t past_count;
    struct difference *differences;
    size_t difference_count;
    size_t differences_dropped; /* more than are kept */
};

/* What the user should know about their own files, not about the reports: a suppression that expired
 * or fits nothing. */
struct note {
    const char *place; /* "site.yaml:3:5" */
    const char *text;
};

struct verdict {
    struct arena *arena;
    struct finding *findings; /* most severe first, then by component and rule */
    size_t finding_count;
    struct unknown_rule *unknown;
    size_t unknown_count;
    struct judged_rule *rules; /* in the order they were loaded */
    size_t rule_count;
    struct coverage coverage;
    int score;
    struct score *host_scores, *component_scores;
    size_t host_score_count, component_score_count;
    struct rule_pack *packs;
    size_t pack_count;
    const struct baseline *baseline; /* NULL: none was given */
    struct timeline *timeline; /* NULL: no output shows it */
    const struct inventory *inventory; /* NULL: the same */
    struct note *notes;
    size_t note_count;
};

void *verdict_free(struct verdict *verdict);

/* Epoch seconds as "2026-11-02T10:00:00" into buffer (20 bytes); "" for TIME_UNKNOWN. Returns
 * buffer. */
const char *verdict_time(int64_t time, char buffer[32]);
