/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * The order is the original's: plugins are there before the test system's factor and before any
 * option acts, so that their limits are stretched too and --capabilities shows them.
 */
#include "collector/cli/load.h"

#include "collector/catalog/plugin.h"
#include "collector/redact/redact.h"
#include "collector/run/host.h"
#include "collector/sources/devices.h"
#include "collector/sources/functions.h"

#define XEN_RT_FACTOR 5 /* the test system's slow machines (source: the original) */

/* Capabilities that only some hosts have. */
static void drop_absent(struct catalog *catalog, const char *root)
{
    for (size_t i = catalog->count; i-- > 0;) {
        char value[64];
        const char *key = catalog->capabilities[i].inventory;
        if (key && !host_inventory_value(root, key, value, sizeof value))
            catalog_remove(catalog, i);
    }
}

static void stretch(struct catalog *catalog)
{
    for (size_t i = 0; i < catalog->count; i++) {
        struct capability *capability = &catalog->capabilities[i];
        capability->checked = capability->checked || capability->xen_rt;
        capability->scale.time *= XEN_RT_FACTOR;
        if (capability->max_time <= 0)
            continue;
        capability->max_time *= XEN_RT_FACTOR;
        capability->command_time *= XEN_RT_FACTOR;
    }
}

int load_catalog(const struct options *options, const char *root,
                 void (*complain)(void *context, const char *message), struct catalog *ret,
                 struct err *err)
{
    static const struct catalog_names names = {.filter_exists = redact_filter_exists,
                                               .function_exists = function_exists,
                                               .device_list_exists = device_list_exists};
    const struct plugin_options plugins = {
        .root = root, .directory = options->plugins, .complain = complain};
    int r = options->catalog ? catalog_load_directory(options->catalog, &names, ret, err)
                             : catalog_load_embedded(catalog_embedded, &names, ret, err);
    if (r < 0)
        return r;
    drop_absent(ret, root);
    r = plugins_load(ret, &plugins, err);
    if (getenv("XEN_RT"))
        stretch(ret);
    return r; /* a failure frees nothing: the caller's catalog_free() does */
}
