/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * The modes there are. A new one is a file mode_<name>.c, a row here and a word in mode_names.
 */
#include "analyzer/tables/mode.h"

const char mode_names[] = "lines, keys, blocks, json, xapi-db";

static const struct mode *const modes[] = {
    &mode_lines, &mode_keys, &mode_blocks, &mode_json, &mode_xapi_db,
};

const struct mode *mode_find(const char *name)
{
    for (size_t i = 0; i < ARRAY_SIZE(modes); i++)
        if (strcmp(modes[i]->name, name) == 0)
            return modes[i];
    return NULL;
}
