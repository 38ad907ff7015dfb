/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * Follows one child: its two pipes, the keeper's word, the clock and the cancel flag, in one poll
 * loop.
 *
 * The end of the pipes means nothing (a child may close them and live on, a stuck one may hold them
 * for ever); only the keeper's last report ends the loop, or, after the time limit, half a second
 * at the most. What the child itself did stands with the first report, however long what it left
 * behind is hunted.
 */
#include "collector/process/child.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/socket.h>

#include "collector/process/request.h"
#include "common/io.h"

#define CANCEL_POLL_MS 50  /* how often the cancel flag is looked at */
#define STOP_WAIT_MS   450 /* the keeper's grace and kill take about 320 ms; the contract is 500 */
#define MAX_POLL_MS    60000
#define CHUNK_BYTES    (32 * 1024)

struct child {
    const struct child_spec *spec;
    child_output hand_on;
    void *context;
    struct err *err;
    int control, output, errors; /* our ends; -1 when closed */
    int64_t deadline;
    bool ended;    /* by itself; `end` says how */
    bool stopping; /* the keeper has been told; `reason` says why */
    enum child_outcome reason;
    int failure; /* what the callback failed with */
    struct child_end end;
    size_t errors_length;
};

/* Ends that go to the keeper; they are closed here as soon as the request is sent. */
struct keeper_ends {
    int fds[REQUEST_FDS];
};

static void keeper_ends_close(struct keeper_ends *ends)
{
    for (int i = 0; i < REQUEST_FDS; i++)
        io_close(&ends->fds[i]);
}

static void child_close(struct child *child)
{
    io_close(&child->control);
    io_close(&child->output);
    io_close(&child->errors);
}

/*
 * A descriptor to read `text` (NULL: nothing) from, without anybody having to write to a pipe
 * meanwhile. -1 and errno.
 */
static int open_input(const char *text)
{
    int null = text ? -1 : open("/dev/null", O_RDONLY | O_CLOEXEC);
    if (null >= 0)
        return null;
    text = text ? text : ""; /* no /dev: a rescue system, or one that broke early */
    CLEANUP_FD int fd = memfd_create("input", MFD_CLOEXEC);
    if (fd < 0)
        return -1;
    int r = io_write_all(fd, text, strlen(text));
    if (r < 0 || lseek(fd, 0, SEEK_SET) < 0) {
        errno = r < 0 ? -r : errno;
        return -1;
    }
    int result = fd;
    fd = -1;
    return result;
}

static int open_ends(struct child *child, struct keeper_ends *ends)
{
    int pair[2];
    ends->fds[REQUEST_INPUT] = open_input(child->spec->input);
    if (ends->fds[REQUEST_INPUT] < 0 ||
        socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0)
        return -errno;
    child->control = pair[0];
    ends->fds[REQUEST_CONTROL] = pair[1];
    if (pipe2(pair, O_CLOEXEC) < 0)
        return -errno;
    child->output = pair[0];
    ends->fds[REQUEST_OUTPUT] = pair[1];
    if (pipe2(pair, O_CLOEXEC) < 0)
        return -errno;
    child->errors = pair[0];
    ends->fds[REQUEST_ERRORS] = pair[1];
    /* Only our ends: programs do not expect a non-blocking standard output. */
    if (fcntl(child->output, F_SETFL, O_NONBLOCK) < 0 ||
        fcntl(child->errors, F_SETFL, O_NONBLOCK) < 0)
        return -errno;
    return 0;
}

static int start(struct child *child, int helper_socket)
{
    CLEANUP(keeper_ends_close) struct keeper_ends ends = {{-1, -1, -1, -1}};
    int r = open_ends(child, &ends);
    if (r < 0)
        return err_set_errno(child->err, -r, "cannot make the pipes for '%s'",
                             child->spec->argv[0]);
    return request_send(helper_socket, child->spec->is_function, child->spec->argv, ends.fds,
                        child->err);
}

static void stop(struct child *child, enum child_outcome reason)
{
    if (child->stopping)
        return;
    child->stopping = true;
    child->reason = reason;
    child->deadline = io_now_ms() + STOP_WAIT_MS;
    io_close(&child->output); /* whoever still writes learns it at once */
    shutdown(child->control, SHUT_WR);
}

/* Hands on what one read gives. False when there is nothing more for now, or for ever. */
static bool take_output(struct child *child)
{
    char bytes[CHUNK_BYTES];
    ssize_t length = read(child->output, bytes, sizeof bytes);
    if (length < 0 && (errno == EAGAIN || errno == EINTR))
        return false;
    if (length <= 0) {
        io_close(&child->output);
        return false;
    }
    int r = child->hand_on(child->context, bytes, (size_t)length, child->err);
    if (r < 0)
        child->failure = r;
    if (r != 0)
        stop(child, CHILD_CUT);
    return r == 0;
}

