/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * --grant: tokens of a Health Check service into a file.
 */
#pragma once

#include "upload/cli/options.h"

int grant_command(const struct options *options, const atomic_bool *cancelled, struct err *err);
