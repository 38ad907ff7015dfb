/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * Which part of a line to show where it does not fit: the one that somebody looked for, not the
 * first one. A log's line begins with the time and the program; what happened stands behind them.
 */
#pragma once

#include <stddef.h>

#include "common/strbuf.h"

#define EXCERPT_MARK "..." /* stands where something is left out */

/* From `from` up to, not including, `to`. */
struct excerpt {
    size_t from, to;
};

/*
 * Of a text of `total` units (bytes, columns) the part that fits `room` together with a mark at each end
 * where something is left out. It holds `length` units from `start` on, which are what matters, or
 * their beginning, and some of what follows them; with `length` 0 it is the text's beginning.
 */
struct excerpt excerpt_around(size_t total, size_t start, size_t length, size_t room);

/* The same in bytes of UTF-8, no character of which is torn. */
struct excerpt excerpt_of(const char *text, size_t total, size_t start, size_t length, size_t room);

/* Appends the excerpt of a text of `total` bytes, with its marks. */
void excerpt_add(struct strbuf *out, const char *text, size_t total, const struct excerpt *excerpt);
