/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * A stream that begins in the middle of a private key: its first lines are Base64, and then comes
 * "-----END ... PRIVATE KEY-----". Rotated logs and those of which only the end is taken can begin
 * so. The first lines are held back until it is known; nearly always the first or second one
 * tells.
 */
#pragma once

#include "collector/redact/filter.h"

struct headless {
    struct strbuf held;
    size_t judged; /* bytes of `held` that were looked at */
    unsigned lines;
    bool short_line; /* the last one that was looked at is short, so the key must end here */
    bool over;       /* it is known; nothing is held back any more */
};

/*
 * Takes bytes of the stream's beginning. Returns true when it is known whether they are what is
 * left of a key: then `held` is what is to be looked at as usual, and what is left of a key is
 * REMOVED in it (counted in *replaced).
 */
bool headless_take(struct headless *headless, const char *bytes, size_t length, int64_t *replaced);

/* The stream is at its end. */
void headless_finish(struct headless *headless, int64_t *replaced);
