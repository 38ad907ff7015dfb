/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * Stands in for sieve_x86.c in a build for another processor.
 */
#include "collector/redact/sieve.h"

bool sieve_is_fast(void)
{
    return false;
}

const char *sieve_skip(const struct sieve *sieve, const char *p, const char *end)
{
    (void)sieve, (void)end;
    return p;
}
