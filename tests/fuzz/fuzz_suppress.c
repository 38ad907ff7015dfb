/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * A file of suppressions from a stranger: loads or is refused with a text; never more.
 */
#include "analyzer/rules/suppress.h"

#define LENGTH_MAX 65536

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct suppressions *set = NULL;
    struct err err = ERR_INIT;
    if (size > LENGTH_MAX)
        return 0;
    if (suppressions_parse("s.yaml", (const char *)data, size, &set, &err) < 0 && !err.text[0])
        __builtin_trap();
    suppressions_free(set);
    return 0;
}
