/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * Tables with a column of secrets: a line of names, one of them a secret's ("user,password,host",
 * "| user | password |", "USER   PASSWORD"), and below it lines with as many cells.
 */
#pragma once

#include "collector/redact/detect.h"

struct columns {
    char separator;  /* 0: no table; a blank: columns are lined up */
    unsigned count;  /* of cells */
    size_t from, to; /* of lined up columns: offsets of the first secret one; to is 0: no end */
    unsigned long long secret; /* a bit for each column that holds secrets */
};

enum row {
    ROW_OVER,   /* no row of the table: it has ended */
    ROW_BORDER, /* holds nothing */
    ROW_CELLS,
};

/* Whether the line is the head of such a table. */
bool columns_begin(struct columns *columns, const struct passage *line);

/*
 * The next secret cell of a row at or behind *from, which is moved behind it; false when there is
 * no further one.
 */
enum row columns_row(const struct columns *columns, const struct passage *line);
bool columns_next(const struct columns *columns, const struct passage *line, const char **from,
                  struct finding *ret);
