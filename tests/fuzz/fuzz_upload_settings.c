/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * A settings file: all of it is taken, or nothing, with a text that says why.
 */
#include <stdint.h>

#include "upload/cli/settings.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    CLEANUP(arena_cleanup) struct arena *arena = arena_new(8 << 20);
    struct options options = {.file = NULL};
    struct strbuf text = STRBUF_INIT;
    struct err err = ERR_INIT;
    if (!arena || size > SETTINGS_MAX_BYTES)
        return 0;
    if (settings_parse(&options, arena, "s.yaml", (const char *)data, size, &err) < 0 &&
        (!err.text[0] || options.given))
        __builtin_trap();
    for (const struct option_def *def = option_defs; def->name; def++)
        if (option_given(&options, def))
            option_text(&options, def, &text);
    strbuf_release(&text);
    return 0;
}
