/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * Shared by the parts of the planner; nobody else includes it.
 */
#pragma once

#include "collector/plan/plan.h"

/* The requests of one selected capability stand in a row, in the order in which plan_build() asks
 * for them. */
struct planner {
    const struct plan_selection *selections;
    size_t selection_count;
    const struct plan_options *options;
    bool live; /* the root is the running system */
    VEC(struct expand_request) requests;
};

/* What plan_build() has at hand. */
struct build {
    const struct planner *planner;
    struct spawner *spawner;
    const atomic_bool *cancelled;
    int64_t deadline_ms;
    struct plan plan;
    const struct expand_result *results;
    size_t next; /* result that is asked for next */

    const struct plan_selection *selection;
    int64_t budget_used; /* bytes of the files of this item */

    struct name_table *names; /* archive names taken so far */

    const struct catalog_list *cached_list; /* the names it gave last */
    const struct expand_hit *cached_hits;
    size_t cached_count;
};

/* The answer to the question that comes next. */
const struct expand_result *plan_answer(struct build *build);

/* The names a list's command prints (runs it, unless it is the one that ran last). */
int plan_list(struct build *build, const struct catalog_list *list,
              const struct expand_hit **ret_hits, size_t *ret_count, struct err *err);

/* Sets the limits of the selected capability that depend on the machine. */
int plan_limits(struct build *build, struct err *err);

/* Bytes the files of an item may add up to, -1: no limit. */
int64_t plan_budget(const struct build *build, const struct catalog_item *item);

/* Counts a file against its item's budget, or decides that it is omitted. */
void plan_charge(struct build *build, const struct catalog_item *item, struct plan_entry *entry);

/* Whether it is a log, live or rotated: half a compressed one is of no use, so logs have a limit of
 * their own. */
bool plan_is_log(const char *path);

/* Adds a command or function, one entry for each name. `unmet`: why it is not run, or NULL. */
int plan_command(struct build *build, const struct catalog_item *item, const char *unmet,
                 const struct expand_result *each, struct err *err);

/*
 * Appends an entry, unless the same source has the same name already; another source with a taken
 * name gets a number. *ret is NULL when it was there.
 */
int plan_add(struct build *build, enum plan_kind kind, const struct catalog_item *item,
             const char *source, const char *name, struct plan_entry **ret, struct err *err);
