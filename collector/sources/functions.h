/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * What runs as a child but is our own code: reading files that may block, expanding the catalog,
 * and the few outputs that no single command prints (`function:` in the catalog).
 */
#pragma once

#include "collector/process/spawner.h"
#include "collector/sources/expand.h"

/* The context of all functions; complete before spawner_start(). */
struct function_context {
    const char *root; /* absolute; "/" for the running system */
    struct expansion expansion;
};

/* For spawner_start(); ends with a row without a name. */
extern const struct spawner_function collector_functions[];

/* Whether the catalog may name it. */
bool function_exists(const char *name);

/* Whether it only reads files, and so also works below another root. */
bool function_reads_files_only(const char *name);
