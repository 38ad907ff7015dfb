/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * Taking secrets out of a byte stream, on its way from a source to the archive.
 *
 * A redactor is a chain of named filters (const table of operations, filters.c), each streaming,
 * linear in time and constant in memory; the catalog says which entry goes through which. The last
 * one is always `secrets`, which finds by shape and by neighbourhood what nobody named. It fails
 * closed: when a filter cannot understand its input it stops with an error, and the caller replaces
 * the entry by a notice.
 *
 * Filters of the original tool: `xapi-db`, `xapi-clusterd`, `xenstore`, `snmp-xs`, `snmpd-xs`,
 * `snmpd`.
 * Limits, beyond which they refuse: 8 MiB for a field of the database, 1 MiB for a line, 64 levels
 * of JSON. `secrets` has none; README.md says what it finds.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "common/err.h"
#include "common/strbuf.h"

#define REDACT_SECRETS "secrets"

typedef int (*redact_sink)(void *context, const void *bytes, size_t length, struct err *err);

struct redactor;

/* Whether a filter of this name exists (the catalog checks its files with it). */
bool redact_filter_exists(const char *name);

/* A chain of the named filters (NULL-ended, may be empty) and `secrets` in front of `sink`. */
int redactor_new(const char *const *filters, redact_sink sink, void *context, struct redactor **ret,
                 struct err *err);

int redactor_write(struct redactor *redactor, const void *bytes, size_t length, struct err *err);

/* Flushes what the filters still hold. An error means: do not publish what came out. */
int redactor_finish(struct redactor *redactor, struct err *err);

/* How many values were replaced so far. */
int64_t redactor_count(const struct redactor *redactor);

/*
 * gzip data are only searched, and pass as they are, unless the redactor was told, before the first
 * byte, to rewrite them. When they hold a secret it fails, and this is true: give the whole entry
 * to another redactor that rewrites.
 */
void redactor_rewrite(struct redactor *redactor);
bool redactor_wants_rewrite(const struct redactor *redactor);

/* Appends a text of our own (a log line, a command line) as it may be seen; returns the number of
 * secrets. */
int64_t redact_text(const char *text, size_t length, struct strbuf *out);

void *redactor_free(struct redactor *redactor);
