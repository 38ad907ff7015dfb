/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * Names and meaning of the outcomes, in one table.
 */
#include "collector/sources/outcome.h"

#include <stdarg.h>

static const struct {
    const char *name;
    bool has_member;
} table[OUTCOME_COUNT] = {
    [OUTCOME_OK] = {"ok", true},
    [OUTCOME_EMPTY] = {"empty", true},
    [OUTCOME_TRUNCATED] = {"truncated", true},
    [OUTCOME_OMITTED] = {"omitted", false},
    [OUTCOME_TIMEOUT] = {"timeout", true},
    [OUTCOME_EXIT] = {"exit", true},
    [OUTCOME_SIGNAL] = {"signal", true},
    [OUTCOME_DENIED] = {"denied", false},
    [OUTCOME_MISSING] = {"missing", false},
    [OUTCOME_CHANGED] = {"changed-while-read", true},
    [OUTCOME_STUCK] = {"stuck", false},
    [OUTCOME_FAILED] = {"failed", false},
};

const char *outcome_name(enum outcome_status status)
{
    return table[status].name;
}

bool outcome_has_member(enum outcome_status status)
{
    return table[status].has_member;
}

void outcome_set(struct outcome *outcome, enum outcome_status status, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    outcome->status = status;
    vsnprintf(outcome->reason, sizeof outcome->reason, format, arguments);
    va_end(arguments);
}
