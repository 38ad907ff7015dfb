/* SPDX-License-Identifier: LGPL-2.1-only */
#pragma once

#include "collector/run/run.h"

/*
 * Collects one entry. Its outcome, size and digests are filled in; *ret is what goes into the
 * archive, or NULL. For worker threads. Fails only with ERR_CANCELLED.
 */
int entry_run(const struct run *run, struct plan_entry *entry, struct stage **ret, struct err *err);
