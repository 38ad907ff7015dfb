/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * The group is killed before its leader is reaped: until then its number belongs to nobody else.
 */
#include "healthcheck/child/child.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>

#include "common/escape.h"
#include "common/io.h"

#define LOOK_AGAIN_MS 100   /* at the child, and for a cancelled run */
#define GRACE_MS      10000 /* between TERM and KILL: xen-bugtool closes its archive */
#define DRAIN_MS      1000  /* for output that is still in the pipes when the child has ended */
#define EXEC_FAILED   127
#define MAX_SHOWN     300 /* bytes of a program's last line that a person is shown */

struct output {
    int fd; /* of our end, -1 when it is at its end */
    struct strbuf *buffer;
};

static void move_to(int fd, int standard)
{
    if (dup2(fd, standard) < 0)
        _exit(EXEC_FAILED);
}

/* Between fork and exec; tells errno through `report`. */
static void become(const struct child_spec *spec, pid_t parent, int out, int errors, int report)
{
    sigset_t none;
    int null = open("/dev/null", O_RDWR | O_CLOEXEC);
    setpgid(0, 0);
    prctl(PR_SET_PDEATHSIG, SIGTERM);
    if (getppid() != parent) /* it was killed before it could be noticed */
        _exit(EXEC_FAILED);
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    signal(SIGPIPE, SIG_DFL);
    move_to(null, STDIN_FILENO);
    move_to(out >= 0 ? out : null, STDOUT_FILENO);
    if (!spec->pass_errors)
        move_to(errors >= 0 ? errors : null, STDERR_FILENO);
    execv(spec->argv[0], (char *const *)(uintptr_t)spec->argv);
    int failure = errno;
    if (write(report, &failure, sizeof failure) < 0)
        _exit(EXEC_FAILED);
    _exit(EXEC_FAILED);
}

static int start(const struct child_spec *spec, int out, int errors, pid_t *ret, struct err *err)
{
    int report[2], failure = 0;
    if (pipe2(report, O_CLOEXEC) < 0)
        return err_set_errno(err, errno, "cannot make a pipe");
    pid_t parent = getpid(), pid = fork();
    if (pid == 0)
        become(spec, parent, out, errors, report[1]);
    int forked = pid < 0 ? errno : 0;
    close(report[1]);
    ssize_t n;
    do
        n = forked ? 0 : read(report[0], &failure, sizeof failure); /* 0: exec closed it */
    while (n < 0 && errno == EINTR);
    close(report[0]);
    if (forked)
        return err_set_errno(err, forked, "cannot start '%s'", spec->argv[0]);
    if (n > 0) {
        waitpid(pid, NULL, 0);
        return err_set_errno(err, failure, "cannot run '%s'", spec->argv[0]);
    }
    *ret = pid;
    return 0;
}

static void take(struct output *output)
{
    char chunk[16384];
    ssize_t n = read(output->fd, chunk, sizeof chunk);
    if (n < 0 && (errno == EINTR || errno == EAGAIN))
        return;
    if (n <= 0) {
        io_close(&output->fd);
        return;
    }
    size_t room = output->buffer->maximum - output->buffer->length;
    strbuf_add(output->buffer, chunk, (size_t)n < room ? (size_t)n : room);
}

/* Takes what comes within `milliseconds`. */
static void listen_for(struct output outputs[2], int milliseconds)
{
    struct pollfd fds[2] = {{.fd = outputs[0].fd, .events = POLLIN},
                            {.fd = outputs[1].fd, .events = POLLIN}};
    if (poll(fds, 2, milliseconds) > 0)
        for (int i = 0; i < 2; i++)
            if (fds[i].revents)
                take(&outputs[i]);
}

static bool is_open(const struct output outputs[2])
{
    return outputs[0].fd >= 0 || outputs[1].fd >= 0;
}

static bool has_ended(pid_t pid)
{
    siginfo_t info = {.si_pid = 0};
    return waitid(P_PID, (id_t)pid, &info, WEXITED | WNOHANG | WNOWAIT) < 0 || info.si_pid == pid;
}

static void watch(const struct child_spec *spec, pid_t pid, struct output outputs[2],
                  struct child_end *end)
{
    int64_t deadline = io_now_ms() + spec->time_limit_ms;
    bool asked = false; /* to end */
    int nap = 1;        /* of one that says nothing: most end at once, some take an hour */
    while (!has_ended(pid)) {
        listen_for(outputs, is_open(outputs) ? LOOK_AGAIN_MS : nap);
        nap = is_open(outputs) ? 1 : nap < LOOK_AGAIN_MS / 2 ? 2 * nap : LOOK_AGAIN_MS;
        bool cancelled = spec->cancelled && atomic_load(spec->cancelled);
        bool is_late = io_now_ms() >= deadline;
        if (!asked && (cancelled || is_late)) {
            end->outcome = cancelled ? CHILD_CANCELLED : CHILD_TIMEOUT;
            kill(-pid, SIGTERM);
            asked = true;
            deadline = io_now_ms() + GRACE_MS;
        } else if (asked && is_late) {
            kill(-pid, SIGKILL);
        }
    }
    int64_t last = io_now_ms() + DRAIN_MS;
    while (io_now_ms() < last && is_open(outputs))
        listen_for(outputs, LOOK_AGAIN_MS);
    kill(-pid, SIGKILL);
}

