/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * Room for one more job. First it is decided what would have to go, then it goes: a job that does
 * not fit in the end must not have cost anything.
 */
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "common/units.h"
#include "upload/spool/spool_private.h"

static void add_size(void *context, int folder, const char *name)
{
    int64_t *total = context;
    struct stat info;
    if (fstatat(folder, name, &info, AT_SYMLINK_NOFOLLOW) == 0)
        *total += info.st_size;
}

struct room {
    int64_t jobs, bytes; /* what there would be, with the new one */
    const struct spool_limits *limits;
    bool *goes; /* a flag a job of the list */
};

static bool is_enough(const struct room *room)
{
    return room->jobs <= room->limits->max_jobs && room->bytes <= room->limits->max_bytes;
}

/* Lets jobs in this state go, the oldest first, while it helps. */
static void let_go(struct room *room, const struct spool_list *list, enum job_state state)
{
    for (size_t i = 0; i < list->count && !is_enough(room); i++) {
        const struct job *job = &list->jobs[i];
        bool helps = room->jobs > room->limits->max_jobs || state != JOB_DONE;
        if (job->state != state || room->goes[i] || !helps)
            continue;
        room->goes[i] = true;
        room->jobs--;
        room->bytes -= state == JOB_DONE ? 0 : job->bytes;
    }
}

static int refuse(const struct spool *spool, const struct room *room, int64_t bytes,
                  struct err *err)
{
    char size[16], limit[16];
    units_format_bytes(bytes, size, sizeof size);
    units_format_bytes(spool->limits.max_bytes, limit, sizeof limit);
    if (bytes > spool->limits.max_bytes)
        return err_set(err, ERR_LIMIT,
                       "the file has %s, and the spool '%s' takes %s in all: --max-bytes", size,
                       spool->folder, limit);
    if (room->jobs > spool->limits.max_jobs)
        return err_set(err, ERR_LIMIT,
                       "the spool '%s' is full: %lld jobs wait already; send them "
                       "(xen-upload --queue), or raise --max-jobs",
                       spool->folder, (long long)spool->limits.max_jobs);
    return err_set(err, ERR_LIMIT,
                   "the spool '%s' is full: %s more would be above its %s; send what waits "
                   "(xen-upload --queue), or raise --max-bytes",
                   spool->folder, size, limit);
}

static int make_room(struct spool *spool, const struct spool_list *list, struct room *room,
                     int64_t bytes, struct err *err)
{
    let_go(room, list, JOB_DONE);
    let_go(room, list, JOB_FAILED);
    if (spool->limits.drop_oldest) {
        let_go(room, list, JOB_DENIED);
        let_go(room, list, JOB_WAITING);
    }
    if (!is_enough(room))
        return refuse(spool, room, bytes, err);
    int r = 0;
    for (size_t i = 0; r == 0 && i < list->count; i++)
        if (room->goes[i]) {
            enum job_state state = list->jobs[i].state;
            spool->dropped += state == JOB_WAITING || state == JOB_DENIED;
            r = store_forget(spool, &list->jobs[i], err);
        }
    return r;
}

int spool_make_room(struct spool *spool, int64_t bytes, struct err *err)
{
    struct spool_list list = {0};
    struct room room = {.bytes = bytes, .limits = &spool->limits};
    int r = store_each(spool->data, false, add_size, &room.bytes, err);
    if (r == 0)
        r = store_each(spool->damaged, false, add_size, &room.bytes, err);
    if (r == 0)
        r = store_scan(spool, &list, err);
    if (r < 0)
        return r;
    room.jobs = (int64_t)list.count + 1;
    room.goes = calloc(list.count + 1, sizeof *room.goes);
    r = room.goes ? make_room(spool, &list, &room, bytes, err) : err_nomem(err);
    free(room.goes);
    spool_list_release(&list);
    return r;
}
