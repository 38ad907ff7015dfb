/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * The last steps before a child is what it was asked to be: session, priority, limits, environment,
 * descriptors.
 */
#pragma once

#include "collector/process/request.h"
#include "collector/process/spawner.h"

/* The same for all children of a spawner. */
struct launch {
    const struct spawner_function *functions;
    void *context;
    char **environment; /* NULL-ended */
};

/*
 * PATH: the directories the original tool searches, then the caller's others (absolute ones only: a
 * relative element would let the current directory choose what root runs). LC_ALL=C, because output
 * is read by programs. HOME: root's when we are root, whatever the caller's says. NULL when memory
 * is out.
 */
char **launch_environment(void);

/*
 * Called in the child. Becomes the program, or runs the function and exits with its status. When
 * that fails the errno is written to `status_fd`, which is closed by success.
 */
_Noreturn void launch_child(const struct launch *launch, struct request *request, int status_fd);
