/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * Members of an obfuscated archive: their names, and a last look at what cannot be taken back.
 */
#pragma once

#include "collector/run/run.h"

/* The full name of a member, below the top folder, as it may be seen. Appends to `out`. */
int member_name(const struct run *run, const char *name, struct strbuf *out, struct err *err);

/* Searches a member for originals. ERR_DENIED: it must not be added. */
int member_search(const struct run *run, const char *name, struct stage *stage, struct err *err);
