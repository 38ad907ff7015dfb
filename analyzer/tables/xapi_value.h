/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * Values of XAPI's database, as they stand in an attribute after XML's own escapes are gone.
 *
 * White space is protected: `%.` is a blank, `%t` tab, `%n` newline, `%r` carriage return, `%%` a
 * per cent sign and, in files of old releases, `%_` two blanks (xen-api: xml_spaces.ml). Below that
 * a set is an S-expression
 * `('a' 'b')`, a map `(('k' 'v') ('k2' 'v2'))`; quotes and backslashes inside quotes are escaped by
 * a backslash (sExpr.ml). Words without quotes are accepted too. A map of sets has the set as a
 * quoted S-expression.
 */
#pragma once

#include <stdbool.h>

#include "common/strbuf.h"

enum xapi_kind {
    XAPI_PLAIN,       /* text, numbers, true, references: decoded, otherwise as it is */
    XAPI_SET,         /* becomes a JSON array of strings */
    XAPI_MAP,         /* becomes a JSON object of strings */
    XAPI_MAP_OF_SETS, /* becomes a JSON object of arrays */
    XAPI_ANY, /* of unknown type: a map or set if it is well-formed as one, else a JSON string */
};

/*
 * Appends the decoded value to `out`. False when the text is no value of this kind: `out` is then
 * as before. JSON is always valid UTF-8. `scratch` is working memory, emptied first.
 */
bool xapi_value_decode(enum xapi_kind kind, const char *text, size_t length, struct strbuf *out,
                       struct strbuf *scratch);

/* Appends a text as a JSON string. */
void xapi_value_quote(struct strbuf *out, const char *text, size_t length);
