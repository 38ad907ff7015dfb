/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * What every match of a pattern must contain: fixed texts.
 *
 * A search for fixed texts costs the same whatever pattern they come from. A search for whole
 * patterns does not: one that begins with names which stand in every line ("xapi: .*Out_of_memory")
 * can cost more than two hundred others. As PCRE2 has the last word on each line anyhow, it is
 * enough to look for lines that hold the longest fixed text of a pattern.
 */
#pragma once

#include <stdbool.h>

#include "common/strbuf.h"

/*
 * Adds to `ret` an expression "text|text|..." (with escapes) that matches somewhere in whatever
 * `pattern` matches. False, and nothing, when no such texts are known, because the pattern has
 * none, only short ones, or uses what is not understood here. `pattern` is one that PCRE2 takes.
 */
bool literals_find(const char *pattern, struct strbuf *ret);
