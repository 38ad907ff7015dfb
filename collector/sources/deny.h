/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * Paths that are never read, whatever a catalog asks for: reading them changes the system, never
 * ends, or puts memory, keys or earlier reports into the archive.
 */
#pragma once

/* Why the absolute path (below the root that is collected, links resolved) is refused, or NULL. */
const char *deny_reason(const char *path);
