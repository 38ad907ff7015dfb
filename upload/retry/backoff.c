/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * How long to wait. Pure arithmetic: the caller brings the random number, so every case can stand
 * in a table of a test.
 */
#include "upload/retry/retry.h"

#define FIRST_MS      1000
#define LONGEST_MS    (3600 * 1000LL)
#define RETRY_AFTER_S (24 * 3600LL) /* what a server may ask for; more is a mistake */
#define DOUBLINGS     40            /* beyond them every ceiling is reached */

int64_t retry_wait_ms(const struct retry_options *options, unsigned failures, int64_t retry_after_s,
                      uint32_t random)
{
    int64_t first = options->first_ms > 0 ? options->first_ms : FIRST_MS;
    int64_t ceiling = options->longest_ms > 0 ? options->longest_ms : LONGEST_MS;
    int64_t wait = first < ceiling ? first : ceiling;
    for (unsigned i = 1; i < failures && i < DOUBLINGS && wait < ceiling; i++)
        wait = wait > ceiling / 2 ? ceiling : wait * 2;
    wait = (int64_t)((double)wait * ((double)random / 4294967296.0));
    if (retry_after_s <= 0)
        return wait;
    /* All that were sent away get the same number, so the jitter comes on top. */
    return (retry_after_s < RETRY_AFTER_S ? retry_after_s : RETRY_AFTER_S) * 1000 + wait;
}
