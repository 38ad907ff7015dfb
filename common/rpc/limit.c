/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * A deadline is absolute: a peer that sends one byte a second does not get a new one with each.
 */
#include "common/rpc/limit.h"

#include <errno.h>
#include <poll.h>

#include "common/io.h"

#define LOOK_AGAIN_MS 200 /* for a cancelled run */

static bool is_cancelled(const struct limit *limit)
{
    struct limit_grace *grace = limit->grace;
    if (!limit->cancelled || !atomic_load(limit->cancelled))
        return false;
    if (!grace)
        return true;
    int64_t now_ms = io_now_ms();
    if (grace->end_ms == 0)
        grace->end_ms = now_ms + grace->milliseconds;
    return now_ms >= grace->end_ms;
}

int limit_check(const struct limit *limit, const char *peer, struct err *err)
{
    if (is_cancelled(limit))
        return err_set(err, ERR_CANCELLED, "interrupted");
    return io_now_ms() < limit->deadline_ms
               ? 0
               : err_set(err, ERR_TIMEOUT, "the time for %s was up", peer);
}

int limit_wait(const struct limit *limit, int fd, short events, const char *peer, struct err *err)
{
    for (;;) {
        int r = limit_check(limit, peer, err);
        if (r < 0)
            return r;
        int64_t left = limit->deadline_ms - io_now_ms();
        struct pollfd poll_fd = {.fd = fd, .events = events};
        int slice = left < 0 ? 0 : left < LOOK_AGAIN_MS ? (int)left : LOOK_AGAIN_MS;
        int ready = poll(&poll_fd, 1, slice);
        if (ready > 0)
            return 0;
        if (ready < 0 && errno != EINTR)
            return err_set_errno(err, errno, "cannot wait for %s", peer);
    }
}

struct limit limit_within(const struct limit *limit, int64_t milliseconds)
{
    struct limit shorter = *limit;
    int64_t deadline = io_now_ms() + milliseconds;
    if (deadline < shorter.deadline_ms)
        shorter.deadline_ms = deadline;
    return shorter;
}
