/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * The program's side of the helper: starting it, ending it. What happens for one child is in
 * child.c (here), keeper.c (there) and launch.c (in the child).
 */
#include "collector/process/spawner.h"

#include <errno.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include "collector/process/child.h"
#include "collector/process/helper.h"
#include "common/io.h"

/* The helper needs 2.4 s at the worst (family_end); after that it is not waited for. */
#define STOP_MS       4000
#define STOP_ROUND_MS 5

struct spawner {
    int socket;
    pid_t helper;
};

static void free_environment(char **environment)
{
    for (char **p = environment; p && *p; p++)
        free(*p);
    free(environment);
}

int spawner_start(const struct spawner_function *functions, void *context, struct spawner **ret,
                  struct err *err)
{
    int ends[2];
    CLEANUP_FREE struct spawner *spawner = calloc(1, sizeof *spawner);
    const struct launch launch = {functions, context, launch_environment()};
    if (!spawner || !launch.environment) {
        free_environment(launch.environment);
        return err_nomem(err);
    }
    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) < 0) {
        int sysno = errno;
        free_environment(launch.environment);
        return err_set_errno(err, sysno, "cannot prepare for running commands");
    }
    /*
     * Text that waits in our buffers must not be written a second time by a function in a copy of
     * us.
     */
    fflush(NULL);
    spawner->helper = fork();
    if (spawner->helper == 0) {
        close(ends[0]);
        helper_run(ends[1], &launch);
    }
    int sysno = spawner->helper < 0 ? errno : 0;
    free_environment(launch.environment);
    close(ends[1]);
    spawner->socket = ends[0];
    if (sysno != 0) {
        close(ends[0]);
        return err_set_errno(err, sysno, "cannot start the process that runs commands");
    }
    *ret = TAKE(spawner);
    return 0;
}

void *spawner_stop(struct spawner *spawner)
{
    if (!spawner)
        return NULL;
    close(spawner->socket);
    const int64_t give_up = io_now_ms() + STOP_MS;
    while (waitpid(spawner->helper, NULL, WNOHANG) == 0) {
        if (io_now_ms() >= give_up) {
            kill(spawner->helper, SIGKILL);
            break;
        }
        const struct timespec round = {0, STOP_ROUND_MS * 1000000L};
        nanosleep(&round, NULL);
    }
    free(spawner);
    return NULL;
}

int child_run(struct spawner *spawner, const struct child_spec *spec, child_output output,
              void *context, struct child_end *ret, struct err *err)
{
    return child_follow(spawner->socket, spec, output, context, ret, err);
}
