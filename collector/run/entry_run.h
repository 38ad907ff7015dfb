/* SPDX-License-Identifier: LGPL-2.1-only */
#pragma once

#include "collector/run/run.h"
#include "collector/sources/read_watch.h"

/*
 * Collects one entry. Its outcome, size and digests are filled in; *ret is what goes into the
 * archive, or NULL. For worker threads. Fails only with ERR_CANCELLED.
 *
 * `watch` tells whether it hangs in a read of a local disk; once it is given up, nothing else of
 * what it was handed is touched but what lives for ever.
 */
int entry_run(const struct run *run, struct plan_entry *entry, struct read_watch *watch,
              struct stage **ret, struct err *err);
