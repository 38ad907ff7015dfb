/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * What counts as an event of the timeline: rules/timeline.yaml.
 *
 *   presence: {files: [$daemon, ...], gap: 3h}    logs that a running host writes all the time
 *   kinds:
 *     restart:
 *       title: Restart
 *       description: The control domain started    what it means, for the legend
 *       shape: triangle                            see timeline_shapes
 *       colour: blue                               see timeline_colours
 *       merge: 10m                                 events of a host this close are one (1m)
 *       sources:
 *         - log: {files: [$kernel], match: ..., unless: ..., examples: [...], others: [...]}
 *         - query: SELECT host, time, text FROM ...
 *         - findings: {rules: [ha-fence-*], components: [ha], severity: error}
 *
 * A rule's hits belong to the first kind whose `findings` name the rule, so the order of the kinds
 * matters. `examples` are lines that match and `others` look-alikes that do not; a test checks
 * them.
 */
#pragma once

#include "analyzer/rules/rule.h"
#include "analyzer/verdict/overview.h"

/* NULL-ended. The page has a drawing for each shape, and two values for each colour. */
extern const char *const timeline_shapes[];
extern const char *const timeline_colours[];

/* One of the three forms. */
struct timeline_source {
    struct rule_log log; /* with match NULL: another form */
    const char *const *examples, *const *others;
    const char *query; /* or NULL */
    const struct doc_node *query_node;
    const char *const *rules;      /* globs, NULL-ended; empty: any rule */
    const char *const *components; /* NULL-ended; empty: any component */
    int severity;                  /* at least this */
    bool is_findings;
};

struct timeline_kind {
    struct event_kind shown;
    int64_t merge_s;
    struct timeline_source *sources;
    size_t source_count;
};

struct timeline_plan {
    struct timeline_kind *kinds;
    size_t kind_count;
    const struct path_pattern *presence;
    size_t presence_count;
    int64_t gap_s;
};

/* Lives as long as the rule set, whose groups of logs it uses. ERR_PARSE with the place. */
int timeline_plan_load(struct rule_set *set, const struct embedded_file *file,
                       const struct timeline_plan **ret, struct err *err);

/* Whether a findings source means this rule. */
bool timeline_source_takes(const struct timeline_source *source, const struct rule *rule);
