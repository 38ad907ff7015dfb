/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * xen-bugtool.log: what the run has to say, in the original's words where it had any (people grep
 * for them). It is kept in memory, not in the current directory, where the original's could clash
 * or be planted.
 */
#pragma once

#include "collector/plan/plan.h"
#include "common/strbuf.h"

struct run_log {
    struct strbuf text;
};

/* Begins with the command line and PATH, as ever. */
void run_log_start(struct run_log *log, int argc, char *const *argv);

void run_log_add(struct run_log *log, const char *format, ...) PRINTF_LIKE(2, 3);

/* One line for an entry that did not end well; nothing for the others. */
void run_log_entry(struct run_log *log, const struct plan_entry *entry);

void run_log_release(struct run_log *log);
