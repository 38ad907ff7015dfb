/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * What the text of a regular expression alone tells about how it will behave. A rough reading, for
 * hints: it knows groups, classes, escapes and quantifiers, and nothing else.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

struct pattern_shape {
    bool repeats_repetition; /* "(a+)+": takes time that doubles with every letter */
    size_t longest_literal;  /* characters in a row that must stand in the line as they are */
    long largest_repeat;     /* the greatest number of a {n,m} */
};

struct pattern_shape pattern_shape_of(const char *pattern);
