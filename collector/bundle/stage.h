/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * One entry of the archive in the making.
 *
 * Sources shrink, grow, block and vanish while they are read, so an entry is staged completely
 * before the archive hears of it: first in memory, beyond `memory_bytes` in an unnamed temporary
 * file. Its size is then a fact, its digests are of exactly these bytes, and for zip it is deflated
 * already, a long entry by several threads.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "collector/bundle/compressor.h"
#include "collector/bundle/room.h"

/* STAGE_DEFLATE: where it makes sense; what is tiny or compressed already stays as it is. */
enum stage_encoding { STAGE_PLAIN, STAGE_DEFLATE };

struct stage_options {
    enum stage_encoding encoding;
    struct compressor *compressor; /* borrowed; lives longer than the stage */
    size_t memory_bytes;           /* beyond, the encoded bytes go to a temporary file */
    int spool_dirfd;               /* where that file is made, without a name; -1: memory only */
    struct room *room;             /* what that file may take (ERR_LIMIT); NULL: all there is */
};

struct stage;

int stage_new(const struct stage_options *options, struct stage **ret, struct err *err);
int stage_write(struct stage *stage, const void *bytes, size_t length, struct err *err);
int stage_finish(struct stage *stage, struct err *err);
void *stage_free(struct stage *stage);

/*
 * Throws away what was written; the stage can be written again (fail closed: a notice instead of
 * the entry).
 */
int stage_reset(struct stage *stage, struct err *err);

/* After stage_finish(). Sizes in bytes; digests as hexadecimal text, of the plain bytes. */
int64_t stage_size(const struct stage *stage);
int64_t stage_encoded_size(const struct stage *stage);
bool stage_is_deflated(const struct stage *stage);
uint32_t stage_crc32(const struct stage *stage);
const char *stage_md5(const struct stage *stage);
const char *stage_sha256(const struct stage *stage);

/* Hands the encoded bytes, in order, to `sink`. */
int stage_read(struct stage *stage,
               int (*sink)(void *context, const void *bytes, size_t length, struct err *err),
               void *context, struct err *err);
