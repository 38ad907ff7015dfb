/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * Blocks on their way stand in a list, oldest first. The writer emits, so nothing that may block (a
 * disk, a pipe) is ever done by the crew, and the order costs nothing: it looks at the oldest block
 * only. Each stream may have one block under way; more only while the crew has places, so that many
 * streams at once do not add up.
 *
 * following() is the one task that goes from block to block: digests are serial by nature.
 */
#include "collector/bundle/blocks.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

struct blocks {
    struct crew *crew;
    const struct blocks_ops *ops;
    void *owner;
    size_t size;
    struct block *filling, *spare;
    bool begun; /* a block was submitted */

    pthread_mutex_t lock; /* for what follows, and for `pending` */
    pthread_cond_t changed;
    struct block *oldest, **end; /* under way; only the writer adds and removes */
    struct block *to_follow;     /* the oldest that was not followed; NULL: none */
    struct crew_task follower;
    bool following; /* the follower is at work, or will be */
    struct err follow_failure;
};

int blocks_new(struct crew *crew, size_t size, const struct blocks_ops *ops, void *owner,
               struct blocks **ret, struct err *err)
{
    struct blocks *blocks = calloc(1, sizeof *blocks);
    if (!blocks)
        return err_nomem(err);
    blocks->crew = crew;
    blocks->size = size;
    blocks->ops = ops;
    blocks->owner = owner;
    blocks->end = &blocks->oldest;
    pthread_mutex_init(&blocks->lock, NULL);
    pthread_cond_init(&blocks->changed, NULL);
    *ret = blocks;
    return 0;
}

static void free_block(struct block *block)
{
    if (!block)
        return;
    free(block->bytes);
    free(block->out);
    free(block);
}

int block_room(struct block *block, size_t room, struct err *err)
{
    if (room <= block->room)
        return 0;
    free(block->out);
    block->out = malloc(room);
    block->room = block->out ? room : 0;
    return block->out ? 0 : err_nomem(err);
}

/* With the lock held. The writer waits for whole blocks only. */
static void finish_operation(struct blocks *blocks, struct block *block)
{
    if (--block->pending == 0)
        pthread_cond_signal(&blocks->changed);
}

static void transform(struct crew_task *task)
{
    struct block *block =
        (struct block *)(void *)((char *)task - offsetof(struct block, task)); /* embedded */
    struct blocks *blocks = block->blocks;
    blocks->ops->transform(blocks->owner, block, &block->failure);
    pthread_mutex_lock(&blocks->lock);
    finish_operation(blocks, block);
    pthread_mutex_unlock(&blocks->lock);
}

static void follow(struct crew_task *task)
{
    struct blocks *blocks =
        (struct blocks *)(void *)((char *)task - offsetof(struct blocks, follower));
    pthread_mutex_lock(&blocks->lock);
    while (blocks->to_follow) {
        struct block *block = blocks->to_follow;
        pthread_mutex_unlock(&blocks->lock);
        struct err failure = ERR_INIT;
        blocks->ops->follow(blocks->owner, block, &failure);
        pthread_mutex_lock(&blocks->lock);
        if (failure.code && !blocks->follow_failure.code)
            blocks->follow_failure = failure;
        blocks->to_follow = block->next;
        finish_operation(blocks, block);
    }
    blocks->following = false;
    pthread_cond_signal(&blocks->changed);
    pthread_mutex_unlock(&blocks->lock);
}

/* Takes the oldest block, which is done, off the list. */
static struct block *take_oldest(struct blocks *blocks)
{
    struct block *block = blocks->oldest;
    pthread_mutex_lock(&blocks->lock);
    blocks->oldest = block->next;
    if (!blocks->oldest)
        blocks->end = &blocks->oldest;
    pthread_mutex_unlock(&blocks->lock);
    return block;
}

static void recycle(struct blocks *blocks, struct block *block)
{
    if (block->holds_place)
        crew_give_place(blocks->crew);
    block->holds_place = false;
    if (blocks->spare)
        free_block(block);
    else
        blocks->spare = block;
}

static bool is_done(struct blocks *blocks, const struct block *block, bool wait)
{
    pthread_mutex_lock(&blocks->lock);
    while (wait && block->pending > 0)
        pthread_cond_wait(&blocks->changed, &blocks->lock);
    bool done = block->pending == 0;
    pthread_mutex_unlock(&blocks->lock);
    return done;
}

static int copy_failure(struct blocks *blocks, const struct block *block, struct err *err)
{
    struct err failure = block->failure;
    pthread_mutex_lock(&blocks->lock);
    if (!failure.code)
        failure = blocks->follow_failure;
    pthread_mutex_unlock(&blocks->lock);
    return failure.code ? err_set(err, failure.code, "%s", failure.text) : 0;
}

