/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * What is compared with older reports: loads or is refused with a place.
 */
#include <stdint.h>

#include "analyzer/database/differences.h"

#define LENGTH_MAX 65536

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const struct embedded_file file = {"fuzz.yaml", (const char *)data, (const char *)data + size};
    struct difference_plan *plan = NULL;
    struct err err = ERR_INIT;
    if (size > LENGTH_MAX)
        return 0;
    if (difference_plan_load(&file, &plan, &err) < 0 && err.code != ERR_NOMEM && !err.where[0])
        __builtin_trap();
    difference_plan_free(plan);
    return 0;
}
