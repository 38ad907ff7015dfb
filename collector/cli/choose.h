/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * The question that a person at a terminal gets in place of hundreds: which capabilities to take.
 */
#pragma once

#include "collector/cli/answer.h"
#include "collector/cli/selection.h"

/*
 * Shows what would be taken, asks, and takes what is switched off out of the plan and the
 * selections. ERR_CANCELLED when nothing is to be taken or at a signal, ERR_IO when the answers end
 * too early.
 */
int choose_capabilities(const struct asking *asking, struct plan *plan, selection_list *selections,
                        struct err *err);
