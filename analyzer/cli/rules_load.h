/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * The rules that a command of `xen-analyze rules` looks at.
 */
#pragma once

#include "analyzer/cli/parts.h"

/* The built-in rules and those of --rules, as --site sees them. */
int rules_load(struct options *options, struct parts *ret, struct err *err);

/* Those of the paths that the command names, alone; without any, the same as rules_load(). */
int rules_load_named(struct options *options, struct parts *ret, struct err *err);
