/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * The rows of the inventory: load or are refused with a place.
 */
#include <stdint.h>

#include "analyzer/database/inventory.h"

#define LENGTH_MAX 65536

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const struct embedded_file file = {"fuzz.yaml", (const char *)data, (const char *)data + size};
    struct inventory_plan *plan = NULL;
    struct err err = ERR_INIT;
    if (size > LENGTH_MAX)
        return 0;
    if (inventory_plan_load(&file, &plan, &err) < 0 && err.code != ERR_NOMEM && !err.where[0])
        __builtin_trap();
    inventory_plan_free(plan);
    return 0;
}
