/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * The frame around the compressed blocks. The operations may put bytes to the output without
 * looking at the result: an output that failed once stays failed, and it is asked at the end of
 * each step.
 */
#include "collector/bundle/filter.h"

#include <stdlib.h>

#define GROWTH_SHARE 64 /* what cannot be compressed grows by less: 0.7 % with bzip2 */

static int transform(void *owner, struct block *block, struct err *err)
{
    const struct filter *filter = owner;
    return filter->ops->transform(filter, block, err);
}

static int emit(void *owner, struct block *block, struct err *err)
{
    struct filter *filter = owner;
    int r = filter->ops->emit(filter, block, err);
    filter->size += (int64_t)block->length;
    int failure = output_failure(filter->output, err);
    return failure < 0 ? failure : r;
}

static const struct blocks_ops block_ops = {.transform = transform, .emit = emit};

int filter_open(const struct filter_ops *ops, struct output *output, struct compressor *compressor,
                struct filter **ret, struct err *err)
{
    struct filter *filter = calloc(1, sizeof *filter);
    if (!filter)
        return err_nomem(err);
    filter->ops = ops;
    filter->output = output;
    filter->compressor = compressor;
    int r = blocks_new(compressor_crew(compressor), ops->block_bytes(compressor_effort(compressor)),
                       &block_ops, filter, &filter->blocks, err);
    if (r == 0 && ops->begin(filter) < 0)
        r = output_failure(output, err);
    if (r < 0)
        filter_free(filter);
    else
        *ret = filter;
    return r;
}

int filter_write(struct filter *filter, const void *bytes, size_t length, struct err *err)
{
    filter->taken += (int64_t)length;
    return blocks_write(filter->blocks, bytes, length, err);
}

int filter_finish(struct filter *filter, struct err *err)
{
    int r = blocks_finish(filter->blocks, err);
    if (r == 0 && filter->ops->end(filter) < 0)
        r = output_failure(filter->output, err);
    return r;
}

int filter_held(struct filter *filter, bool settle, int64_t *ret, struct err *err)
{
    int r = settle ? blocks_settle(filter->blocks, err) : 0;
    if (r < 0)
        return r;
    int64_t held = filter->taken - filter->size;
    *ret = held + held / GROWTH_SHARE;
    return 0;
}

void *filter_free(struct filter *filter)
{
    if (!filter)
        return NULL;
    blocks_free(filter->blocks);
    free(filter);
    return NULL;
}
