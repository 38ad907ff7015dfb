/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * What was found in a member, on its way to the thread that reads.
 *
 * Members may be read by several threads at once, but what is found in them is put together by one
 * thread, in the order of the members: so results do not depend on the number of threads. A visitor
 * leaves what it finds in the member's outbox (member.outbox) as parcels; each is delivered exactly
 * in the place where it would have been found by one thread alone.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "common/err.h"

struct outbox;

/* Begins a visitor's own structure, which is one block of memory of `size` bytes or owns the rest. */
struct parcel {
    struct parcel *next;
    size_t size;
    /* By the thread that reads. A negative return ends the whole read. */
    int (*deliver)(struct parcel *parcel, struct err *err);
    /* Frees the parcel. Always called, also when it is not delivered: what comes after the end of the
     * budget is dropped. */
    void (*dispose)(struct parcel *parcel);
};

/*
 * Hands a parcel over, which is disposed of whatever happens. Waits while too many are on the way.
 * Without an outbox (NULL) it is delivered at once. Errors are those of deliver(), where they are
 * known already.
 */
int outbox_post(struct outbox *outbox, struct parcel *parcel, struct err *err);

/* True when this thread may deliver at once, without a parcel: the order is kept. */
bool outbox_is_direct(struct outbox *outbox);
