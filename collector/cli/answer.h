/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * One line from the person who is asked, or from the script in their place.
 */
#pragma once

#include <stdatomic.h>
#include <stdio.h>

#include "common/err.h"

#define ANSWER_BYTES 1024 /* a longer line counts as several answers */

struct asking {
    FILE *in, *out;
    const atomic_bool *cancelled;
};

/* Shows what was written to `out` and reads a line. ERR_IO when there are no more, ERR_CANCELLED.
 */
int answer_read(const struct asking *asking, char answer[ANSWER_BYTES], struct err *err);
