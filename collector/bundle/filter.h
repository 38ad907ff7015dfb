/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * What compresses a tar on its way to the output: blocks of it at the same time, joined to one
 * stream that every reader takes.
 */
#pragma once

#include "collector/bundle/blocks.h"
#include "collector/bundle/compressor.h"
#include "collector/bundle/output.h"

struct filter;

struct filter_ops {
    size_t (*block_bytes)(enum compression effort);
    int (*begin)(struct filter *filter);
    /* Any thread: block->bytes to block->out. */
    int (*transform)(const struct filter *filter, struct block *block, struct err *err);
    int (*emit)(struct filter *filter, const struct block *block, struct err *err);
    int (*end)(struct filter *filter);
};

struct filter {
    const struct filter_ops *ops;
    struct output *output;
    struct compressor *compressor;
    struct blocks *blocks;

    int64_t taken; /* bytes that came in */

    /* For the operations: */
    uint32_t crc;
    int64_t size;         /* bytes of the blocks that went out */
    unsigned char carry;  /* bits that do not fill a byte yet, from the top */
    unsigned carry_count; /* how many: 0 to 7 */
};

extern const struct filter_ops filter_bzip2;
extern const struct filter_ops filter_gzip;
extern const struct filter_ops filter_zstd;

int filter_open(const struct filter_ops *ops, struct output *output, struct compressor *compressor,
                struct filter **ret, struct err *err);
int filter_write(struct filter *filter, const void *bytes, size_t length, struct err *err);
int filter_finish(struct filter *filter, struct err *err);

/* Bytes that may still come out of what went in; `settle`: after what can be is worked off. */
int filter_held(struct filter *filter, bool settle, int64_t *ret, struct err *err);

/* NULL is fine; returns NULL. */
void *filter_free(struct filter *filter);
