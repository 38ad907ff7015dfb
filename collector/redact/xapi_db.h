/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * XAPI's database: XML of which only elements and attributes matter (tables, rows, fields).
 *
 * As the original tool: text between elements is dropped, as are comments. The value of a `secret`,
 * a cluster's token, EFI variables and secret map entries become REMOVED. Everything else stays
 * byte for byte.
 */
#pragma once

#include "collector/redact/filter.h"

int xapi_db_open(void **ret, struct err *err);
int xapi_db_write(void *filter, const char *bytes, size_t length, struct filter_output *out,
                  struct err *err);
int xapi_db_finish(void *filter, struct filter_output *out, struct err *err);
void xapi_db_free(void *filter);
