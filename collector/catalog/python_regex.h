/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * Plugins were written for a tool in Python; their patterns are Python's. This turns one into a
 * POSIX extended regular expression that matches the same paths.
 *
 * Source of the syntax: Python's documentation of `re`. Understood: \d \D \w \W \s \S (in brackets
 * too), \A \Z, groups of all capturing kinds, lazy quantifiers (whether something matches does not
 * depend on them), escapes of punctuation and \t \n \r. Refused: look-around, back-references,
 * flags, conditions, possessive quantifiers, \b, and repetitions that would take much memory.
 */
#pragma once

#include "common/err.h"
#include "common/strbuf.h"

/* ERR_UNSUPPORTED names what was not understood; ERR_PARSE: it is no regular expression at all. */
int python_regex_to_posix(const char *pattern, struct strbuf *out, struct err *err);
