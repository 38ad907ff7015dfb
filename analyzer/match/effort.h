/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * What one pattern may cost in one log. A match has its own limits (regex.h); but a log of a
 * million lines that each come close to them would still take hours.
 */
#pragma once

#include "analyzer/regex/regex.h"

struct effort {
    int64_t spent; /* nanoseconds of this thread's CPU on long lines */
    unsigned aborted;
    bool is_spent; /* the pattern is not asked any more */
};

/* Like regex_match(); REGEX_ABORTED without a look when the effort is spent. */
enum regex_result effort_match(struct effort *effort, const struct regex *regex,
                               struct regex_scratch *scratch, const char *line, size_t length);
