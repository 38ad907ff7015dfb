/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * Reading a file in a child, because its file system may block. The exit status carries the
 * outcome, standard error its reason.
 */
#pragma once

#include "collector/sources/outcome.h"

/* Exit status of the child = this + outcome, for outcomes other than OUTCOME_OK. */
#define READ_CHILD_BASE    32
#define READ_CHILD_MISSING (READ_CHILD_BASE + OUTCOME_MISSING)

/* argv: name, path below the root, limit in bytes or -1. */
int read_child(const char *root, int argc, const char *const *argv);

/* The outcome that an exit status stands for; OUTCOME_FAILED for one that means nothing. */
enum outcome_status read_child_outcome(int exit_status);
