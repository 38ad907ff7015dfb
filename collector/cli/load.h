/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * The catalog of one run: built in or the user's, plus plugins, as this host and the environment
 * have it.
 */
#pragma once

#include "collector/cli/options.h"
#include "collector/catalog/catalog.h"

/*
 * `root` is absolute. Bad plugins are told to `complain`, one line each, and cost only themselves.
 * XEN_RT in the environment stretches the times. Free *ret with catalog_free().
 */
int load_catalog(const struct options *options, const char *root,
                 void (*complain)(void *context, const char *message), struct catalog *ret,
                 struct err *err);
