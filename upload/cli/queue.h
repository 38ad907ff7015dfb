/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * --queue: putting files into the spool, working it off, showing it.
 */
#pragma once

#include "upload/cli/options.h"
#include "upload/cli/progress.h"

int queue_add(const struct options *options, struct err *err);
int queue_list(const struct options *options, struct err *err);
int queue_drop(const struct options *options, struct err *err);

/*
 * ERR_AGAIN: jobs are left for later, or another worker is at work; ERR_DENIED, ERR_UNSUPPORTED:
 * one of those tried was refused or failed for good.
 */
int queue_work(const struct options *options, struct progress *progress,
               const atomic_bool *cancelled, struct err *err);
