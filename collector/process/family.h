/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * Everything that descends from this process, however it tried to get away.
 *
 * A subreaper (PR_SET_CHILD_SUBREAPER) inherits the orphans among its descendants, so that neither
 * setsid() nor a double fork leads out of the family.
 */
#pragma once

#include <stdbool.h>

/* Reaps what has died. False when there are no children left. */
bool family_reap(void);

/* Waits until a child dies, at most so long. SIGCHLD must be blocked. */
void family_wait(int milliseconds);

enum family_state {
    FAMILY_GONE,
    FAMILY_ASLEEP, /* who is left cannot be killed: they sleep uninterruptibly, none of them moves */
    FAMILY_RUNS    /* not all of it could be caught yet: call again */
};

/*
 * Ends all descendants: TERM, a grace of 200 ms, then KILL until none is left. The caller must be a
 * subreaper with SIGCHLD blocked. Who cannot be killed is given up about 300 ms after the call at
 * the earliest; after 2.2 s it returns in any case.
 */
enum family_state family_end(void);
