/* SPDX-License-Identifier: LGPL-2.1-only */
#pragma once

#include "common/strbuf.h"

#define TERMINAL_ESCAPE '\x1b'

/* Appends the text as it is seen: without what sets colours and moves the cursor (ECMA-48). */
void terminal_strip(const char *from, const char *to, struct strbuf *out);
