/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * This host's report without XAPI: our own program, run as a child, writes the tar.
 */
#pragma once

#include "common/rpc/limit.h"
#include "collector/pool/unpack.h"
#include "collector/process/spawner.h"

/* `argv` is the program and its arguments; it writes a tar to descriptor 1. As unpack_tar(). */
int direct_take(struct spawner *spawner, const char *const *argv, const struct limit *limit,
                struct sink *sink, const char *folder, struct unpacked *ret, struct err *err);
