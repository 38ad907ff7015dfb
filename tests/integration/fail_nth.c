/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * Loaded before a program (LD_PRELOAD), makes the n-th call of a kind fail, once: what SQLite and curl do to themselves in
 * their own tests. Never installed.
 *
 * FAIL_KIND is memory, disk or network; FAIL_NTH counts from 1 and from main() on, 0 fails none; FAIL_HOW is the number of an
 * error, or "kill". When the program ends, how many calls of the kind there were goes to the file FAIL_COUNT.
 * Calls that the C library makes inside itself, such as the write of a FILE, are not seen; those of other libraries are.
 */
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

enum kind { NOTHING, MEMORY, DISK, NETWORK };

static enum kind wanted;
static long nth;
static int number; /* of the error; 0: kill */
static atomic_long calls;
static char count_path[4096];

/* Looking for the real function may ask for memory itself, through our own calloc(). */
#define REAL(name) \
    static __typeof__(&name) real; \
    if (!real) \
        real = (__typeof__(&name))dlsym(RTLD_NEXT, #name)

static bool fails(enum kind kind)
{
    if (kind != wanted || atomic_fetch_add(&calls, 1) + 1 != nth)
        return false;
    if (!number)
        kill(getpid(), SIGKILL);
    errno = number;
    return true;
}

__attribute__((constructor)) static void start(void)
{
    const char *kind = getenv("FAIL_KIND"), *how = getenv("FAIL_HOW"), *path = getenv("FAIL_COUNT");

    nth = strtol(getenv("FAIL_NTH") ? getenv("FAIL_NTH") : "0", NULL, 10);
    number = how && strcmp(how, "kill") ? (int)strtol(how, NULL, 10) : 0;
    snprintf(count_path, sizeof(count_path), "%s", path ? path : "");
    if (kind)
        wanted = !strcmp(kind, "memory") ? MEMORY : !strcmp(kind, "disk") ? DISK : NETWORK;
}

__attribute__((destructor)) static void end(void)
{
    long total = atomic_load(&calls);

    wanted = NOTHING;
    if (!count_path[0])
        return;
    FILE *file = fopen(count_path, "w");
    if (file) {
        fprintf(file, "%ld\n", total);
        fclose(file);
    }
}

/* glibc's own names, so that dlsym() is not needed for memory. */
void *__libc_malloc(size_t size);
void *__libc_calloc(size_t count, size_t size);
void *__libc_realloc(void *old, size_t size);

void *malloc(size_t size)
{
    return fails(MEMORY) ? NULL : __libc_malloc(size);
}

void *calloc(size_t count, size_t size)
{
    return fails(MEMORY) ? NULL : __libc_calloc(count, size);
}

void *realloc(void *old, size_t size)
{
    return fails(MEMORY) ? NULL : __libc_realloc(old, size);
}

#define WRAP(kind, type, failure, name, parameters, arguments) \
    type name parameters \
    { \
        REAL(name); \
        return fails(kind) ? failure : real arguments; \
    }

WRAP(DISK, ssize_t, -1, read, (int fd, void *data, size_t size), (fd, data, size))
WRAP(DISK, ssize_t, -1, pread64, (int fd, void *data, size_t size, off64_t at), (fd, data, size, at))
WRAP(DISK, ssize_t, -1, write, (int fd, const void *data, size_t size), (fd, data, size))
WRAP(DISK, ssize_t, -1, pwrite64, (int fd, const void *data, size_t size, off64_t at), (fd, data, size, at))
WRAP(DISK, int, -1, fsync, (int fd), (fd))
WRAP(DISK, int, -1, fdatasync, (int fd), (fd))
WRAP(DISK, int, -1, ftruncate64, (int fd, off64_t size), (fd, size))
WRAP(DISK, int, -1, rename, (const char *from, const char *to), (from, to))
WRAP(DISK, int, -1, renameat, (int f, const char *from, int t, const char *to), (f, from, t, to))
WRAP(DISK, int, -1, renameat2, (int f, const char *from, int t, const char *to, unsigned flags), (f, from, t, to, flags))
WRAP(DISK, int, -1, link, (const char *from, const char *to), (from, to))
WRAP(DISK, int, -1, linkat, (int f, const char *from, int t, const char *to, int flags), (f, from, t, to, flags))
WRAP(DISK, int, -1, unlink, (const char *path), (path))
WRAP(DISK, int, -1, unlinkat, (int folder, const char *path, int flags), (folder, path, flags))
WRAP(DISK, int, -1, mkdir, (const char *path, mode_t mode), (path, mode))
WRAP(DISK, int, -1, mkdirat, (int folder, const char *path, mode_t mode), (folder, path, mode))
WRAP(DISK, int, -1, fchmod, (int fd, mode_t mode), (fd, mode))
WRAP(DISK, int, -1, fstat64, (int fd, struct stat64 *info), (fd, info))
WRAP(DISK, int, -1, fstat, (int fd, struct stat *info), (fd, info))
WRAP(NETWORK, int, -1, socket, (int domain, int type, int protocol), (domain, type, protocol))
WRAP(NETWORK, int, -1, connect, (int fd, const struct sockaddr *to, socklen_t size), (fd, to, size))
WRAP(NETWORK, ssize_t, -1, send, (int fd, const void *data, size_t size, int flags), (fd, data, size, flags))
WRAP(NETWORK, ssize_t, -1, recv, (int fd, void *data, size_t size, int flags), (fd, data, size, flags))
WRAP(NETWORK, int, -1, poll, (struct pollfd *fds, nfds_t count, int wait), (fds, count, wait))

/* The mode is there only with some flags; passing it on always does no harm. */
#define WRAP_OPEN(name, parameters, ...) \
    int name parameters \
    { \
        va_list list; \
        REAL(name); \
        va_start(list, flags); \
        mode_t mode = flags & (O_CREAT | O_TMPFILE) ? va_arg(list, mode_t) : 0; \
        va_end(list); \
        return fails(DISK) ? -1 : real(__VA_ARGS__, mode); \
    }

WRAP_OPEN(open, (const char *path, int flags, ...), path, flags)
WRAP_OPEN(open64, (const char *path, int flags, ...), path, flags)
WRAP_OPEN(openat, (int folder, const char *path, int flags, ...), folder, path, flags)
WRAP_OPEN(openat64, (int folder, const char *path, int flags, ...), folder, path, flags)
