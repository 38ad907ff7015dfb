/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * A plugin's XML file, read as a capability and as a list of items: whatever it holds, it is taken
 * or refused, and never costs more than its share of memory.
 */
#include "collector/catalog/plugin.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct capability made = {0}, filled = {.key = "fuzz", .max_size = 16384};
    struct err err = ERR_INIT, other = ERR_INIT;
    struct arena *arena = arena_new(16 * 1024 * 1024);
    if (!arena)
        return 0;
    int r =
        plugin_parse_capability(arena, "fuzz", "fuzz.xml", (const char *)data, size, &made, &err);
    if (r < 0 ? err.code != r : !made.key || !made.pii || made.command_time <= 0)
        abort();
    r = plugin_parse_items(arena, "x.xml", (const char *)data, size, &filled, &other);
    if (r < 0 && other.code == ERR_OK)
        abort();
    for (size_t i = 0; i < filled.item_count; i++) {
        const struct catalog_item *item = &filled.items[i];
        if (!item->defect && !item->paths && !item->argv)
            abort();
        if (item->paths && item->paths[0][0] != '/')
            abort();
    }
    arena_free(arena);
    return 0;
}
