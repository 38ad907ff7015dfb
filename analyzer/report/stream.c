/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * Failures and how they travel up through streams on streams.
 *
 * The surprising part is `origin`: a cut bzip2 file fails the tar in it, the nested tar inside
 * that, and the log inside that. All four stop, but the user hears of it once, at the deepest place
 * that noticed.
 */
#include "analyzer/report/stream.h"

#include <stdarg.h>
#include <stdio.h>

int failure_set(struct failure *failure, enum problem_kind kind, const char *format, ...)
{
    if (failure->failed)
        return -1;
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(failure->text, sizeof failure->text, format, arguments);
    va_end(arguments);
    failure->failed = true;
    failure->kind = kind;
    return -1;
}

int failure_inherit(struct failure *failure, struct failure *origin)
{
    if (failure->failed || failure == origin)
        return -1;
    *failure = *origin;
    failure->origin = origin;
    return -1;
}

bool failure_claim_report(struct failure *failure)
{
    bool is_first = true;
    for (struct failure *f = failure; f; f = f->origin) {
        if (f->reported)
            is_first = false;
        f->reported = true;
    }
    return is_first;
}
