/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * From the text that a program printed to the value of a column.
 */
#pragma once

#include "analyzer/tables/table.h"

#define CONVERT_NUMBER_MAX 64 /* bytes; longer numbers are no numbers */

/*
 * Blanks around the raw text are dropped. Text stays as it is; a number column takes the number the
 * text begins with and writes it the C way into `buffer`, to which *ret then points:
 *
 *   integer  "12 kB" is 12, "1,000,204" 1000204, "0x49" 73; too large ones the largest there is
 *   real     "-0.5 ppm" is -0.5, "128,11g" (the comma of other locales) 128.11
 *   bytes    "<823.00g" is 883689521152, "16384 MB" 17179869184: units of 1024
 *
 * *ret->text is NULL when there is no number. `minus` negates.
 */
void convert_value(enum column_type type, const char *text, size_t length, bool minus,
                   char buffer[CONVERT_NUMBER_MAX], struct cell *ret);