/* Keeps the beginning; the rest is read too, so that the child never blocks on it. */
static bool take_errors(struct child *child)
{
    char bytes[4096];
    ssize_t length = read(child->errors, bytes, sizeof bytes);
    if (length < 0 && (errno == EAGAIN || errno == EINTR))
        return false;
    if (length <= 0) {
        io_close(&child->errors);
        return false;
    }
    size_t room = sizeof child->end.errors - 1 - child->errors_length;
    size_t kept = (size_t)length < room ? (size_t)length : room;
    memcpy(child->end.errors + child->errors_length, bytes, kept);
    child->errors_length += kept;
    return true;
}

/* True when the keeper has spoken its last word, or will not any more. */
static bool take_report(struct child *child)
{
    struct report report;
    int r;
    while ((r = report_receive(child->control, &report)) > 0) {
        child->end.outcome = (enum child_outcome)report.outcome;
        if (report.outcome == CHILD_NOT_STARTED)
            child->end.sysno = report.value;
        else
            child->end.status = report.value;
        if (report.last)
            return true;
        if (!child->ended && !child->stopping)
            child->deadline += STOP_WAIT_MS;
        child->ended = true;
    }
    if (r < 0 && !child->stopping && !child->ended)
        child->failure = err_set(child->err, ERR_IO,
                                 "the process that kept '%s' was killed (out of memory?)",
                                 child->spec->argv[0]);
    return r < 0;
}

static bool is_cancelled(const struct child_spec *spec)
{
    return spec->cancelled && atomic_load_explicit(spec->cancelled, memory_order_relaxed);
}

static int poll_timeout(const struct child *child, int64_t now)
{
    int64_t timeout = child->deadline - now;
    if (timeout > MAX_POLL_MS)
        timeout = MAX_POLL_MS;
    if (!child->stopping && child->spec->cancelled && timeout > CANCEL_POLL_MS)
        timeout = CANCEL_POLL_MS;
    return timeout < 0 ? 0 : (int)timeout;
}

static void follow(struct child *child)
{
    for (;;) {
        int64_t now = io_now_ms();
        if (now >= child->deadline) {
            bool over = child->stopping || child->ended;
            /* It may have come while we waited for the processor. */
            if (take_report(child) || over)
                return;
            if (!child->ended)
                stop(child, CHILD_TIMEOUT);
        } else if (!child->stopping && is_cancelled(child->spec)) {
            stop(child, CHILD_CANCELLED);
        }
        struct pollfd events[] = {
            {.fd = child->control, .events = POLLIN},
            {.fd = child->output, .events = POLLIN},
            {.fd = child->errors, .events = POLLIN},
        };
        if (poll(events, ARRAY_SIZE(events), poll_timeout(child, now)) < 0)
            continue;
        if (events[1].revents)
            take_output(child);
        if (events[2].revents)
            take_errors(child);
        if (events[0].revents && take_report(child))
            return;
    }
}

/*
 * What the family left in the pipes. Some of it may live and write on, so of the output only what is
 * there now is read, and of the errors no more than is kept.
 */
static void drain(struct child *child)
{
    int left = 0;
    if (child->output >= 0)
        ioctl(child->output, FIONREAD, &left);
    while (child->errors >= 0 && child->errors_length < sizeof child->end.errors - 1 &&
           take_errors(child))
        ;
    for (; child->output >= 0 && left > 0 && child->failure == 0; left -= CHUNK_BYTES)
        if (!take_output(child))
            break;
}

int child_follow(int helper_socket, const struct child_spec *spec, child_output output,
                 void *context, struct child_end *ret, struct err *err)
{
    const int64_t started = io_now_ms();
    CLEANUP(child_close)
    struct child child = {
        .spec = spec,
        .hand_on = output,
        .context = context,
        .err = err,
        .control = -1,
        .output = -1,
        .errors = -1,
        .deadline = started + (spec->time_limit_ms > 0 ? spec->time_limit_ms : 0),
    };
    int r = start(&child, helper_socket);
    if (r < 0)
        return r;
    follow(&child);
    drain(&child);
    if (child.failure < 0)
        return child.failure;
    if (child.stopping && child.end.outcome != CHILD_STUCK) {
        child.end.outcome = child.reason;
        child.end.status = 0;
    }
    child.end.duration_ms = io_now_ms() - started;
    *ret = child.end;
    return 0;
}
