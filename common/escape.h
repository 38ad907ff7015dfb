/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * Makes foreign text harmless for the place it goes to. Logs, host names and file names come from
 * machines that may be hostile; whatever prints them goes through here.
 */
#pragma once

#include <stdbool.h>

#include "common/strbuf.h"

/*
 * For a terminal: control characters (also C1 and as UTF-8), bidirectional overrides and bytes that
 * are not UTF-8 become \xNN. With `multiline` newline and tab stay; without it they are escaped
 * too.
 */
void escape_terminal(struct strbuf *out, const char *text, size_t length, bool multiline);

/* For XML and HTML text and double-quoted attributes: & < > " ' as entities, the rest as for a
 * terminal, and what XML does not allow as \xNN. */
void escape_markup(struct strbuf *out, const char *text, size_t length);

/* A word of a shell command, in single quotes where the shell would read it as more than a word. */
void escape_shell(struct strbuf *out, const char *word);

/* Valid UTF-8 for JSON: bytes that are not UTF-8 become U+FFFD. NULs stay. */
void escape_utf8(struct strbuf *out, const char *text, size_t length);

/* Code points that can move the cursor, change colours, or reorder what a person sees; all below
 * U+10000. */
bool escape_is_dangerous(unsigned point);

/* Length (1-4) of the valid UTF-8 sequence at text, or 0. The code point goes to *ret. */
unsigned escape_utf8_length(const char *text, size_t length, unsigned *ret);
