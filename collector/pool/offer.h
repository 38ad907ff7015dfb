/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * From what a host can report to what it is asked for.
 */
#pragma once

#include <stdbool.h>

#include "common/err.h"
#include "common/strbuf.h"

/*
 * Reads the XML of `xen-bugtool --capabilities` and appends a value for --entries: all that is
 * checked there (`all`: all), without what a bundle of a pool never holds, and with the verbosity
 * that keeps it small (source: XenCenter's health check). ERR_PARSE.
 */
int offer_to_entries(const char *xml, bool all, struct strbuf *entries, struct err *err);
