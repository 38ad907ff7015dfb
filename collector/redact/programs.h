/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * The tables that the build makes of programs.yaml (make_programs.c), where the fields are
 * explained. What is wrong in that file stops the build, so nothing here can fail or be missing.
 */
#pragma once

#include "collector/redact/anchors.h"

#define MAX_PROGRAMS 96 /* for each there must be room for a gram in anchors.c */

struct program_secret {
    const char *option; /* NULL: operand counts */
    unsigned operand;
    char separator; /* '\0': none */
    bool attached, numbered, unless_plain;
};

struct program {
    const char *name;
    const struct program_secret *secrets;
    size_t count;
};

/* Each ends with a row without a name. */
extern const struct program programs[];
extern const char *const password_readers[];

/* One of each program; a program whose name begins with another one's is found by that one's. */
extern const struct anchor program_anchors[];
