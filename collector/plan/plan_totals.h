/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * How much a plan is before anything is collected: bytes as the files are now, time as a guess.
 */
#pragma once

#include "collector/plan/plan.h"

struct plan_total {
    size_t entries;        /* all, also those that cannot be had */
    size_t files;          /* that are there */
    size_t commands;       /* and functions; whether the programs exist shows when they are run */
    int64_t bytes;         /* of the files; outputs of commands are not known */
    int64_t expected_ms;   /* one after the other */
    int64_t time_limit_ms; /* the same when every command takes all the time it may */
};

/* Whether the run starts a child for it, rather than reading a file. */
bool plan_entry_runs(const struct plan_entry *entry);

/* False when it is known before the run that there is nothing to be had: a file that does not
 * exist, what is left out, what a condition excludes. */
bool plan_entry_is_there(const struct plan_entry *entry);

/* Bytes it will have in the archive; 0 when it cannot be had, -1 when nobody knows. */
int64_t plan_entry_bytes(const struct plan_entry *entry);

/* A guess that is good enough for a progress bar; 0 when nothing is to be done. */
int64_t plan_entry_ms(const struct plan_entry *entry);

/* Of one capability, or of all when it is NULL. */
struct plan_total plan_total(const struct plan *plan, const struct capability *capability);
