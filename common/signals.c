/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * Python's programs leave an ignored SIGINT alone, too, so scripts may count on it.
 */
#include "common/signals.h"

#include <signal.h>

#include "common/compiler.h"

void signals_catch_ends(void (*handler)(int number), int flags)
{
    static const int ends[] = {SIGINT, SIGTERM, SIGHUP};
    struct sigaction action = {.sa_handler = handler, .sa_flags = flags}, before;
    signal(SIGPIPE, SIG_IGN);
    for (size_t i = 0; i < ARRAY_SIZE(ends); i++)
        if (sigaction(ends[i], NULL, &before) == 0 && before.sa_handler != SIG_IGN)
            sigaction(ends[i], &action, NULL);
}
