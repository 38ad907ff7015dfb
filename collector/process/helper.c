/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * The helper leaves the terminal's session, holds on to none of the program's files, and is a
 * subreaper itself: what a killed keeper leaves behind falls to it and is ended at the latest when
 * it ends.
 */
#include "collector/process/helper.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>

#include "collector/process/descriptors.h"
#include "collector/process/family.h"
#include "collector/process/keeper.h"

/* Signals are blocked, not ignored: ignored ones would be inherited by programs. */
static void detach(void)
{
    setsid();
    prctl(PR_SET_CHILD_SUBREAPER, 1);
    prctl(PR_SET_NAME, "bugtool-helper");
    signal(SIGCHLD, SIG_DFL);
    sigset_t all;
    sigfillset(&all);
    sigprocmask(SIG_SETMASK, &all, NULL);
}

static void serve(int socket, const struct launch *launch, struct request *request)
{
    pid_t keeper = fork();
    if (keeper == 0) {
        close(socket);
        keeper_run(launch, request);
    }
    if (keeper < 0)
        report_send(request->fds[REQUEST_CONTROL], (struct report){true, CHILD_NOT_STARTED, errno});
    request_close_fds(request);
}

_Noreturn void helper_run(int socket, const struct launch *launch)
{
    detach();
    /* Away from 0-2, where it may be when the program was started with those closed. */
    socket = fcntl(socket, F_DUPFD_CLOEXEC, 3);
    descriptors_null_stdio();
    descriptors_keep_directories(3, socket);
    static struct request request;
    while (request_receive(socket, &request) > 0) {
        family_reap();
        serve(socket, launch, &request);
    }
    family_end();
    _exit(0);
}
