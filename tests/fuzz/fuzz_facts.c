/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * A file of facts: loads or is refused with a place.
 */
#include <stdint.h>

#include "analyzer/database/facts.h"

#define LENGTH_MAX 65536

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const struct embedded_file file = {"fuzz.yaml", (const char *)data, (const char *)data + size};
    struct fact_set *facts = NULL;
    struct err err = ERR_INIT;
    if (size > LENGTH_MAX)
        return 0;
    if (fact_set_load(&file, &facts, &err) < 0 && err.code != ERR_NOMEM && !err.where[0])
        __builtin_trap();
    fact_set_free(facts);
    return 0;
}
