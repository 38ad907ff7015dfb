/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * A stream of bytes cut into blocks, which a crew works on several at a time and which come out in
 * their order. Memory is bounded: the writer waits when enough blocks are on their way.
 *
 * One thread writes. A stream of one block needs no crew and is done in that thread.
 */
#pragma once

#include <stdint.h>

#include "collector/bundle/crew.h"

struct block {
    unsigned char *bytes; /* what was written */
    size_t length;        /* 1 to the size of blocks */
    bool first, last;

    /* For the operations: */
    unsigned char *out; /* block_room() */
    size_t room;
    size_t out_length; /* 0 before transform(): `bytes` is what counts */
    size_t part;       /* of `out`, where it comes in two parts */
    uint32_t crc;

    /* For blocks.c alone: */
    struct crew_task task;
    struct blocks *blocks;
    struct block *next;
    int pending;        /* operations that are to come before it is emitted */
    bool holds_place;   /* of the crew's */
    struct err failure; /* of transform() */
};

/* Each gets the owner, which is busy writing meanwhile: transform() and follow() only look at it.
 */
struct blocks_ops {
    int (*transform)(void *owner, struct block *block, struct err *err); /* several at a time */
    int (*follow)(void *owner, const struct block *block,
                  struct err *err); /* in order, besides transform(); may be NULL */
    int (*emit)(void *owner, struct block *block,
                struct err *err); /* in order, when both are done, by the thread that writes */
};

struct blocks;

int blocks_new(struct crew *crew, size_t size, const struct blocks_ops *ops, void *owner,
               struct blocks **ret, struct err *err);

/* Waits for what is under way. NULL is fine; returns NULL. */
void *blocks_free(struct blocks *blocks);

/* After a failure only blocks_reset() and blocks_free() are possible. */
int blocks_write(struct blocks *blocks, const void *bytes, size_t length, struct err *err);

/* Everything is emitted afterwards. A stream without bytes has no block. */
int blocks_finish(struct blocks *blocks, struct err *err);

/* Everything but the block that is not full yet is emitted afterwards. */
int blocks_settle(struct blocks *blocks, struct err *err);

/* Throws away what is not emitted; the next byte begins a stream anew. */
void blocks_reset(struct blocks *blocks);

/* Makes block->out at least that big; its content is lost. */
int block_room(struct block *block, size_t room, struct err *err);
