/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * Headers of an xz file, from a stranger: the answer is the same however the bytes are cut.
 */
#include <stdint.h>

#include "analyzer/report/xz_check.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 1)
        return 0;
    const char *bytes = (const char *)data + 1;
    size_t length = size - 1, piece = 1 + (size_t)data[0];
    struct xz_check whole = {0}, parts = {0};
    bool is_greedy = xz_check_is_greedy(&whole, bytes, length), found = false;
    for (size_t i = 0; !found && i < length; i += piece)
        found = xz_check_is_greedy(&parts, bytes + i, i + piece < length ? piece : length - i);
    if (found != is_greedy)
        __builtin_trap();
    return 0;
}
