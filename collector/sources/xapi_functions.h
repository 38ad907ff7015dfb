/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * Functions of the catalog that ask about XAPI; rows of the table in functions.c.
 */
#pragma once

#include "collector/sources/functions.h"

/* argv[1]: path and query. READ_CHILD_MISSING when nothing listens. */
int run_xapi_get(void *context, int argc, const char *const *argv);

/* Processes whose parent is init and whose command line begins with XAPI's path, what they started,
 * and their open files, as a Python literal (form of the original). */
int run_xapi_subprocesses(void *context, int argc, const char *const *argv);
