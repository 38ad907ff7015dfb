/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * The one line that changes on a terminal, as text: no clock, no terminal, so that it can be
 * tested.
 */
#pragma once

#include <stdint.h>

#include "common/strbuf.h"

struct progress_state {
    size_t done, total; /* entries */
    int64_t bytes;
    int64_t elapsed_ms;
    int64_t left_ms;  /* -1: not known yet */
    const char *name; /* what is being collected, or "" */
};

/* Appends a line of at most `cells` columns; what matters less goes first when there is no room. */
void progress_bar_format(const struct progress_state *state, unsigned cells, struct strbuf *out);

/* The same in words, of any length. */
void progress_words_format(const struct progress_state *state, struct strbuf *out);

/* "0:07", "12:40", "1:02:03" into buffer (at least 24 bytes); returns buffer. */
const char *progress_clock(int64_t ms, char *buffer, size_t size);
