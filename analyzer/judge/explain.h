/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * Why a rule came out as it did: its condition and facts on each host, the files it looked at, what
 * its patterns hit, the tables its query read, and the query's rows.
 *
 * The explanation watches the members on their way into the analysis, so the reports must be read by
 * one thread.
 */
#pragma once

#include "analyzer/judge/analysis.h"

struct explanation;

/* `rule` is one of the analysis, which must outlive the explanation. */
int explanation_new(struct analysis *analysis, const struct rule *rule, struct explanation **ret,
                    struct err *err);
void *explanation_free(struct explanation *explanation);

/* Use it instead of the analysis's own. */
const struct report_visitor *explanation_visitor(struct explanation *explanation);

/* A line of the explanation: a heading (level 0) or what stands below it (1 and more). */
typedef void (*explanation_line)(void *context, int level, const char *text);

/* After analysis_judge(). */
int explanation_tell(struct explanation *explanation, const struct database_host *hosts,
                     size_t host_count, const struct verdict *verdict, explanation_line line,
                     void *context, struct err *err);
