/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * Programs that a collector must survive, in one: `nasty BEHAVIOUR MARKER`.
 *
 * Every process that comes of it keeps the marker in its arguments, so that a test finds survivors
 * in /proc. What lies below `behaviours` says in a word what each does; all but a few would run for
 * ever. Return values of system calls are of no interest here: what fails is one nastiness less.
 */
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

#define FLOOD_BYTES 65536
#define HUGE_LINE   (3 * 1024 * 1024)

static const char *program, *marker;

static void say(const char *text)
{
    if (write(STDOUT_FILENO, text, strlen(text)) < 0)
        errno = 0;
}

static void ignore_all(void)
{
    for (int number = 1; number < NSIG; number++)
        signal(number, SIG_IGN);
}

_Noreturn static void hang(void)
{
    for (;;)
        pause();
}

_Noreturn static void flood(int fd)
{
    static char bytes[FLOOD_BYTES];
    memset(bytes, 'y', sizeof bytes);
    for (;;)
        if (write(fd, bytes, sizeof bytes) < 0)
            usleep(1000);
}

static int never_ends(void)
{
    say("begun\n");
    hang();
}

static int ignores_everything(void)
{
    ignore_all();
    say("begun\n");
    hang();
}

static int daemonizes(void)
{
    if (fork() == 0) {
        setsid();
        if (fork() != 0)
            _exit(0);
        ignore_all();
        for (int fd = 0; fd < 64; fd++)
            close(fd);
        hang();
    }
    wait(NULL);
    say("gone\n");
    return 0;
}

static int closes_output(void)
{
    say("begun\n");
    close(0);
    close(1);
    close(2);
    hang();
}

static int floods(void)
{
    ignore_all();
    flood(STDOUT_FILENO);
}

static int floods_errors(void)
{
    say("begun\n");
    flood(STDERR_FILENO);
}

static int drips(void)
{
    do
        say("x");
    while (sleep(1) == 0);
    return 0;
}

static int no_newline(void)
{
    say("partial");
    hang();
}

static int huge_line(void)
{
    static char bytes[4096];
    memset(bytes, 'l', sizeof bytes);
    for (size_t done = 0; done < HUGE_LINE; done += sizeof bytes)
        if (write(STDOUT_FILENO, bytes, sizeof bytes) < 0)
            return 1;
    return 0;
}

static int binary(void)
{
    for (int i = 0; i < 256 * 16; i++)
        putchar(i % 256);
    return fflush(stdout);
}

static int crashes(void)
{
    say("begun\n");
    signal(SIGSEGV, SIG_DFL); /* a sanitizer would make a report and an exit status of it */
    raise(SIGSEGV);
    return 0;
}

static int stops_itself(void)
{
    say("begun\n");
    raise(SIGSTOP);
    hang();
}

static int grows_a_tree(void)
{
    ignore_all();
    for (int depth = 0; depth < 3; depth++)
        for (int i = 0; i < 3; i++)
            if (fork() == 0)
                break;
    hang();
}

static int leaves_grandchildren(void)
{
    for (int i = 0; i < 5; i++)
        if (fork() == 0)
            hang();
    say("left\n");
    return 0;
}

static int reads_input(void)
{
    char bytes[16];
    say(read(STDIN_FILENO, bytes, sizeof bytes) == 0 ? "nothing to read\n" : "something\n");
    return 0;
}

static int changes_group(void)
{
    ignore_all();
    if (fork() == 0)
        setpgid(0, 0);
    setpgid(0, 0);
    say("");
    hang();
}

static int traced(void)
{
    say("begun\n");
    if (fork() == 0) {
        ptrace(PTRACE_TRACEME, 0, NULL, NULL);
        raise(SIGSTOP);
    }
    hang();
}

static int makes_zombies(void)
{
    for (int i = 0; i < 200; i++)
        if (fork() == 0)
            _exit(0);
    say("begun\n");
    hang();
}

static void on_alarm(int number)
{
    (void)number;
    say("tick\n");
}

static int sets_timers(void)
{
    struct itimerval often = {{0, 100000}, {0, 100000}};
    ignore_all();
    signal(SIGALRM, on_alarm);
    setitimer(ITIMER_REAL, &often, NULL);
    hang();
}

