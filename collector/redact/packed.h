/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * The last filter of every chain: the generic one (generic.h), which also looks into gzip, bzip2,
 * xz and zstd (codec.h).
 *
 * Rotated logs are compressed. They are unpacked and searched on the way, but go into the archive
 * as they are: nearly none holds a secret, and packing again costs twenty times as much. When one
 * does, the filter stops (packed_wants_rewrite()), and the entry is read again by a filter that was
 * told to rewrite: it unpacks, filters and packs in the same form.
 *
 * Other forms (zip, 7z, lz4 ...), and what needs too much memory, are refused, which closes the
 * entry. What is behind a damage is left out, with a notice in its place; what follows the end of
 * gzip data is searched as binary data.
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
