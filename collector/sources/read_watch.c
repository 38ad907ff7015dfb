/* SPDX-License-Identifier: LGPL-2.1-only */
#include "collector/sources/read_watch.h"

#include <stddef.h>

#include "common/io.h"

void read_watch_begin(struct read_watch *watch)
{
    if (watch)
        atomic_store(&watch->until_ms, io_now_ms() + watch->patience_ms);
}

void read_watch_end(struct read_watch *watch)
{
    if (watch)
        atomic_store(&watch->until_ms, 0);
}

bool read_watch_is_given_up(const struct read_watch *watch)
{
    return watch && atomic_load(&watch->given_up);
}

bool read_watch_hangs(const struct read_watch *watch, int64_t now_ms)
{
    int64_t until_ms = atomic_load(&watch->until_ms);
    return until_ms != 0 && now_ms > until_ms;
}

const struct mount *read_watch_give_up(struct read_watch *watch)
{
    atomic_store(&watch->given_up, true);
    return atomic_load(&watch->until_ms) != 0 ? atomic_load(&watch->mount) : NULL;
}