/* The process that was started ends at once; another one goes on to talk. */
static int hands_over(void)
{
    if (fork() == 0)
        for (;;) {
            say("child\n");
            usleep(1000);
        }
    usleep(50000);
    return 0;
}

static int exec_chain(void)
{
    const char *left = getenv("NASTY_EXECS");
    int number = left ? (int)strtol(left, NULL, 10) : 200;
    char text[16];
    if (number == 0)
        hang();
    snprintf(text, sizeof text, "%d", number - 1);
    setenv("NASTY_EXECS", text, 1);
    execl(program, program, "exec-chain", marker, (char *)NULL);
    return 1;
}

static int loses_its_folder(void)
{
    char folder[] = "/tmp/nasty-XXXXXX";
    if (!mkdtemp(folder) || chdir(folder) < 0 || rmdir(folder) < 0)
        return 1;
    say("begun\n");
    hang();
}

static void on_term(int number)
{
    (void)number;
    if (fork() == 0)
        ignore_all();
}

static int breeds_when_told_to_stop(void)
{
    signal(SIGTERM, on_term);
    say("begun\n");
    hang();
}

static void *blocked(void *argument)
{
    hang();
    return argument;
}

static int threads(void)
{
    pthread_t thread;
    ignore_all();
    for (int i = 0; i < 40; i++)
        pthread_create(&thread, NULL, blocked, NULL);
    say("begun\n");
    pthread_exit(NULL); /* the leader is a zombie, the others live */
}

/* Always another process: by the time somebody has looked at it, it is its child. */
static int runs_away(void)
{
    ignore_all();
    say("begun\n");
    for (;;)
        if (fork() != 0)
            _exit(0);
        else
            usleep(2000);
    return 0;
}

/* The same, each in a session of its own, so that no group holds them. */
static int runs_away_alone(void)
{
    ignore_all();
    say("begun\n");
    if (fork() != 0)
        hang();
    for (;;)
        if (fork() != 0)
            _exit(0);
        else {
            setsid();
            usleep(5000);
        }
    return 0;
}

static int kills_its_parent(void)
{
    say("begun\n");
    kill(getppid(), SIGKILL);
    hang();
}

static int stops_its_parent(void)
{
    say("begun\n");
    kill(getppid(), SIGSTOP);
    hang();
}

static int changes_its_name(void)
{
    ignore_all();
    prctl(PR_SET_NAME, ") Z 1 (", 0, 0, 0);
    say("begun\n");
    hang();
}

static const struct {
    const char *name;
    int (*run)(void);
} behaviours[] = {
    {"never-ends", never_ends},
    {"ignores-everything", ignores_everything},
    {"daemonizes", daemonizes},
    {"closes-output", closes_output},
    {"floods", floods},
    {"floods-errors", floods_errors},
    {"drips", drips},
    {"no-newline", no_newline},
    {"huge-line", huge_line},
    {"binary", binary},
    {"crashes", crashes},
    {"stops-itself", stops_itself},
    {"grows-a-tree", grows_a_tree},
    {"leaves-grandchildren", leaves_grandchildren},
    {"reads-input", reads_input},
    {"changes-group", changes_group},
    {"traced", traced},
    {"makes-zombies", makes_zombies},
    {"sets-timers", sets_timers},
    {"hands-over", hands_over},
    {"exec-chain", exec_chain},
    {"loses-its-folder", loses_its_folder},
    {"breeds-when-told-to-stop", breeds_when_told_to_stop},
    {"threads", threads},
    {"runs-away", runs_away},
    {"runs-away-alone", runs_away_alone},
    {"kills-its-parent", kills_its_parent},
    {"stops-its-parent", stops_its_parent},
    {"changes-its-name", changes_its_name},
};

int main(int argc, char **argv)
{
    program = argv[0];
    marker = argc > 2 ? argv[2] : "";
    for (size_t i = 0; argc > 1 && i < sizeof behaviours / sizeof behaviours[0]; i++)
        if (strcmp(behaviours[i].name, argv[1]) == 0)
            return behaviours[i].run();
    fprintf(stderr, "usage: nasty BEHAVIOUR MARKER\n");
    return 2;
}
