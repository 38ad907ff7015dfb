/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * How much memory an xz file wants. libarchive gives liblzma whatever it asks for, up to 4 GiB.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

/*
 * True when `bytes`, the beginning of a file, is xz whose first block has a dictionary larger than
 * 128 MiB (xz -9 makes 64). Later blocks could ask for more; that is left to the process's memory
 * limit.
 */
bool xz_check_is_greedy(const char *bytes, size_t length);
