/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * Rules: what is known to go wrong, how to see it in a report, and what to do. One YAML file each
 * (rules/<area>/<id>.yaml, docs/writing-rules.md).
 *
 * A rule has one of three shapes: log patterns alone (it fires when lines match), a query alone
 * (over the report's tables), or both (the patterns are tables of the query). A rule set is
 * immutable after loading and owns everything it hands out.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "analyzer/verdict/verdict.h"
#include "analyzer/regex/regex.h"
#include "analyzer/report/path_pattern.h"
#include "common/doc.h"
#include "common/embed.h"
#include "common/strbuf.h"

struct rule_log {
    const char *alias; /* name of its table in the query; "log" for the short form */
    const struct path_pattern *files;
    size_t file_count;
    const struct regex *match;
    const struct regex *unless;        /* or NULL */
    int64_t at_least;                  /* events ... */
    int64_t within_s;                  /* ... in this many seconds; 0: in the whole report */
    const struct doc_node *match_node; /* where it stands, for lint */
};

/* A number of a rule that a site may change: `params` of the rule, `thresholds` of --site. */
struct rule_param {
    const char *name, *description; /* description may be "" */
    const char *text;               /* as people write it: "90", "10m" */
    const char *standard;           /* the rule's own value, written likewise */
    double value, minimum, maximum; /* times in seconds */
    const char *least, *most;       /* the bounds as written, or NULL */
    bool is_time;
    const char *set_at;          /* "site.yaml:3:5", or NULL: it is the rule's own */
    const struct doc_node *node; /* where it stands in the rule */
};

/* A rule whose findings are symptoms of this one: on the same host, and (if `same` is not NULL)
 * with the same value. */
struct rule_symptom {
    const char *rule, *same;
    const struct doc_node *node;
};

struct rule {
    const char *id, *title, *component;
    enum severity severity;
    enum confidence confidence;
    const char *applies;  /* SQL over the facts of a host, or NULL: always */
    const char *versions; /* which products and releases have it, for people; or NULL */
    const struct rule_log *logs;
    size_t log_count;
    const char *query;           /* or NULL: the logs decide */
    const char *by;              /* group or column that tells findings apart, or NULL */
    const char *const *optional; /* tables the query can do without; NULL-ended */
    const struct rule_symptom *explains;
    size_t symptom_count;
    const struct rule_param *params; /* their values are filled in everywhere in this structure */
    size_t param_count;
    const char *severity_set_at;      /* place in a site file, or NULL: it is the rule's own */
    const char *explanation, *advice; /* "" when missing, which lint tells */
    const char *const *links;
    size_t link_count;
    const struct doc_node *tests; /* a list, or NULL */

    const char *file; /* the YAML file, for messages */
    const struct doc_node *root;
    const char *replaces; /* the file of the rule of this id in an earlier pack, or NULL */
    size_t pack; /* index of the pack it came from */
};

struct rule_set;

/*
 * Reads rules. `logs` is the embedded rules/logs.yaml (groups of files); `embedded` the built-in
 * pack or NULL; `paths` files or folders of more rules (searched for *.yaml, sorted); `threads`
 * allows a second thread, which parses half of the files when there are many. A rule of a later pack
 * replaces one of the same id. ERR_PARSE with file:line:column, also for two rules of one id in one
 * pack. The folders `tables` and `lists` of a folder of rules hold none: rule_data_folder().
 */
int rule_set_load(const struct embedded_file *logs, const struct embedded_file *embedded,
                  const char *const *paths, bool threads, struct rule_set **ret, struct err *err);
void *rule_set_free(struct rule_set *set);

/* What a folder of rules may hold besides rules, each in a folder of its own. */
#define RULE_TABLES_FOLDER "tables"
#define RULE_LISTS_FOLDER  "lists"

/* Whether a path of rules has such a folder inside, whose path is added to `ret`. */
bool rule_data_folder(const char *path, const char *name, struct strbuf *ret);

size_t rule_set_count(const struct rule_set *set);
const struct rule *rule_set_at(const struct rule_set *set, size_t index);
const struct rule *rule_set_find(const struct rule_set *set, const char *id);

/* The ids of all rules that were loaded, also of those that rule_set_select() left out; NULL-ended. */
const char *const *rule_set_ids(const struct rule_set *set);
bool rule_set_knows(const struct rule_set *set, const char *id);

/* The id that a mistyped one was probably meant to be, or NULL. */
const char *rule_set_nearest(const struct rule_set *set, const char *id);

/* ERR_USAGE: "there is no rule 'x'; did you mean ...?" */
int rule_set_no_such_rule(const struct rule_set *set, const char *id, struct err *err);

/* Packs, for the report's `packs`: "xenhealth" and one a --rules path. */
size_t rule_set_pack_count(const struct rule_set *set);
const struct rule_pack *rule_set_pack(const struct rule_set *set, size_t index);

/* What the times in a host's logs can say about its clock (rules/logs.yaml, `times`). */
struct log_times {
    const struct path_pattern *ordered; /* logs whose lines stand in the order of time */
    size_t ordered_count;
    const struct path_pattern *steady; /* logs that a running host writes all the time */
    size_t steady_count;
    int64_t silence_s; /* the longest time in which it normally writes into none of them */
};

const struct log_times *rule_set_log_times(const struct rule_set *set);

/* The whole path of a log that a capability collects and whose last part is `name`, or NULL. */
const char *rule_set_log_called(const struct rule_set *set, const char *name);

/*
 * Tells the reports which capability collects which log (rules/logs.yaml), and which files rules read,
 * also those that rule_set_select() left out.
 */
int rule_set_teach(const struct rule_set *set, struct report_set *reports, struct err *err);

/*
 * Keeps the rules that a filter wants. Lists are NULL-ended or NULL; an id that no rule has is
 * ERR_USAGE, which names the nearest.
 */
struct rule_filter {
    const char *const *only;
    const char *const *skip;
    const char *component; /* or NULL */
};
int rule_set_select(struct rule_set *set, const struct rule_filter *filter, struct err *err);
