/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * The archive: a const table of formats (zip, plain and compressed tar) behind one
 * interface.
 *
 * To a descriptor it is written strictly forward (tar). To a file it is written under a temporary
 * name or none, mode 0600, and gets its final name in one step, durable, when it is complete: the
 * name exists if and only if the archive is whole. Nothing is left behind by a failure or a kill.
 *
 * Members: regular files, owner root, mode 0644, names as given below the top folder (source:
 * compat with the original's archives). One thread adds.
 */
#pragma once

#include <stdatomic.h>

#include "collector/bundle/stage.h"

struct bundle;

struct bundle_format {
    const char *name;             /* value of --output */
    const char *suffix;           /* without the dot */
    enum stage_encoding encoding; /* what stages for it are made with */
};

/* NULL when there is no such format. */
const struct bundle_format *bundle_format_find(const char *name);

/*
 * Writes to an open descriptor, which stays the caller's. ERR_UNSUPPORTED: not for zip. The
 * compressor is borrowed and lives longer than the bundle.
 */
int bundle_open_fd(const struct bundle_format *format, struct compressor *compressor, int fd,
                   struct bundle **ret, struct err *err);

/*
 * Once *cancelled is true, waiting for whoever should read from the descriptor fails with
 * ERR_CANCELLED. Without this only the end of the reader ends the wait.
 */
void bundle_heed(struct bundle *bundle, const atomic_bool *cancelled);

/*
 * Writes to `directory`/`name`, which must not exist. The directory must exist, be ours or root's
 * and not be writable by others without the sticky bit (ERR_DENIED).
 */
int bundle_open_file(const struct bundle_format *format, struct compressor *compressor,
                     const char *directory, const char *name, struct bundle **ret, struct err *err);

/* Adds a finished stage. `modified` in epoch seconds. */
int bundle_add(struct bundle *bundle, const char *name, int64_t modified, struct stage *stage,
               struct err *err);

/*
 * Completes the archive and publishes it. After an error nothing exists under the final name. The
 * bundle is freed either way.
 */
int bundle_close(struct bundle *bundle, struct err *err);

/*
 * The same; in between, `check` looks at the complete file, which it may read and seek. When it
 * fails the archive is dropped. For an archive that goes to a descriptor it is not called.
 */
typedef int (*bundle_check)(void *context, int fd, struct err *err);
int bundle_close_checked(struct bundle *bundle, bundle_check check, void *context, struct err *err);

/* Gives up: nothing is left on disk. NULL is fine; returns NULL. */
void *bundle_discard(struct bundle *bundle);

/*
 * Whether `bytes` more find room besides all that the archive has still to write; they are promised
 * then. What waits to be compressed counts as it is, so when that matters the crew is waited for.
 * Fails as bundle_add() does.
 */
int bundle_find_room(struct bundle *bundle, struct room *room, int64_t bytes, bool *ret,
                     struct err *err);
