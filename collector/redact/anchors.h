/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * Where in a block of bytes secrets may stand: the places of a few dozen short texts that every
 * kind of secret has nearby. All else, which is nearly everything, is passed over quickly.
 */
#pragma once

#include <stdbool.h>

#include "collector/redact/detect.h"

struct anchor {
    const char *text; /* four bytes or more; without regard to case */
    const char *next; /* one of these must follow; NULL: anything */
    detector detect;  /* NULL: a block in PEM form, which may have many lines */
};

#define MAX_ANCHORS_AT 4 /* anchors that begin with the same text */

/* The first place in [p, end) where an anchor may begin, with four bytes before `end`; or NULL. */
const char *anchors_candidate(const char *p, const char *end);

/* The anchors that really begin at such a place; returns their number. */
size_t anchors_at(const char *p, const char *end, const struct anchor *ret[MAX_ANCHORS_AT]);
