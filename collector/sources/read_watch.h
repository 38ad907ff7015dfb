/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * Seen from outside: whether a thread hangs in a read. It cannot tell itself, so it leaves a time
 * behind before each call into the kernel that may hang, and another thread compares.
 */
#pragma once

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

struct mount;

/* Zeroed: nothing is watched. Of its reader and one watcher; either may use it at any time. */
struct read_watch {
    int64_t patience_ms;                 /* what one call may take; the reader's */
    atomic_int_least64_t until_ms;       /* monotonic; the end of patience, 0: in no such call */
    _Atomic(const struct mount *) mount; /* the file system that is looked at */
    atomic_bool given_up;
};

/* For the reader, around calls that may hang; both take NULL. The second begin starts anew. */
void read_watch_begin(struct read_watch *watch);
void read_watch_end(struct read_watch *watch);

/* Whether nobody waits for the reader any more: it should stop. */
bool read_watch_is_given_up(const struct read_watch *watch);

/* For the watcher. */
bool read_watch_hangs(const struct read_watch *watch, int64_t now_ms);

/* The reader learns it when it comes back. Returns the mount that holds it up; NULL: not known. */
const struct mount *read_watch_give_up(struct read_watch *watch);
