/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * Stands in for deflate_isal.c in a build without the library.
 */
#include "collector/bundle/deflate.h"

const struct deflate_engine deflate_isal = {.name = "ISA-L"};
