/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * Lines for a terminal: escaped, wrapped or cut to its width, in colours if it shows them.
 *
 * Widths count characters, not bytes. Every text that goes through here may be foreign.
 */
#pragma once

#include "common/strbuf.h"

enum text_style {
    STYLE_NONE,
    STYLE_HEADING,
    STYLE_FAINT,
    STYLE_CRITICAL,
    STYLE_ERROR,
    STYLE_WARNING,
    STYLE_INFO,
    STYLE_GOOD,
    STYLE_STRONG
};

struct text_writer {
    struct strbuf *out;
    bool colour;
    int width; /* 0: neither wrap nor cut */
};

/* Our own words, as they are, on the line that is being written. */
void textw_styled(const struct text_writer *writer, enum text_style style, const char *format, ...)
    PRINTF_LIKE(3, 4);

/* One line, ended: `first` in front of it, and blanks in front of what is wrapped to further lines.
 */
void textw_wrapped(const struct text_writer *writer, enum text_style style, const char *first,
                   const char *text, size_t length);

/* One line, ended, cut where the terminal ends; "..." shows that it was. */
void textw_cut(const struct text_writer *writer, enum text_style style, const char *first,
               const char *text);

/* The same, cut where it shows the `length` bytes at `start` (excerpt.h), which stand out where there are colours. */
void textw_around(const struct text_writer *writer, const char *first, const char *text,
                  size_t start, size_t length);

/* Explanation or advice (prose.h) behind a label; all lines line up behind it. */
void textw_prose(const struct text_writer *writer, const char *label, const char *text);
