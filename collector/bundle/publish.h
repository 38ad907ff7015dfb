/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * A file that gets its name in one step, when it is complete and on the disk.
 *
 * Until then it has no name at all (O_TMPFILE), or where the file system cannot do that a hidden
 * random one, which a failure removes, and after a kill the next run.
 */
#pragma once

#include <stdbool.h>

#include "common/err.h"

struct publication;

/*
 * ERR_DENIED when the directory is not ours or root's, or others could write to it and rename our
 * file away; ERR_USAGE when `name` is no plain name; ERR_EXISTS when something of that name exists, or
 * another run is writing it.
 * `unnamed`: try O_TMPFILE.
 */
int publication_open(const char *directory, const char *name, bool unnamed,
                     struct publication **ret, struct err *err);

/* Open for reading and writing, mode 0600; the publication's own. */
int publication_fd(const struct publication *publication);

/* The directory's name as it was given; lives as long as the publication. */
const char *publication_directory(const struct publication *publication);

/*
 * Makes the content durable, gives it the name, makes the name durable. After an error the name
 * does not exist (or is that of somebody else's file). The publication is freed either way.
 */
int publication_commit(struct publication *publication, struct err *err);

void *publication_discard(struct publication *publication);
