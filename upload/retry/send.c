/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * The loop around a protocol's attempts. Only ERR_AGAIN is tried again. Bytes that the server has
 * for the first time are progress; a server that forgets them each time is backed off from.
 */
#include <errno.h>
#include <sys/random.h>
#include <time.h>

#include "common/io.h"
#include "upload/retry/retry.h"

#define SLICE_MS 50 /* of a wait, between looks at `cancelled` */

/* Without randomness of the system (a kernel that just booted) the clock must do: it only spreads
 * clients. */
static uint32_t random_number(void)
{
    uint32_t number;
    struct timespec now;
    if (getrandom(&number, sizeof number, GRND_NONBLOCK) == (ssize_t)sizeof number)
        return number;
    clock_gettime(CLOCK_REALTIME, &now);
    return (uint32_t)now.tv_nsec * 2654435761U ^ (uint32_t)getpid();
}

static bool is_cancelled(const struct retry_options *options)
{
    return options->cancelled && atomic_load(options->cancelled);
}

/* False when somebody asked to stop meanwhile. */
static bool wait_until(const struct retry_options *options, int64_t end_ms)
{
    for (int64_t left; !is_cancelled(options) && (left = end_ms - io_now_ms()) > 0;) {
        long slice = left < SLICE_MS ? (long)left : SLICE_MS;
        struct timespec pause = {.tv_nsec = slice * 1000000L};
        nanosleep(&pause, NULL); /* a signal ends it early, which is as well */
    }
    return !is_cancelled(options);
}

static int cancelled(struct err *err)
{
    err_clear(err);
    return err_set(err, ERR_CANCELLED, "stopped on request");
}

int retry_send(const struct retry_options *options, struct transfer *transfer, struct err *err)
{
    struct err ignored = ERR_INIT;
    int64_t begun = io_now_ms(), best = transfer->confirmed;
    unsigned failures = 0;
    err = err ? err : &ignored;
    for (;;) {
        if (is_cancelled(options))
            return cancelled(err);
        transfer->retry_after_s = -1;
        transfer->attempts++;
        int r = transfer->target->protocol->send(transfer, err);
        if (r != ERR_AGAIN)
            return r;
        failures = transfer->confirmed > best ? 1 : failures + 1;
        best = transfer->confirmed > best ? transfer->confirmed : best;
        int64_t wait = retry_wait_ms(options, failures, transfer->retry_after_s, random_number());
        int64_t now = io_now_ms();
        if (options->give_up_s <= 0 || now + wait - begun > options->give_up_s * 1000)
            return r;
        if (options->waiting)
            options->waiting(options->context, wait, err);
        if (!wait_until(options, now + wait))
            return cancelled(err);
        err_clear(err);
    }
}
