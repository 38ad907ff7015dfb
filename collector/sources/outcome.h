/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * What became of one planned entry. The names are part of the manifest's format.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "common/compiler.h"

enum outcome_status {
    OUTCOME_OK,
    OUTCOME_EMPTY,     /* there, and without content */
    OUTCOME_TRUNCATED, /* over its limit: a log keeps its end, anything else its beginning */
    OUTCOME_OMITTED,   /* left out on purpose: size limit, deadline, deny list */
    OUTCOME_TIMEOUT,
    OUTCOME_EXIT,   /* ended with another exit status than 0; its output is kept */
    OUTCOME_SIGNAL, /* ended by a signal; its output is kept */
    OUTCOME_DENIED,
    OUTCOME_MISSING,
    OUTCOME_CHANGED, /* the file grew or shrank while it was read */
    OUTCOME_STUCK,   /* did not die and was abandoned */
    OUTCOME_FAILED,
    OUTCOME_COUNT
};

struct outcome {
    enum outcome_status status;
    int number;       /* exit status or signal */
    char reason[240]; /* one sentence, or empty */
};

const char *outcome_name(enum outcome_status status);

void outcome_set(struct outcome *outcome, enum outcome_status status, const char *format, ...)
    PRINTF_LIKE(3, 4);

/* Whether such an entry has a member in the archive. */
bool outcome_has_member(enum outcome_status status);
