/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * Names of archive members below the top folder. The rules are the original tool's, since every
 * reader of such reports knows its names (ls-lR-%boot.out, ethtool-S-eth0.out).
 */
#pragma once

#include <stdbool.h>

#include "common/strbuf.h"

/*
 * A file keeps its path without the leading slash, and without what no archive may have in a name:
 * `.`, `..` (which takes the folder before it away, if there is one) and slashes side by side or at
 * the end. Links play no part in it. Returns false when the name had to be cut.
 */
bool naming_from_path(const char *path, struct strbuf *out);

/*
 * A label: blanks become `-`; then `--` becomes `-`, in one pass from the left; then `/` becomes
 * `%`; `.out` is added when there is no dot at all. Control characters, which the original let
 * through, become `_`.
 */
void naming_from_label(const char *label, struct strbuf *out);

/* The label of a command without one: its program's file name and its arguments, joined by blanks.
 */
void naming_command_label(const char *const *argv, struct strbuf *out);
