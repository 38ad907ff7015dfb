/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * Secrets that another host's tool left in its report.
 */
#pragma once

#include "collector/bundle/stage.h"

/*
 * Passes the content of `raw`, a finished plain stage, through the redactor into a new stage made
 * with `options`, which is finished and the caller's. What cannot be searched becomes a notice.
 * `name` is the member's. *ret_count is the number of secrets. Fails only for reasons of the stage.
 */
int cleanse(const struct stage_options *options, struct stage *raw, const char *name,
            struct stage **ret, int64_t *ret_count, struct err *err);
