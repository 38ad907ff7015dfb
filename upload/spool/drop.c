/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * Giving up what waits: a host that is not enrolled any more sends nothing, also not what it had
 * put aside. A worker that is sending one of these jobs learns of it when it comes back.
 */
#include "upload/spool/spool_private.h"

int spool_drop(struct spool *spool, unsigned *ret, struct err *err)
{
    struct spool_list list = {0};
    unsigned dropped = 0;
    int r = spool_lock(spool, err);
    if (r < 0)
        return r;
    CLEANUP(spool_unlock) struct spool *locked = spool;
    r = store_scan(spool, &list, err);
    for (size_t i = 0; r == 0 && i < list.count; i++) {
        const struct job *job = &list.jobs[i];
        if (job->state == JOB_DONE || job->state == JOB_FAILED)
            continue; /* records of what was; a denied one could wait again */
        r = store_forget(spool, job, err);
        dropped += r == 0;
    }
    spool_list_release(&list);
    if (r == 0)
        *ret = dropped;
    return r;
}
