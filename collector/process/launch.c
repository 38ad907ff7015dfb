/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * Runs between fork and exec in a process with one thread, so it may use the whole C library.
 *
 * The surprising one: directories stay open in functions, which may walk them, and everything else
 * is closed. A function that hangs for ever must not hold the pipe or socket that somebody else
 * waits on.
 */
#include "collector/process/launch.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#include "collector/process/descriptors.h"
#include "common/io.h"

#define SEARCH_PATH        "/opt/xensource/bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/root/bin"
#define NICENESS           10
#define IOPRIO_WHO_PROCESS 1 /* linux/ioprio.h, absent from older headers */
#define IOPRIO_IDLE        (3 << 13)

static bool has_element(const char *path, const char *element, size_t length)
{
    for (const char *p = path; *p;) {
        size_t n = strcspn(p, ":");
        if (n == length && memcmp(p, element, n) == 0)
            return true;
        p += n + (p[n] == ':');
    }
    return false;
}

static char *search_path(void)
{
    CLEANUP(strbuf_release) struct strbuf path = STRBUF_INIT;
    strbuf_adds(&path, "PATH=" SEARCH_PATH);
    const char *callers = getenv("PATH");
    for (const char *p = callers ? callers : ""; *p;) {
        size_t n = strcspn(p, ":");
        if (*p == '/' && strbuf_ok(&path) && !has_element(path.data + strlen("PATH="), p, n)) {
            strbuf_addc(&path, ':');
            strbuf_add(&path, p, n);
        }
        p += n + (p[n] == ':');
    }
    return strbuf_take(&path);
}

char **launch_environment(void)
{
    const char *home = geteuid() == 0 ? NULL : getenv("HOME");
    CLEANUP(strbuf_release) struct strbuf home_variable = STRBUF_INIT;
    strbuf_addf(&home_variable, "HOME=%s", home ? home : "/root");
    char **environment = calloc(4, sizeof *environment);
    if (!environment)
        return NULL;
    environment[0] = search_path();
    environment[1] = strdup("LC_ALL=C");
    environment[2] = strbuf_take(&home_variable);
    for (int i = 0; i < 3; i++)
        if (!environment[i]) {
            for (int j = 0; j < 3; j++)
                free(environment[j]);
            free(environment);
            return NULL;
        }
    return environment;
}

static void default_signals(void)
{
    for (int number = 1; number < NSIG; number++)
        signal(number, SIG_DFL);
    sigset_t none;
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
}

/* A report must not slow down the guests. Where lowering is refused the child runs all the same. */
static void lower_priority(void)
{
    if (getpriority(PRIO_PROCESS, 0) < NICENESS)
        setpriority(PRIO_PROCESS, 0, NICENESS);
    syscall(SYS_ioprio_set, IOPRIO_WHO_PROCESS, 0, IOPRIO_IDLE);
    const struct rlimit no_core = {0, 0};
    setrlimit(RLIMIT_CORE, &no_core);
}

/* Moves the child's descriptors to 0, 1, 2. They are above 2, because the helper occupies those. */
static bool place_stdio(const int fds[REQUEST_FDS])
{
    return dup2(fds[REQUEST_INPUT], 0) == 0 && dup2(fds[REQUEST_OUTPUT], 1) == 1 &&
           dup2(fds[REQUEST_ERRORS], 2) == 2;
}

_Noreturn static void fail(int status_fd, int sysno)
{
    /* If even this cannot be written, the keeper still sees the exit status. */
    int r = io_write_all(status_fd, &sysno, sizeof sysno);
    _exit(r < 0 ? 126 : 127);
}

_Noreturn static void run_function(const struct launch *launch, struct request *request,
                                   int status_fd)
{
    const struct spawner_function *function = launch->functions;
    while (function && function->name && strcmp(function->name, request->argv[0]) != 0)
        function++;
    if (!function || !function->name)
        fail(status_fd, ENOENT);
    descriptors_keep_directories(3, -1);
    int status = function->run(launch->context, request->argc, request->argv);
    if (fflush(stdout) != 0 && status == 0)
        status = 1;
    _exit(status);
}

_Noreturn static void run_program(const struct launch *launch, struct request *request,
                                  int status_fd)
{
    const int last = 3;
    if (dup3(status_fd, last, O_CLOEXEC) < 0 && errno != EINVAL) /* EINVAL: it is 3 already */
        fail(status_fd, errno);
    descriptors_close_from(last + 1);
    /* execvp searches the PATH of the process itself, so the environment is put in place first. */
    environ = launch->environment;
    execvp(request->argv[0], (char *const *)request->argv);
    fail(last, errno);
}

_Noreturn void launch_child(const struct launch *launch, struct request *request, int status_fd)
{
    setsid();
    default_signals();
    lower_priority();
    umask(077);
    if (chdir("/") < 0 || !place_stdio(request->fds))
        fail(status_fd, errno);
    if (request->is_function)
        run_function(launch, request, status_fd);
    run_program(launch, request, status_fd);
}
