/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * What the user sees while a run goes on: one line that changes on a terminal, plain lines with a
 * time stamp (the original's form) elsewhere, nothing when silent.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "common/compiler.h"

struct progress {
    FILE *out;     /* NULL: silent */
    bool terminal; /* out is one */
    size_t done, total;
    int64_t bytes;
    int64_t drawn_ms; /* when the line was drawn last */
};

void progress_start(struct progress *progress, FILE *out, size_t total);

/* "[11/21/26 22:47:36 UTC]  text" */
void progress_line(struct progress *progress, const char *format, ...) PRINTF_LIKE(2, 3);

/* One more entry is done; `name` is the one that comes to mind when it hangs. */
void progress_step(struct progress *progress, const char *name, int64_t bytes);

/* Takes the bar off the terminal. */
void progress_end(struct progress *progress);
