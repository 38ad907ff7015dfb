/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * What a site sees differently from the rules (--site FILE):
 *
 *   thresholds:
 *     root-fs-full: {percent: 85}
 *   severity:
 *     guest-tools-missing: info
 *
 * Only parameters that a rule declares can be changed, and only within its bounds. A name that does
 * not exist is an error: a threshold that silently does nothing is worse than none.
 */
#pragma once

#include "analyzer/rules/rule.h"

/* Reads the file and changes the rules of the set; before rule_set_select(). ERR_PARSE with
 * file:line:column, ERR_IO. */
int site_apply(struct rule_set *set, const char *path, struct err *err);

/* The same from memory. */
int site_apply_text(struct rule_set *set, const char *name, const char *bytes, size_t length,
                    struct err *err);
