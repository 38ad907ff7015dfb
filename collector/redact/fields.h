/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * What may be seen of one field of one row of XAPI's database.
 */
#pragma once

#include <stdint.h>

#include "common/err.h"
#include "common/strbuf.h"

/*
 * Judges the value of a field; texts are as in the file, with XML's entities. When something in it
 * must go, the new value, escaped for `quote`, is appended to `out` and *ret_replaced is how many
 * secrets that were; else *ret_replaced is 0 and the value may be seen as it is. ERR_PARSE:
 * entities that cannot be understood.
 */
int field_redact(const char *table, const char *field, const struct strbuf *value, char quote,
                 struct strbuf *out, int64_t *ret_replaced, struct err *err);

/* Appends `raw` with XML's entities resolved. ERR_PARSE for unknown ones. */
int field_unescape(const char *raw, size_t length, struct strbuf *out, struct err *err);
