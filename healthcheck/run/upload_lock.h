/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * XenCenter's UploadLock: two services that look after one pool do not both report it.
 *
 * XAPI has no compare-and-set, so the protocol is: write "uuid|time", wait for ten seconds, look
 * whether it is still there. Whoever writes later wins, and the other one notices.
 */
#pragma once

#include <stdatomic.h>

#include "healthcheck/xapi/config.h"

/* ERR_EXISTS: another service was faster. ERR_CANCELLED; otherwise what went wrong with XAPI. */
int upload_lock_take(struct xapi *xapi, const char *uuid, int64_t now_s, int64_t confirm_s,
                     const atomic_bool *cancelled, struct err *err);

/* Is the lock in this map ours? */
bool upload_lock_is_ours(const struct config *config, const char *uuid);
