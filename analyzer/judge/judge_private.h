/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * What the parts of the judge share.
 */
#pragma once

#include "analyzer/judge/analysis.h"
#include "analyzer/judge/hits.h"
#include "analyzer/judge/log_clock.h"
#include "analyzer/judge/presence.h"
#include "analyzer/match/matcher.h"
#include "analyzer/tables/extract.h"
#include "common/io.h"
#include "common/vec.h"

/* What the analysis keeps of a rule besides the rule itself. */
struct rule_state {
    const struct rule *rule;
    enum rule_outcome outcome; /* once it is judged */
    unsigned first_pattern;    /* of its logs, numbered in order */
    struct table_names reads;  /* tables its query reads, without its own logs */
};

/* For every pattern, by host: whether one of its files was there, and the first one in which the
 * pattern was given up, or NULL. */
struct sources {
    VEC(bool) hosts;
    VEC(char *) gaps;
};

/* A member that held no byte: whether that says anything is known when all is read. */
struct silent_member {
    const struct table *table;
    unsigned host;
    char *path;
};

struct analysis {
    struct analysis_parts parts;
    VEC(struct silent_member) silent;
    struct matcher *matcher;
    struct rule_state *rules;
    size_t rule_count;
    const struct regex **pattern_regexes; /* by pattern number */
    size_t pattern_count;
    struct sources *sources; /* by pattern number */
    bool *wanted;            /* by index of the table */
    struct hits *hits;
    unsigned overview_pattern; /* the first one of the overview */
    struct presence *presence; /* or NULL */
    struct log_clock *clock;   /* or NULL: no reports, or no findings are wanted */
    struct report_visitor visitor;
    struct err failure; /* of a begin(), which cannot return one */
};

/* One fact in favour of a rule: a log line or a row. */
struct observation {
    int host;         /* where the proof stands: index, or -1 for none */
    int affects;      /* the host it concerns, or -1: all of them */
    const char *path; /* or NULL */
    int64_t line, time;
    const char *text;
    size_t match, match_length; /* as in struct evidence */
    const char *before, *after; /* lines around it, or NULL */
    int64_t count;
    const struct finding_value *values;
    size_t value_count;
};

/* Whether some rule, fact or query reads a table, so that it must be filled. */
bool analysis_wants(const struct analysis *analysis, const struct table *table);

/* visit.c */
struct report_visitor analysis_visits(struct analysis *analysis);

/* ------ findings.c: gathers observations into findings ------ */

/* Findings of one rule: a rule that tells apart more things than this floods its reader, or was fed
 * by an attacker. */
#define FINDINGS_PER_RULE 100

struct finding_builder;

int finding_builder_new(struct arena *arena, const struct database_host *hosts, size_t host_count,
                        struct finding_builder **ret, struct err *err);
void *finding_builder_free(struct finding_builder *builder);

/*
 * Adds an observation to the finding of `rule` with this key ("" for a rule that gives one
 * finding). All texts are copied. `certain` false lowers the confidence by one step.
 */
int finding_builder_add(struct finding_builder *builder, const struct rule *rule, const char *key,
                        bool certain, const struct observation *observation, struct err *err);

/* Adds events that are counted but not stored. */
void finding_builder_count(struct finding_builder *builder, const struct rule *rule,
                           const char *key, int64_t events);

/* The title of a rule with values filled in; lives in the arena. */
const char *finding_title(struct arena *arena, const char *title,
                          const struct finding_value *values, size_t count);

/* How many observations of a rule went nowhere because it has too many findings. */
int64_t finding_builder_dropped(const struct finding_builder *builder, const struct rule *rule);

/* Moves the findings into the verdict, ordered, with causes and symptoms linked. */
int finding_builder_finish(struct finding_builder *builder, struct verdict *verdict,
                           struct err *err);

/* ------ evaluate.c ------ */

struct evaluation {
    struct analysis *analysis;
    const struct database_host *hosts;
    size_t host_count;
    struct report_set *reports; /* or NULL */
    struct finding_builder *builder;
    struct arena *arena; /* the verdict's: for reasons */
    const char *lacks_path, *lacks_host; /* what made the last unknown rule so (struct unknown_rule) */
};

/* Index of the host of this name, which may be NULL; -1 for none. */
int evaluation_find_host(const struct evaluation *evaluation, const char *name);

/* *ret_reason is set for OUTCOME_UNKNOWN. */
int evaluate_rule(struct evaluation *evaluation, const struct rule_state *state,
                  enum rule_outcome *ret, const char **ret_reason, struct err *err);

/* A rule's query over tables of a few thousand rows takes milliseconds. */
#define RULE_QUERY_LIMIT_MS 10000

/* evaluate_query.c: the shapes with a query. `applies` has a truth a host. */
int evaluate_query(struct evaluation *evaluation, const struct rule_state *state,
                   const enum truth *applies, enum rule_outcome *ret, const char **ret_reason,
                   struct err *err);

/* Whether the log files of a pattern are there, or proved absent, on a host. */
bool log_is_known(const struct evaluation *evaluation, const struct rule_log *log, unsigned pattern,
                  size_t host);

/* Whether what is not found in them is not there: none of them may be missing or cut. */
bool log_is_whole(const struct evaluation *evaluation, const struct rule_log *log, size_t host);

/*
 * Notes why a rule is unknown: `path` is missing, or there `in_part` only, in the report of `host` (NULL: of all).
 */
int note_lack(struct evaluation *evaluation, const char *path, const char *host, bool in_part,
              const char **ret_reason, struct err *err);

/* The same for a log on one host. */
int note_log_lack(struct evaluation *evaluation, const struct rule_log *log, size_t host,
                  bool in_part, const char **ret_reason, struct err *err);

/* Creates the (empty) tables of a rule's logs, so that its query can be prepared; drops them again.
 */
int rule_tables_create(struct database *database, const struct rule *rule, struct err *err);
/* The same, filled with the hits. */
int rule_tables_fill(struct evaluation *evaluation, const struct rule_state *state, struct err *err);
int rule_tables_drop(struct database *database, const struct rule *rule, struct err *err);

/* ------ score.c ------ */

/* Fills score, host_scores, component_scores and each finding's cost. */
int score_compute(struct verdict *verdict, const struct database_host *hosts, size_t host_count,
                  const struct rule_state *rules, size_t rule_count, struct err *err);
