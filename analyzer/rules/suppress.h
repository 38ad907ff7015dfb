/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * Suppressions: findings that somebody decided to live with (--suppress FILE).
 *
 *   - rule: disk-io-error
 *     host: host2                  optional: one or several
 *     object: sdb                  optional: a value of the finding, one or several
 *     reason: this is the test disk
 *     owner: storage team          optional
 *     expires: 2027-03-31          optional: the last day it works
 *
 * A suppressed finding is still shown, with the reason, but does not count. It must be suppressed on
 * every host it is about. What a suppression does not do any more (it expired, it fits nothing) is
 * said as a note of the verdict: a list of exceptions that nobody tends hides real trouble.
 */
#pragma once

#include "analyzer/rules/rule.h"

struct suppressions;

/* Reads the files (NULL-ended). ERR_PARSE with file:line:column, ERR_IO, ERR_LIMIT. */
int suppressions_load(const char *const *paths, struct suppressions **ret, struct err *err);

/* The same from memory, one file. */
int suppressions_parse(const char *name, const char *bytes, size_t length,
                       struct suppressions **ret, struct err *err);

void *suppressions_free(struct suppressions *suppressions);
size_t suppressions_count(const struct suppressions *suppressions);

/*
 * Marks the findings of the verdict and adds notes to it. `rules` are the rules of this run: a
 * suppression of a rule that was not asked is nothing to note. `now` in seconds since 1970 decides
 * what is expired. Texts are borrowed from the suppressions, which must outlive the verdict.
 */
int suppressions_apply(struct suppressions *suppressions, const struct rule_set *rules, int64_t now,
                       struct verdict *verdict, struct err *err);
