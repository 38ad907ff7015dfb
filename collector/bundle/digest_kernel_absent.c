/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * Stands in for digest_kernel_x86.c in a build for another processor.
 */
#include "collector/bundle/digest_kernel.h"

bool digest_kernel_works(void)
{
    return false;
}

void digest_kernel(struct digest_words *words, const unsigned char *bytes, size_t blocks)
{
    (void)words, (void)bytes, (void)blocks;
}
