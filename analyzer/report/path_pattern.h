/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * How rules and tables name files of a report: `var/log/kern.log`, `ethtool-i-{device}.out`, `**.conf`.
 *
 * `*` is any run of characters without a slash, `**` any run at all, `?` one character, `{name}` a `*` of at
 * least one character whose text becomes a value. Everything else is itself. A pattern covers the whole path.
 * Immutable after compiling; any number of threads may match.
 */
#pragma once

#include <stdbool.h>

#include "common/arena.h"
#include "common/err.h"

#define PATH_PATTERN_CAPTURES 4 /* no file name in a report holds more than two values */

struct path_pattern {
    const char *text;                         /* as written */
    const char *names[PATH_PATTERN_CAPTURES]; /* of the {captures}, in order */
    unsigned captures;
};

struct path_capture {
    const char *start; /* points into the matched path */
    size_t length;
};

/* Checks the pattern and finds its captures. ERR_PARSE for an unclosed or empty brace or too many of them. */
int path_pattern_compile(struct arena *arena, const char *text, struct path_pattern *ret,
                         struct err *err);

/* True when the pattern covers `path`. `captures` (may be NULL) gets one element a capture. */
bool path_pattern_match(const struct path_pattern *pattern, const char *path,
                        struct path_capture captures[PATH_PATTERN_CAPTURES]);

/*
 * The same for a log file: `var/log/kern.log` also covers its rotations `var/log/kern.log.1`,
 * `var/log/kern.log-20251102` and so on (compression suffixes are gone by then).
 */
bool path_pattern_match_log(const struct path_pattern *pattern, const char *path);

/* The length of a path without the suffix of a rotation. */
size_t path_log_length(const char *path);
