/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * What the loading of rules shares.
 */
#pragma once

#include "analyzer/rules/rule.h"
#include "common/doc_packed.h"
#include "common/io.h"
#include "common/vec.h"

/* A thousand rules with their documents take some 40 MB; more than that is no rule set. */
#define RULES_MEMORY (256 * 1024 * 1024)

/* A log file and the capability that collects it. */
struct collected_log {
    const char *path, *capability;
};

struct rule_set {
    struct arena *arena, *other_arena; /* the other one holds documents only */
    VEC(struct rule) rules;
    void *by_id; /* of tsearch(3), while loading */
    VEC(struct rule_pack) packs;
    VEC(struct regex *) regexes;
    VEC(struct collected_log) collected;
    VEC(const struct path_pattern *) files; /* that the loaded rules read, selected or not */
    const char **ids;              /* of all rules that were loaded; NULL-ended */
    const struct doc_node *groups; /* map: name -> list of paths */
    struct log_times log_times;
};

/* Reads the rules of rule_set_load() (rule_files.c). */
int rule_files_load(struct rule_set *set, const struct embedded_file *embedded,
                    const char *const *paths, bool threads, struct err *err);

/* Adds the rule of a document, or puts it in the place of one of an earlier pack. */
int rule_set_add(struct rule_set *set, size_t pack, const struct doc_node *root, struct err *err);

/* A pattern that lives as long as the set. ERR_PARSE with its place. */
int rule_set_regex(struct rule_set *set, const struct doc_node *node, const struct regex **ret,
                   struct err *err);

/* Reads rules/logs.yaml. */
int log_groups_load(struct rule_set *set, const struct embedded_file *file, struct err *err);

/* A rule's `files`: paths and $groups, in the order given. */
int log_groups_expand(struct rule_set *set, const struct doc_node *node,
                      const struct path_pattern **ret, size_t *ret_count, struct err *err);

/* What a site says about one rule; NULL: nothing. */
struct rule_overrides {
    const struct doc_node *thresholds; /* map: parameter -> value */
    const struct doc_node *severity;
};

/* Reads one rule from its document; `overrides` may be NULL. ret->pack is kept. */
int rule_load(struct rule_set *set, const struct doc_node *root,
              const struct rule_overrides *overrides, struct rule *ret, struct err *err);
