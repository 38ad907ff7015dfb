/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * What compressing needs, made once and used by all entries and by the archive: how hard to try,
 * the threads, and the engines' working memory, which is large and therefore handed around.
 */
#pragma once

#include "collector/bundle/crew.h"
#include "collector/bundle/deflate.h"

struct compressor;

/* "fast", "balanced", "best"; false for others. */
bool compression_find(const char *name, enum compression *ret);

/*
 * `threads` do the work besides those that write; never more than the machine lets this process run
 * at once. 0: none.
 */
int compressor_new(enum compression compression, int threads, struct compressor **ret,
                   struct err *err);

/* Nothing may use it any more. NULL is fine; returns NULL. */
void *compressor_free(struct compressor *compressor);

struct crew *compressor_crew(struct compressor *compressor);
enum compression compressor_effort(const struct compressor *compressor);

/* For any number of threads at once. */
int compressor_deflate(struct compressor *compressor, const struct deflate_piece *piece,
                       size_t *ret_length, struct err *err);
uint32_t compressor_crc32(const struct compressor *compressor, uint32_t crc,
                          const unsigned char *bytes, size_t length);
