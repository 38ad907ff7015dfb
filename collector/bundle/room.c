/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * No lock: a writer first says what it is about to write, then looks; the archive first raises its
 * promise, then looks. So of two that want the last room one at least sees the other. The disk is
 * looked at last: what is written in between counts twice, which is safe, and never not at all.
 */
#include "collector/bundle/room.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <sys/statvfs.h>

#define RESERVED_SHARE 20 /* one twentieth of the disk stays free, or half of what is free now */

struct room {
    int dirfd;
    bool archive;
    int64_t reserve;
    atomic_int_least64_t promised; /* bytes, to the archive */
    atomic_int_least64_t begun;    /* bytes of writes that are under way */
};

/* False when nobody knows: ramfs, and tmpfs without a limit, have a size of 0. */
static bool measure(int dirfd, struct statvfs *ret)
{
    return dirfd >= 0 && fstatvfs(dirfd, ret) == 0 && ret->f_blocks > 0;
}

/* What is left for everybody; negative when it is too much already. */
static int64_t left(const struct room *room)
{
    int64_t promised = atomic_load(&room->promised), begun = atomic_load(&room->begun);
    struct statvfs space;
    if (!measure(room->dirfd, &space))
        return INT64_MAX / 2;
    return (int64_t)space.f_bavail * (int64_t)space.f_frsize - promised - begun - room->reserve;
}

int room_new(int dirfd, bool archive, struct room **ret, struct err *err)
{
    struct room *room = calloc(1, sizeof *room);
    struct statvfs space;
    if (!room)
        return err_nomem(err);
    room->dirfd = dirfd;
    room->archive = archive;
    if (measure(dirfd, &space)) {
        int64_t unit = (int64_t)space.f_frsize;
        int64_t share = (int64_t)space.f_blocks * unit / RESERVED_SHARE;
        int64_t half = (int64_t)space.f_bavail * unit / 2;
        room->reserve = share < half ? share : half;
    }
    *ret = room;
    return 0;
}

void *room_free(struct room *room)
{
    free(room);
    return NULL;
}

bool room_is_used_up(const struct room *room)
{
    return room->archive && left(room) + atomic_load(&room->promised) < 0;
}

bool room_promise(struct room *room, int64_t bytes, int64_t unwritten)
{
    if (!room->archive)
        return true;
    atomic_store(&room->promised, unwritten + bytes);
    bool fits = left(room) >= 0;
    if (!fits)
        atomic_store(&room->promised, unwritten);
    return fits;
}

bool room_begin(struct room *room, size_t bytes)
{
    atomic_fetch_add(&room->begun, (int64_t)bytes);
    bool fits = left(room) >= 0;
    if (!fits)
        room_end(room, bytes);
    return fits;
}

void room_end(struct room *room, size_t bytes)
{
    atomic_fetch_sub(&room->begun, (int64_t)bytes);
}
