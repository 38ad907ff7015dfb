/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * The helper process: single-threaded for all its life, so that forking in it is safe while the
 * program itself runs threads. It does nothing but fork keepers.
 */
#pragma once

#include "collector/process/launch.h"

/*
 * Serves requests from `socket` until its other end is closed, then ends all that is left. Never
 * returns.
 */
_Noreturn void helper_run(int socket, const struct launch *launch);
