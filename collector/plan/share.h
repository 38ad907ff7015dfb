/* SPDX-License-Identifier: LGPL-2.1-only */
#pragma once

#include "collector/sources/expand.h"

/*
 * Cuts results so that all together have at most `most` hits. What has few keeps them all; those
 * with very many share what is left, so that a folder flooded with files takes no place from logs.
 */
void plan_share(struct expand_result *results, size_t count, size_t most);
