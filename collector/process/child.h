/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * One child as its client sees it; the work behind child_run().
 */
#pragma once

#include "collector/process/spawner.h"

/* child_run() over the helper's socket. */
int child_follow(int helper_socket, const struct child_spec *spec, child_output output,
                 void *context, struct child_end *ret, struct err *err);
