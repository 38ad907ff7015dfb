/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * Percent-encoding of paths (RFC 3986, section 2.1).
 */
#pragma once

#include "common/err.h"
#include "common/strbuf.h"

/* All but letters, digits, - . _ ~ becomes %XX, in capitals; the slash only where `keep_slash` is
 * false. */
void percent_encode(struct strbuf *out, const char *text, size_t length, bool keep_slash);

/* ERR_USAGE: a % that is not followed by two hexadecimal digits. A plus is a plus in a path. */
int percent_decode(const char *text, struct strbuf *out, struct err *err);
