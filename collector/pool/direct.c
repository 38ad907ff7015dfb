/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * A child's output comes when it comes, and the reader of a tar asks for bytes when it wants them:
 * a thread and a pipe stand between them. Whoever gives up first closes his end, which ends the
 * other.
 */
#include "collector/pool/direct.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>

#include "common/io.h"

struct feeder {
    struct spawner *spawner;
    struct child_spec spec;
    int fd;
    struct child_end end;
    struct err failure;
};

struct drain {
    int fd;
    const struct limit *limit;
};

static int pass_on(void *context, const void *bytes, size_t length, struct err *err)
{
    struct feeder *feeder = context;
    int r = io_write_all(feeder->fd, bytes, length);
    return r < 0 ? err_set_errno(err, -r, "the report of this host is not read any more") : 0;
}

static void *feed(void *argument)
{
    struct feeder *feeder = argument;
    child_run(feeder->spawner, &feeder->spec, pass_on, feeder, &feeder->end, &feeder->failure);
    io_close(&feeder->fd);
    return NULL;
}

static int read_pipe(void *context, void *buffer, size_t size, size_t *ret, struct err *err)
{
    struct drain *drain = context;
    int r = limit_wait(drain->limit, drain->fd, POLLIN, "this host", err);
    if (r < 0)
        return r;
    ssize_t n = read(drain->fd, buffer, size);
    if (n < 0)
        return err_set_errno(err, errno, "cannot read this host's report");
    *ret = (size_t)n;
    return 0;
}

int direct_take(struct spawner *spawner, const char *const *argv, const struct limit *limit,
                struct sink *sink, const char *folder, struct unpacked *ret, struct err *err)
{
    int ends[2];
    if (pipe2(ends, O_CLOEXEC) < 0)
        return err_set_errno(err, errno, "cannot make a pipe");
    struct drain drain = {.fd = ends[0], .limit = limit};
    struct feeder feeder = {.spawner = spawner,
                            .spec = {.argv = argv,
                                     .time_limit_ms = limit->deadline_ms - io_now_ms(),
                                     .cancelled = limit->cancelled},
                            .fd = ends[1]};
    pthread_t thread;
    int failure = pthread_create(&thread, NULL, feed, &feeder);
    if (failure) {
        close(ends[0]);
        close(ends[1]);
        return err_set_errno(err, failure, "cannot start a thread");
    }
    int r = unpack_tar(sink, folder, read_pipe, &drain, ret, err);
    close(drain.fd);
    pthread_join(thread, NULL);
    if (r < 0 && ret->members == 0 && feeder.end.errors[0] && err)
        err_prefix(err, r, "%.*s", (int)strcspn(feeder.end.errors, "\n"), feeder.end.errors);
    return r;
}
