/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * A list: loads or is refused with a place. What loads becomes a table, whatever stands in it.
 */
#include <stdint.h>

#include "analyzer/database/lists.h"

#define LENGTH_MAX 65536

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const struct embedded_file none[] = {{0}};
    const struct embedded_file files[] = {
        {"fuzz.yaml", (const char *)data, (const char *)data + size},
        {0},
    };
    struct table_set *tables = NULL;
    struct list_set *lists = NULL;
    struct database *database = NULL;
    struct err err = ERR_INIT;
    if (size > LENGTH_MAX)
        return 0;
    int r = list_set_load(files, NULL, &lists, &err);
    if (r < 0 && err.code != ERR_NOMEM && !err.where[0])
        __builtin_trap();
    if (r == 0 && table_set_load(none, NULL, &tables, NULL) == 0 &&
        database_open(tables, NULL, &database, NULL) == 0 &&
        lists_fill(lists, database, &err) < 0 && !err.text[0])
        __builtin_trap();
    database_free(database);
    table_set_free(tables);
    list_set_free(lists);
    return 0;
}
