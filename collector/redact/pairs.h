/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * Maps as XAPI's database writes them: (('key'%.'value')%.('key'%.'value')).
 *
 * A value may be a map again, with its quotes and backslashes escaped by backslashes, and so on:
 * 'a', then \'a\', then \\\'a\\\'. Blanks are written as a percent sign and a dot (source: xapi's
 * S-expressions, and the protection of white space in its database).
 */
#pragma once

#include <stdint.h>

#include "common/strbuf.h"

/*
 * Appends `text` to `out` with the value of every pair replaced whose key announces a secret, at
 * any depth of nesting, whatever characters it has. A key ..._secret whose value is a reference
 * keeps it. Returns how many were replaced; when there are none nothing is appended.
 */
int64_t pairs_redact(const char *text, size_t length, struct strbuf *out);
