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
};

struct finding_value {
    const char *name, *text;
};

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
    const char *suppressed; /* the reason, or NULL */
    int explained_by;       /* index of the finding that is its cause, or -1 */
    int cost;               /* points the overall score would gain without it; 0 if none */
};

struct unknown_rule {
    const char *rule;
    const char *reason;
};

struct score {
    const char *name; /* host or component */
    int value;        /* 0-100 */
};

struct coverage {
    size_t rules, evaluated, failed, passed, unknown, not_applicable;
};

struct rule_pack {
    const char *name, *version;
    size_t rules;
};

struct verdict {
    struct arena *arena;
    struct finding *findings; /* most severe first, then by component and rule */
    size_t finding_count;
    struct unknown_rule *unknown;
    size_t unknown_count;
    struct coverage coverage;
    int score;
    struct score *host_scores, *component_scores;
    size_t host_score_count, component_score_count;
    struct rule_pack *packs;
    size_t pack_count;
};

void *verdict_free(struct verdict *verdict);

/* Epoch seconds as "2026-11-02T10:00:00" into buffer (20 bytes); "" for TIME_UNKNOWN. Returns
 * buffer. */
const char *verdict_time(int64_t time, char buffer[32]);
