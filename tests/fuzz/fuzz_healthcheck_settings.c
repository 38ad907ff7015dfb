/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * healthcheck.yaml: any bytes are read or refused with a place; what was read keeps its limits.
 */
#include <assert.h>
#include <stddef.h>
#include <stdint.h>

#include "healthcheck/settings/settings.h"

#define ARENA_BYTES (8 << 20)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct settings settings;
    struct err err = ERR_INIT;
    if (size > SETTINGS_MAX_BYTES)
        return 0;
    CLEANUP(arena_cleanup) struct arena *arena = arena_new(ARENA_BYTES);
    int r = settings_parse(arena, "fuzz", (const char *)data, size, &settings, &err);
    assert((r == 0) == (err.code == 0));
    if (r == 0)
        assert(settings.schedule.every_days >= 1 && settings.schedule.hour >= 0 &&
               settings.schedule.hour <= 23 && settings.keep.runs >= 2 &&
               settings.collect.time_limit_s > 0 && settings.upload.spool[0] == '/');
    return 0;
}
