/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * Lists of devices for `each:` in the catalog, read from /sys below a root. For a root that is not
 * the running system a recorded list, .commands/each-<name> with one name a line, goes first.
 */
#pragma once

#include <stdbool.h>

typedef void (*device_sink)(void *context, const char *name);

bool device_list_exists(const char *name);

/* Calls `sink` for each device in sorted order. May block: for children only. */
void device_list(const char *root, const char *name, device_sink sink, void *context);

/* Names come from the system and end up on command lines: no leading `-`, only letters that mean
 * nothing. */
bool device_name_is_safe(const char *name);
