/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * xen-upload as a child, for what only it can do.
 */
#pragma once

#include "healthcheck/enroll/enroll.h"

/*
 * Runs it with these words (NULL ends them), then those of the settings if they are wanted. What it
 * prints is nobody's business but for the last line of its errors. ERR_USAGE, ERR_DENIED as its
 * exit status says, ERR_TIMEOUT, ERR_CANCELLED; ERR_IO for all else.
 */
int uploader_run(const struct enroll_place *place, const char *const *words, bool with_settings,
                 int64_t time_limit_ms, struct err *err);

/* Whether it can send to this URL at all, with what the request has for it: without asking anybody.
 */
int uploader_check(const struct enroll_place *place, const struct enroll_request *request,
                   struct err *err);
