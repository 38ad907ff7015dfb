/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * The banner and the questions of a run without --yestoall (texts of the original).
 */
#pragma once

#include "collector/cli/answer.h"
#include "collector/plan/plan.h"

void prompts_banner(FILE *out, const char *suffix, bool yes_to_all);

/*
 * Asks for every file, command and function in sorted order, then for every tree, and takes out of
 * the plan what is declined. ERR_IO when the answers end too early, ERR_CANCELLED.
 */
int prompts_ask(const struct asking *asking, struct plan *plan, struct err *err);
