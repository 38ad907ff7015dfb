/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * Samples of a log's time stamps, while its bytes go by in pieces of any size. Reading every stamp
 * of a log of gigabytes would cost more than searching it, so lines are skipped, more of them the
 * longer the log is.
 */
#pragma once

#include "analyzer/match/timestamp.h"

/* All zero at the start of a log. */
struct stamp_sampler {
    int64_t seen;   /* bytes of the pieces before this one */
    size_t place;   /* in this piece, where a line is looked for next */
    bool amid_line; /* that place may be anywhere in a line */
    unsigned hint;  /* the format that fitted last, see stamp_read() */
};

/* The next sample of a piece. False at its end: hand over the next piece then. */
bool stamp_sampler_next(struct stamp_sampler *sampler, const struct log_formats *formats,
                        const char *bytes, size_t length, struct stamp *ret);
