/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * Commands and functions as sources: runs one in a child, hands its output to a sink under a limit,
 * and says what became of it.
 */
#pragma once

#include "collector/process/spawner.h"
#include "collector/sources/source_file.h"

struct child_request {
    enum { CHILD_COMMAND, CHILD_FUNCTION, CHILD_READS_FILE } what;
    const char *const *argv;
    const char *input; /* NULL: none */
    int64_t limit;     /* bytes, -1: none */
    int64_t time_limit_ms;
    const atomic_bool *cancelled;
};

/*
 * Fills *outcome. A command that timed out has the original's marker at the end of its output, and
 * one that could not be started is `missing` or `denied`. Returns a failure of the sink or of the
 * spawner, else 0.
 */
int source_run_child(struct spawner *spawner, const struct child_request *request, source_sink sink,
                     void *context, struct outcome *outcome, struct err *err);
