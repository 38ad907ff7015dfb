/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * The list under `collect:`; only for catalog_load.c.
 */
#pragma once

#include "collector/catalog/catalog.h"
#include "common/doc.h"

/* Reads the items into `capability`, whose lists are known already. */
int catalog_read_items(const struct doc_node *collect, struct arena *arena,
                       const struct catalog_names *names, struct capability *capability,
                       struct err *err);

/* ERR_PARSE at the node when its text is no POSIX extended regular expression. */
int catalog_check_regex(const struct doc_node *node, struct err *err);
