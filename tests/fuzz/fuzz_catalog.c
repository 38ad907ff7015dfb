/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * A capability file from a stranger (--catalog): whatever it holds, the loader either takes it or
 * says where it is wrong.
 */
#include "collector/catalog/catalog.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static bool any(const char *name)
{
    return name[0] != 'n';
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const struct catalog_names names = {any, any, any};
    struct capability capability;
    struct err err = ERR_INIT;
    struct arena *arena = size > 64 * 1024 ? NULL : arena_new(8 * 1024 * 1024);
    if (!arena)
        return 0;
    int r = catalog_parse_capability(arena, "fuzz", (const char *)data, size, &names, &capability,
                                     &err);
    if (r < 0 && err.code != r)
        abort();
    if (r == 0 && (!capability.key || !capability.description || !capability.items))
        abort();
    arena_free(arena);
    return 0;
}
