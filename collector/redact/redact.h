/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * Taking secrets out of a byte stream, on its way from a source to the archive.
 *
 * A redactor is a chain of named filters (const table of operations, filters.c), each streaming,
 * linear in time and constant in memory; the catalog says which entry goes through which. It fails
 * closed: when a filter cannot understand its input it stops with an error, and the caller replaces
 * the entry by a notice.
 *
 * Filters of the original tool: `xapi-db`, `xapi-clusterd`, `xenstore`, `snmp-xs`, `snmpd-xs`,
 * `snmpd`.
 * Limits, beyond which they refuse: 8 MiB for a field of the database, 1 MiB for a line, 64 levels
 * of JSON.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "common/err.h"

typedef int (*redact_sink)(void *context, const void *bytes, size_t length, struct err *err);

struct redactor;

/* Whether a filter of this name exists (the catalog checks its files with it). */
bool redact_filter_exists(const char *name);

/* A chain of the named filters (NULL-ended, may be empty) in front of `sink`. */
int redactor_new(const char *const *filters, redact_sink sink, void *context, struct redactor **ret,
                 struct err *err);

int redactor_write(struct redactor *redactor, const void *bytes, size_t length, struct err *err);

/* Flushes what the filters still hold. An error means: do not publish what came out. */
int redactor_finish(struct redactor *redactor, struct err *err);

/* How many values were replaced so far. */
int64_t redactor_count(const struct redactor *redactor);

void *redactor_free(struct redactor *redactor);
