/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * A table for people: columns as wide as what stands in them, two blanks between.
 */
#pragma once

#include "common/err.h"
#include "common/strbuf.h"
#include "common/vec.h"

struct columns {
    const char
        *sides; /* a letter a column (12 at most): l or r; the last is cut where there is no room */
    VEC(char *) cells; /* row after row */
};

/* The next cell. Foreign text in it is made harmless. */
int columns_add(struct columns *columns, struct err *err, const char *format, ...)
    PRINTF_LIKE(3, 4);

/* Appends all rows; the last column ends at `width` if that is not 0. */
void columns_print(const struct columns *columns, unsigned width, struct strbuf *out);

void columns_release(struct columns *columns);
