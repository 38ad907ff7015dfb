/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * XAPI's map has no "change if it still is": whoever wants the lock writes his name, waits as long
 * as all others do, and has it if his name still stands there.
 */
#include "healthcheck/run/upload_lock.h"

#include <poll.h>
#include <string.h>

#include "common/io.h"
#include "healthcheck/schedule/keys.h"

#define LOOK_MS 100

static int wait_for_rivals(int64_t confirm_s, const atomic_bool *cancelled, struct err *err)
{
    int64_t end = io_now_ms() + confirm_s * 1000;
    while (io_now_ms() < end) {
        if (atomic_load(cancelled))
            return err_set(err, ERR_CANCELLED, "interrupted");
        poll(NULL, 0, LOOK_MS);
    }
    return 0;
}

bool upload_lock_is_ours(const struct config *config, const char *uuid)
{
    char owner[SCHEDULE_OWNER_BYTES];
    int64_t s;
    return keys_read_lock(config_get(config, CONFIG_LOCK), owner, &s) && strcmp(owner, uuid) == 0;
}

int upload_lock_take(struct xapi *xapi, const char *uuid, int64_t now_s, int64_t confirm_s,
                     const atomic_bool *cancelled, struct err *err)
{
    char text[KEYS_LOCK_BYTES];
    struct config_change change = {CONFIG_LOCK, keys_write_lock(uuid, now_s, text)};
    CLEANUP(config_cleanup) struct config *config = NULL;
    int r = config_change(xapi, &change, 1, NULL, err);
    if (r == 0)
        r = wait_for_rivals(confirm_s, cancelled, err);
    if (r == 0)
        r = config_read(xapi, &config, err);
    if (r < 0)
        return r;
    const char *found = config_get(config, CONFIG_LOCK);
    if (!found || strcmp(found, text) != 0)
        return err_set(err, ERR_EXISTS, "another service has taken the pool's lock meanwhile");
    return 0;
}
