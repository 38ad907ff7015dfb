/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * Two versions from a stranger, parted by the first NUL: their order is one, whoever asks.
 */
#include <stdint.h>
#include <string.h>

#include "common/version_compare.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const char *a = (const char *)data, *end = a + size;
    const char *nul = memchr(a, '\0', size);
    if (!nul)
        return 0;
    const char *b = nul + 1;
    size_t a_length = (size_t)(nul - a), b_length = (size_t)(end - b);
    int forth = version_compare(a, a_length, b, b_length);
    if (version_compare(b, b_length, a, a_length) != -forth ||
        version_compare(a, a_length, a, a_length) != 0)
        __builtin_trap();
    return 0;
}
