/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * Filters that judge one line at a time. A line longer than a megabyte is refused (ERR_LIMIT).
 */
#pragma once

#include "collector/redact/filter.h"

/* Appends the line, without its newline, as it may be seen. */
typedef void (*line_rewrite)(const char *line, size_t length, struct filter_output *out);

int lines_open(line_rewrite rewrite, void **ret, struct err *err);
int lines_write(void *filter, const char *bytes, size_t length, struct filter_output *out,
                struct err *err);
int lines_finish(void *filter, struct filter_output *out, struct err *err);
void lines_free(void *filter);

/* Output of `xenstore-ls -f` (xenstore.c). */
int lines_open_xenstore(void **ret, struct err *err);

/* Configuration and state of net-snmp's daemon (snmpd.c). */
int lines_open_snmpd(void **ret, struct err *err);
