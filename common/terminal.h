/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * How wide a text is on a terminal, and how wide the terminal. Columns are counted without the
 * locale: what may be two columns wide counts as two, so that a line never breaks.
 */
#pragma once

#include <stdio.h>

#include "common/strbuf.h"

#define TERMINAL_COLUMNS 80 /* of a terminal that does not tell, and of what is none */

unsigned terminal_columns(FILE *file);

/* A terminal that can go back in its line. */
bool terminal_can_redraw(FILE *file);

/* Columns that harmless text takes (see escape_terminal()). */
unsigned terminal_width(const char *text, size_t length);

/*
 * Appends foreign text, made harmless, in at most `columns`. When it is cut, a path
 * without blanks keeps its end and anything else its beginning.
 */
void terminal_clip(const char *text, unsigned columns, struct strbuf *out);
