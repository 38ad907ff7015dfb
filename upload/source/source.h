/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * The file that is sent.
 *
 * It is held open and known by its SHA-256, so that an upload that is taken up again, minutes or
 * days later, continues the same bytes or starts anew. A file that changes while it is sent fails
 * the upload: a server must not get a mix.
 */
#pragma once

#include <stdint.h>

#include "common/digest.h"
#include "common/err.h"

struct source;

enum source_digest { SOURCE_MD5, SOURCE_SHA1, SOURCE_SHA256 };

/*
 * Opens a regular file (links are followed: it is the user who names it) and digests it.
 * ERR_NOTFOUND, ERR_DENIED, ERR_IO; ERR_UNSUPPORTED: a folder, a device or a pipe.
 */
int source_open(const char *path, struct source **ret, struct err *err);
/* The same for a file that was opened before; the descriptor is taken over in any case. */
int source_take(int fd, const char *path, struct source **ret, struct err *err);

void *source_free(struct source *source); /* returns NULL */

DEFINE_CLEANUP(source_cleanup, struct source *, source_free)

const char *source_path(const struct source *source);
const char *source_name(const struct source *source); /* last part of the path */
int64_t source_size(const struct source *source);
const char *source_sha256(const struct source *source); /* 64 hexadecimal digits */

/* Exactly `size` bytes. ERR_IO; ERR_UNSUPPORTED: the file changed. */
int source_read(const struct source *source, int64_t offset, void *buffer, size_t size,
                struct err *err);

/* ERR_UNSUPPORTED when the file is no longer what was opened. To be asked before success is told.
 */
int source_check(const struct source *source, struct err *err);

/* Digest of a range, raw bytes; *ret_length is 16, 20 or 32. */
int source_digest(const struct source *source, enum source_digest kind, int64_t offset,
                  int64_t length, unsigned char ret[DIGEST_BYTES], size_t *ret_length,
                  struct err *err);
