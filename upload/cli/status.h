/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * Exit statuses: a contract with scripts, units and xen-healthcheck.
 */
#pragma once

#include "common/err.h"

enum status {
    STATUS_DONE = 0,
    STATUS_FAILED = 1, /* for good: trying again changes nothing */
    STATUS_USAGE = 2,
    STATUS_INTERRUPTED = 3,
    STATUS_LATER = 4,
    STATUS_DENIED = 5
};

/* Of a result: 0 or an ERR_*. */
enum status status_of(int code);
