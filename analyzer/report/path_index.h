/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * Which of many path patterns cover a path. Rules and tables by the thousand name the same few
 * dozen files, and a report has thousands of members: so each distinct pattern is kept once, and
 * those without wildcards, nearly all, are found by one look-up.
 *
 * Immutable after the last path_index_add(); any number of threads may look.
 */
#pragma once

#include "analyzer/report/path_pattern.h"

struct path_index;

int path_index_new(struct path_index **ret, struct err *err);
void *path_index_free(struct path_index *index);

/* The number of this pattern, which is that of the same text before, or the next one. The text is
 * borrowed. */
int path_index_add(struct path_index *index, const struct path_pattern *pattern, unsigned *ret,
                   struct err *err);

unsigned path_index_count(const struct path_index *index);

/* The text of a pattern. */
const char *path_index_text(const struct path_index *index, unsigned number);

/*
 * The numbers of the patterns that cover a path, ascending; with `is_log` also those of the log it
 * is a rotation of (path_pattern_match_log). `numbers` has room for path_index_count(). Returns how
 * many there are.
 */
size_t path_index_find(const struct path_index *index, const char *path, bool is_log,
                       unsigned *numbers);
