/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * What --help shows.
 */
#pragma once

#include <stdio.h>

void help_print(FILE *out);
