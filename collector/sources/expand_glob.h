/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * glob(3) for folders of a million files: it holds no more names than it is asked for.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

/*
 * Calls `found` for the paths (below `root`, which is "" for the running system) that match the
 * absolute pattern, in the order of their names. A path without wildcards is found when it exists.
 * Of one folder `most` names that match are looked at. Returns false when there were more.
 */
bool expand_glob_each(const char *root, const char *pattern, size_t most,
                      void (*found)(void *context, const char *path), void *context);
