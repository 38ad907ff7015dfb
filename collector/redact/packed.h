/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * The last filter of every chain: the generic one (generic.h), which also looks into gzip.
 *
 * Rotated logs are gzip files. They are unpacked and searched on the way, but go into the archive
 * as they are: nearly none holds a secret, and packing again costs twenty times as much. When one
 * does, the filter stops (packed_wants_rewrite()), and the entry is read again by a filter that was
 * told to rewrite: it unpacks, filters and packs.
 *
 * Other compressed data (bzip2, xz, zstd, zip) pass unseen. What is behind a damage in gzip data is
 * left out, with a notice in its place; what follows its end is searched as binary data.
 */
#pragma once

#include "collector/redact/filter.h"

int packed_open(void **ret, struct err *err);
int packed_write(void *filter, const char *bytes, size_t length, struct filter_output *out,
                 struct err *err);
int packed_finish(void *filter, struct filter_output *out, struct err *err);
void packed_free(void *filter);

/* To be called before the first byte. */
void packed_rewrite(void *filter);
bool packed_wants_rewrite(const void *filter);
