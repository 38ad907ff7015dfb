/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * A made-up result of three hosts for the tests of the renderers: findings of every severity, a
 * cause with its symptoms, a suppressed one, problems of the reports, rules without data.
 *
 * With a payload every text that can come from a report or a rule file carries it, so that a test
 * can ask what becomes of it.
 */
#pragma once

#include "analyzer/render/view.h"

/* NULL when memory is out. `payload` is "" for the plain sample. Free with sample_free(). */
struct view *sample_new(const char *payload, enum severity min_severity);
void sample_free(struct view *view);

/* A timeline and an inventory for the view's three hosts (sample_overview.c). */
void sample_add_overview(struct view *view, struct verdict *verdict, const char *payload);

/* Nothing found; with `evaluated` 0 also nothing judged. */
struct view *sample_new_clean(size_t evaluated);
