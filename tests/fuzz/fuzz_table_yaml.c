/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * A table's YAML file from a stranger: it loads or is refused with a place. What loads runs its own
 * tests, so that odd regexes meet texts.
 */
#include <stdint.h>

#include "analyzer/tables/table.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void ignore(void *context, const struct table *table, const char *test,
                   const struct doc_node *place, const char *failure)
{
    (void)context;
    (void)table;
    (void)test;
    (void)place;
    (void)failure;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const struct embedded_file files[] = {
        {"fuzz.yaml", (const char *)data, (const char *)data + size},
        {0},
    };
    struct table_set *set = NULL;
    struct err err = ERR_INIT;
    if (size > 64 * 1024)
        return 0;
    if (table_set_load(files, NULL, &set, &err) < 0)
        return 0;
    table_set_test(set, true, ignore, NULL);
    table_set_free(set);
    return 0;
}
