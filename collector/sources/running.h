/* SPDX-License-Identifier: LGPL-2.1-only */
#pragma once

#include <stdbool.h>

/* Whether some process of this machine runs a program with this file name. For children: /proc may
 * block. */
bool is_running(const char *program);
