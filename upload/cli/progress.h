/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * What is seen while an upload runs: a bar on a terminal, now and then a line elsewhere, or JSON,
 * an object a line. Lines of text share the place with the bar.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "common/err.h"

enum progress_mode { PROGRESS_LINES, PROGRESS_BAR, PROGRESS_JSON, PROGRESS_NONE };

struct progress {
    FILE *out;
    enum progress_mode mode;
    int64_t total, bytes;          /* of the file; `bytes` are there or on their way */
    int64_t drawn_ms, drawn_bytes; /* last shown */
    bool drawn;                    /* a bar is to be seen */
    int64_t mark_ms, mark_bytes;   /* from which the rate is measured */
    double rate;                   /* bytes a second; 0: not known yet */
};

/* `wish` is "bar", "json", "none" or NULL: whatever fits `out`. */
void progress_init(struct progress *progress, FILE *out, const char *wish);

/* A new upload begins. */
void progress_start(struct progress *progress, const char *file, int64_t total, const char *line);

/* A line for people; an event in JSON. */
void progress_say(struct progress *progress, const char *line);

void progress_update(struct progress *progress, int64_t confirmed, int64_t sending);
void progress_wait(struct progress *progress, int64_t wait_ms, const struct err *why);

/* The upload is over, well or not: one of them, once. `line` may be NULL. */
void progress_done(struct progress *progress, const char *line);
void progress_failed(struct progress *progress, const char *why, int status);
