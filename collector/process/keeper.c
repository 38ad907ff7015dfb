/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * The keeper waits on three things: SIGCHLD, its control socket (an end of file means "stop" as
 * well as "the client is dead"), and a pipe that tells whether exec worked. It never touches the
 * child's files and never waits for a particular process, so nothing a child does can hold it up.
 */
#include "collector/process/keeper.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/wait.h>

#include "collector/process/family.h"
#include "common/io.h"

struct keeper {
    int control, signals, exec_status;
    pid_t child;
    bool child_ended, stop;
    int wait_status;
    int exec_errno; /* why the child could not become what it should, or 0 */
};

static void reap(struct keeper *keeper)
{
    struct signalfd_siginfo drained;
    while (read(keeper->signals, &drained, sizeof drained) > 0)
        ;
    int status;
    for (pid_t pid; (pid = waitpid(-1, &status, WNOHANG)) > 0;)
        if (pid == keeper->child) {
            keeper->child_ended = true;
            keeper->wait_status = status;
        }
}

static void read_exec_status(struct keeper *keeper)
{
    int sysno;
    ssize_t length = read(keeper->exec_status, &sysno, sizeof sysno);
    if (length == (ssize_t)sizeof sysno)
        keeper->exec_errno = sysno;
    if (length >= 0 || errno != EAGAIN)
        io_close(&keeper->exec_status);
}

static void wait_for_end(struct keeper *keeper)
{
    while (!keeper->child_ended && !keeper->stop) {
        struct pollfd events[] = {
            {.fd = keeper->signals, .events = POLLIN},
            {.fd = keeper->control, .events = POLLIN},
            {.fd = keeper->exec_status, .events = POLLIN},
        };
        if (poll(events, ARRAY_SIZE(events), -1) < 0 && errno != EINTR)
            return;
        if (events[0].revents)
            reap(keeper);
        if (events[1].revents)
            keeper->stop = true;
        if (events[2].revents)
            read_exec_status(keeper);
    }
    if (keeper->exec_status >= 0)
        read_exec_status(keeper);
}

/* What the child itself did. */
static struct report summary(const struct keeper *keeper)
{
    if (keeper->exec_errno)
        return (struct report){false, CHILD_NOT_STARTED, keeper->exec_errno};
    if (!keeper->child_ended)
        return (struct report){false, CHILD_CANCELLED, 0};
    if (WIFSIGNALED(keeper->wait_status))
        return (struct report){false, CHILD_SIGNALED, WTERMSIG(keeper->wait_status)};
    return (struct report){false, CHILD_EXITED, WEXITSTATUS(keeper->wait_status)};
}

/*
 * Ends whatever is left of the family. Who flees faster than we can look is hunted on when the
 * client has its answer, until it is caught or the helper ends.
 */
static void end_family(const struct keeper *keeper)
{
    enum family_state state = family_end();
    struct report last = summary(keeper);
    if (state == FAMILY_ASLEEP)
        last = (struct report){true, CHILD_STUCK, 0};
    last.last = true;
    report_send(keeper->control, last);
    while (state == FAMILY_RUNS)
        state = family_end();
}

/* The keeper's own ends, and the child. Returns 0 or an errno. */
static int start(struct keeper *keeper, const struct launch *launch, struct request *request)
{
    sigset_t child_signal;
    sigemptyset(&child_signal);
    sigaddset(&child_signal, SIGCHLD);
    keeper->signals = signalfd(-1, &child_signal, SFD_CLOEXEC | SFD_NONBLOCK);
    int status[2];
    if (keeper->signals < 0 || pipe2(status, O_CLOEXEC | O_NONBLOCK) < 0)
        return errno;
    keeper->exec_status = status[0];
    keeper->child = fork();
    if (keeper->child == 0)
        launch_child(launch, request, status[1]);
    int sysno = keeper->child < 0 ? errno : 0;
    close(status[1]);
    return sysno;
}

_Noreturn void keeper_run(const struct launch *launch, struct request *request)
{
    prctl(PR_SET_CHILD_SUBREAPER, 1);
    prctl(PR_SET_NAME, "keeper");
    struct keeper keeper = {
        .control = request->fds[REQUEST_CONTROL], .signals = -1, .exec_status = -1};
    int sysno = start(&keeper, launch, request);
    if (sysno != 0) {
        report_send(keeper.control, (struct report){true, CHILD_NOT_STARTED, sysno});
        _exit(1);
    }
    /* From here on the pipes belong to the family alone: their end of file is its end. */
    io_close(&request->fds[REQUEST_INPUT]);
    io_close(&request->fds[REQUEST_OUTPUT]);
    io_close(&request->fds[REQUEST_ERRORS]);
    wait_for_end(&keeper);
    if (keeper.child_ended)
        report_send(keeper.control, summary(&keeper));
    end_family(&keeper);
    _exit(0);
}
