/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * What --obfuscate adds to a run: loading key and names, the last search, the map.
 */
#pragma once

#include "collector/cli/destination.h"
#include "collector/run/run.h"

struct conceal {
    struct obfuscator *obfuscator; /* NULL: without --obfuscate */
    struct leak_search *leaks;     /* only with --outfd */
};

/* Learns the names; does nothing without the option. */
int conceal_open(const struct options *options, const char *root, const char *host_name,
                 struct conceal *ret, struct err *err);

/* Before the first entry. */
void conceal_start(const struct conceal *conceal, struct run *run);

/* One line for the run's log, when all entries are in. */
void conceal_describe(const struct conceal *conceal, struct run_log *log);

/*
 * Closes the archive. With --obfuscate it is searched first, and the map is written next to it:
 * after an error there is neither.
 */
int conceal_close(struct conceal *conceal, struct destination *destination, struct err *err);

void conceal_release(struct conceal *conceal);