/* For a block that is done. */
static int emit_oldest(struct blocks *blocks, struct err *err)
{
    struct block *block = take_oldest(blocks);
    int r = copy_failure(blocks, block, err);
    if (r == 0)
        r = blocks->ops->emit(blocks->owner, block, err);
    recycle(blocks, block);
    return r;
}

/* Emits what is done; `all`: waits for the rest. */
static int emit_done(struct blocks *blocks, bool all, struct err *err)
{
    int r = 0;
    while (r == 0 && blocks->oldest && is_done(blocks, blocks->oldest, all))
        r = emit_oldest(blocks, err);
    return r;
}

static void put_under_way(struct blocks *blocks, struct block *block)
{
    bool wake = false;
    block->pending = blocks->ops->follow ? 2 : 1;
    pthread_mutex_lock(&blocks->lock);
    *blocks->end = block;
    blocks->end = &block->next;
    if (blocks->ops->follow && !blocks->to_follow)
        blocks->to_follow = block;
    if (blocks->ops->follow && !blocks->following)
        wake = blocks->following = true;
    pthread_mutex_unlock(&blocks->lock);
    block->task.run = transform;
    crew_do(blocks->crew, &block->task);
    if (wake) {
        blocks->follower.run = follow;
        crew_do(blocks->crew, &blocks->follower);
    }
}

static int submit(struct blocks *blocks, struct err *err)
{
    int r = emit_done(blocks, false, err);
    while (r == 0 && blocks->oldest &&
           !(blocks->filling->holds_place = crew_take_place(blocks->crew))) {
        is_done(blocks, blocks->oldest, true);
        r = emit_oldest(blocks, err);
    }
    if (r < 0)
        return r;
    struct block *block = blocks->filling;
    blocks->filling = NULL;
    block->first = !blocks->begun;
    blocks->begun = true;
    put_under_way(blocks, block);
    return 0;
}

static int start_block(struct blocks *blocks, struct err *err)
{
    struct block *block = blocks->spare;
    blocks->spare = NULL;
    if (!block) {
        block = calloc(1, sizeof *block);
        if (!block)
            return err_nomem(err);
        block->bytes = malloc(blocks->size);
        if (!block->bytes) {
            free(block);
            return err_nomem(err);
        }
    }
    block->blocks = blocks;
    block->next = NULL;
    block->length = block->out_length = 0;
    block->last = false;
    err_clear(&block->failure);
    blocks->filling = block;
    return 0;
}

int blocks_write(struct blocks *blocks, const void *bytes, size_t length, struct err *err)
{
    int r = 0;
    for (const unsigned char *p = bytes; length > 0;) {
        /* A full block waits for the next byte, so that the last one is known and never empty. */
        if (blocks->filling && blocks->filling->length == blocks->size)
            r = submit(blocks, err);
        if (r == 0 && !blocks->filling)
            r = start_block(blocks, err);
        if (r < 0)
            return r;
        struct block *block = blocks->filling;
        size_t room = blocks->size - block->length;
        size_t n = length < room ? length : room;
        memcpy(block->bytes + block->length, p, n);
        block->length += n;
        p += n;
        length -= n;
    }
    return 0;
}

static int finish_alone(struct blocks *blocks, struct err *err)
{
    struct block *block = blocks->filling;
    blocks->filling = NULL;
    block->first = blocks->begun = true;
    int r = blocks->ops->transform(blocks->owner, block, err);
    if (r == 0 && blocks->ops->follow)
        r = blocks->ops->follow(blocks->owner, block, err);
    if (r == 0)
        r = blocks->ops->emit(blocks->owner, block, err);
    recycle(blocks, block);
    return r;
}

int blocks_finish(struct blocks *blocks, struct err *err)
{
    if (!blocks->filling)
        return emit_done(blocks, true, err);
    blocks->filling->last = true;
    if (!blocks->begun)
        return finish_alone(blocks, err);
    int r = submit(blocks, err);
    return r < 0 ? r : emit_done(blocks, true, err);
}

int blocks_settle(struct blocks *blocks, struct err *err)
{
    return emit_done(blocks, true, err);
}

void blocks_reset(struct blocks *blocks)
{
    while (blocks->oldest && is_done(blocks, blocks->oldest, true))
        recycle(blocks, take_oldest(blocks));
    pthread_mutex_lock(&blocks->lock);
    while (blocks->following) /* it still holds the lock for a moment */
        pthread_cond_wait(&blocks->changed, &blocks->lock);
    pthread_mutex_unlock(&blocks->lock);
    if (blocks->filling)
        recycle(blocks, TAKE(blocks->filling));
    err_clear(&blocks->follow_failure);
    blocks->begun = false;
}

void *blocks_free(struct blocks *blocks)
{
    if (!blocks)
        return NULL;
    blocks_reset(blocks);
    free_block(blocks->spare);
    pthread_cond_destroy(&blocks->changed);
    pthread_mutex_destroy(&blocks->lock);
    free(blocks);
    return NULL;
}