static int open_pipe(struct strbuf *buffer, struct output *output, int *ret_end, struct err *err)
{
    int ends[2];
    output->fd = *ret_end = -1;
    output->buffer = buffer;
    if (!buffer)
        return 0;
    if (pipe2(ends, O_CLOEXEC) < 0)
        return err_set_errno(err, errno, "cannot make a pipe");
    fcntl(ends[0], F_SETFL, O_NONBLOCK);
    output->fd = ends[0];
    *ret_end = ends[1];
    return 0;
}

int child_run(const struct child_spec *spec, struct child_end *ret, struct err *err)
{
    struct output outputs[2] = {{.fd = -1}, {.fd = -1}};
    struct child_end end = {.outcome = CHILD_EXITED};
    int out = -1, errors = -1, status = 0;
    pid_t pid = -1;
    int r = open_pipe(spec->out, &outputs[0], &out, err);
    if (r == 0)
        r = open_pipe(spec->pass_errors ? NULL : spec->errors, &outputs[1], &errors, err);
    if (r == 0)
        r = start(spec, out, errors, &pid, err);
    io_close(&out);
    io_close(&errors);
    if (r == 0) {
        watch(spec, pid, outputs, &end);
        waitpid(pid, &status, 0);
        end.status = WIFSIGNALED(status) ? WTERMSIG(status) : WEXITSTATUS(status);
        if (end.outcome == CHILD_EXITED && WIFSIGNALED(status))
            end.outcome = CHILD_SIGNALLED;
        *ret = end;
    }
    io_close(&outputs[0].fd);
    io_close(&outputs[1].fd);
    return r;
}

static bool find_in(const char *folder, const char *program, char *ret, size_t size)
{
    int n = snprintf(ret, size, "%s/%s", folder, program);
    return n > 0 && (size_t)n < size && access(ret, X_OK) == 0;
}

int child_find(const char *program, char *ret, size_t size, struct err *err)
{
    char own[PATH_MAX] = "", other[PATH_MAX + 8], path[PATH_MAX + NAME_MAX];
    ssize_t length = readlink("/proc/self/exe", own, sizeof own - 1);
    char *slash = length > 0 ? memrchr(own, '/', (size_t)length) : own;
    *slash = '\0';
    snprintf(other, sizeof other, "%s/../bin", own); /* an installation that was moved as a whole */
    bool found = (own[0] && (find_in(own, program, path, sizeof path) ||
                             find_in(other, program, path, sizeof path))) ||
                 find_in(PROGRAM_FOLDER, program, path, sizeof path) ||
                 find_in(OTHER_PROGRAM_FOLDER, program, path, sizeof path);
    if (found && strlen(path) < size) {
        snprintf(ret, size, "%s", path);
        return 0;
    }
    return err_set(err, ERR_NOTFOUND,
                   "the program '%s' is neither beside this one nor in " PROGRAM_FOLDER
                   " or " OTHER_PROGRAM_FOLDER ": install it",
                   program);
}

static void last_line(const struct strbuf *text, struct strbuf *out)
{
    const char *end = text->data + text->length;
    while (end > text->data && (end[-1] == '\n' || end[-1] == '\r'))
        end--;
    const char *newline = memrchr(text->data, '\n', (size_t)(end - text->data));
    const char *begin = newline ? newline + 1 : text->data;
    size_t length = (size_t)(end - begin);
    escape_terminal(out, begin, length < MAX_SHOWN ? length : MAX_SHOWN, false);
}

int child_complain(const struct child_spec *spec, const struct child_end *end, int code,
                   struct err *err)
{
    CLEANUP(strbuf_release) struct strbuf line = STRBUF_INIT;
    const char *slash = strrchr(spec->argv[0], '/');
    const char *name = slash ? slash + 1 : spec->argv[0];
    if (spec->errors)
        last_line(spec->errors, &line);
    switch (end->outcome) {
    case CHILD_CANCELLED:
        return err_set(err, ERR_CANCELLED, "interrupted");
    case CHILD_TIMEOUT:
        return err_set(err, ERR_TIMEOUT, "%s took longer than %lld s", name,
                       (long long)(spec->time_limit_ms / 1000));
    case CHILD_SIGNALLED:
        return err_set(err, code, "%s was ended by signal %d", name, end->status);
    case CHILD_EXITED:
        break;
    }
    if (line.length == 0)
        return err_set(err, code, "%s ended with status %d", name, end->status);
    return strncmp(line.data, name, strlen(name)) == 0 /* its own texts name it already */
               ? err_set(err, code, "%s", line.data)
               : err_set(err, code, "%s: %s", name, line.data);
}
