/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * Names and meaning of the outcomes, in one table. Reasons hold what programs said on their error
 * output, and they go to the log, the manifest and the terminal: so they are redacted here, once.
 */
#include "collector/sources/outcome.h"

#include <stdarg.h>
#include <string.h>

#include "collector/redact/redact.h"

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
    char reason[sizeof outcome->reason];
    struct strbuf safe = STRBUF_INIT;
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(reason, sizeof reason, format, arguments);
    va_end(arguments);
    redact_text(reason, strlen(reason), &safe);
    outcome->status = status;
    snprintf(outcome->reason, sizeof outcome->reason, "%s", safe.data);
    strbuf_release(&safe);
}
