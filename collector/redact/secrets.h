/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * Which names announce a secret. One list for all filters.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

/* Whether a key or field of this name holds a secret: "CHAPpassword", "wlb_passwd", "x-token"... */
bool secret_name(const char *name, size_t length);

/* Whether the value only points to a secret that is kept elsewhere: "OpaqueRef:..." or a UUID. */
bool secret_is_reference(const char *value, size_t length);
