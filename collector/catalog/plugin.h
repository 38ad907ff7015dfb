/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * Plugins: XML files of other packages that add to what is collected (source: the original's
 * /etc/xensource/bugtool).
 *
 * A folder DIR with DIR.xml beside it is a capability DIR; a folder named like a capability adds to
 * that one. Every DIR/x.xml lists files, folders and commands. One bad file costs only itself: it
 * is told to the caller, and stands in the plan as an item that failed.
 */
#pragma once

#include "collector/catalog/catalog.h"

#define PLUGIN_FOLDER "/etc/xensource/bugtool"

struct plugin_options {
    const char *root;      /* absolute; "/" for the running system */
    const char *directory; /* the user's choice, or NULL: PLUGIN_FOLDER below the root */
    void (*complain)(void *context, const char *message); /* one line for each bad file */
    void *context;
};

/*
 * Adds all plugins to the catalog. A folder that does not exist is no error unless the user chose
 * it. ERR_NOMEM, ERR_NOTFOUND.
 */
int plugins_load(struct catalog *catalog, const struct plugin_options *options, struct err *err);

/* DIR.xml: a capability without items. ERR_PARSE, ERR_LIMIT, ERR_NOMEM. */
int plugin_parse_capability(struct arena *arena, const char *key, const char *name,
                            const char *bytes, size_t length, struct capability *ret,
                            struct err *err);

/* DIR/x.xml: items for the capability, appended to those it has. On failure nothing is added. */
int plugin_parse_items(struct arena *arena, const char *name, const char *bytes, size_t length,
                       struct capability *capability, struct err *err);

/* Appends items to a capability's. */
int plugin_append(struct arena *arena, struct capability *capability,
                  const struct catalog_item *items, size_t count, struct err *err);
