/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * Folders of ours, for files that are nobody else's business.
 */
#pragma once

#include <sys/types.h>

#include "common/err.h"
#include "common/strbuf.h"

/*
 * Opens `path`; it and its parent are made (`mode`) when missing. ERR_DENIED: somebody else owns
 * it, or can do more there than `mode` lets him.
 */
int folder_open(const char *path, mode_t mode, int *ret, struct err *err);

/* Overwrites and removes a file in an open folder. None is no error. */
int folder_wipe(int dirfd, const char *folder, const char *name, struct err *err);

/* For text that secret_release() wipes, and that so must not move in memory while it grows. */
int folder_reserve(struct strbuf *text, struct err *err);
int folder_read(int dirfd, const char *name, size_t maximum, struct strbuf *text, struct err *err);
