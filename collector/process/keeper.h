/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * The process between the helper and one child: it starts the child, waits for its end or for the
 * word to end it, and does not leave before the child's whole family is gone, but for those that
 * cannot be killed.
 */
#pragma once

#include "collector/process/launch.h"

/* Never returns; reports over the request's control socket. Called in a process of its own. */
_Noreturn void keeper_run(const struct launch *launch, struct request *request);
