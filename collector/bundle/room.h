/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * The space that the archive and the temporary files of its members share.
 *
 * What the archive took over it must write later, whatever happens: one write that fails costs the
 * whole report, a temporary file only its member. So temporary files leave the room that the
 * archive was promised, and both leave some to the host.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/err.h"

/* What is said of a member that finds none; with ERR_LIMIT from a stage. */
#define ROOM_FULL "disk full: too little space is left for it"

struct room;

/*
 * Of the file system with the folder `dirfd` (borrowed; -1, or where the system does not tell how
 * large that is: there is always room). Without `archive` that goes elsewhere.
 */
int room_new(int dirfd, bool archive, struct room **ret, struct err *err);

/* NULL is fine; returns NULL. */
void *room_free(struct room *room);

/* Whether what must stay free for the host is used already. */
bool room_is_used_up(const struct room *room);

/*
 * For the one thread that adds to the archive: whether `bytes` more find room, when all that was
 * added may still take `unwritten`. From then on they are promised, until the next call.
 */
bool room_promise(struct room *room, int64_t bytes, int64_t unwritten);

/*
 * For temporary files, by any thread, around each write; false (and then no end): there is no room.
 */
bool room_begin(struct room *room, size_t bytes);
void room_end(struct room *room, size_t bytes);
