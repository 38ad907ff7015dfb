/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * Live logs grow, rotate and shrink while they are read. What is taken is the part that was there
 * when the file was opened; whether that is still the whole truth is told by looking at the size
 * again afterwards.
 */
#include "collector/sources/source_file.h"

#include <errno.h>
#include <inttypes.h>
#include <linux/magic.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "collector/sources/safe_open.h"
#include "common/io.h"

#define CHUNK (64 * 1024)

static void describe_open_failure(int code, const struct err *why, struct outcome *outcome)
{
    outcome_set(outcome,
                code == ERR_NOTFOUND ? OUTCOME_MISSING
                : code == ERR_DENIED ? OUTCOME_DENIED
                                     : OUTCOME_FAILED,
                "%s", why->text);
}

static bool is_unwanted(const struct file_request *request)
{
    return (request->cancelled && atomic_load(request->cancelled)) ||
           read_watch_is_given_up(request->watch);
}

/* Copies up to `wanted` bytes (-1: all); returns the number, or a failure of the sink. */
static int64_t copy(const struct file_request *request, int fd, int64_t wanted, source_sink sink,
                    void *context, int *ret_sysno, struct err *err)
{
    CLEANUP_FREE char *chunk = malloc(CHUNK);
    if (!chunk)
        return err_nomem(err);
    int64_t done = 0;
    *ret_sysno = 0;
    while (wanted < 0 || done < wanted) {
        if (is_unwanted(request))
            return err_set(err, ERR_CANCELLED, "interrupted");
        size_t ask = wanted < 0 || wanted - done > CHUNK ? CHUNK : (size_t)(wanted - done);
        read_watch_begin(request->watch);
        ssize_t got = read(fd, chunk, ask);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            *ret_sysno = errno;
        if (got <= 0)
            break;
        read_watch_end(request->watch);
        if (is_unwanted(request)) /* the read took too long: what the sink works with may be gone */
            return err_set(err, ERR_CANCELLED, "interrupted");
        int r = sink(context, chunk, (size_t)got, err);
        read_watch_begin(request->watch);
        if (r < 0)
            return r;
        done += got;
    }
    return done;
}

/* A kernel file says it has no bytes, or a page of them: what it has shows only by reading. */
static bool has_real_size(int fd, const struct stat *status)
{
    struct statfs space;
    if (status->st_size == 0 || fstatfs(fd, &space) < 0)
        return false;
    return space.f_type != PROC_SUPER_MAGIC && space.f_type != SYSFS_MAGIC &&
           space.f_type != DEBUGFS_MAGIC && space.f_type != TRACEFS_MAGIC &&
           space.f_type != EFIVARFS_MAGIC;
}

/*
 * Where to begin so that at most the limit remains: the newest bytes, without a hole in front of
 * them. (A log that is truncated while a daemon writes at its old place begins with one, of any
 * size.)
 */
static int64_t start_of_end(int fd, int64_t size, int64_t limit)
{
    int64_t start = size - limit;
    int64_t data = lseek(fd, start, SEEK_DATA);
    if (data < 0 && errno == ENXIO)
        data = size; /* nothing but a hole */
    start = data > start ? data : start;
    return lseek(fd, start, SEEK_SET) < 0 ? size : start;
}

static void judge(const struct file_request *request, int fd, const struct stat *before,
                  int64_t wanted, int64_t done, int sysno, struct outcome *outcome)
{
    bool real = has_real_size(fd, before);
    struct stat after;
    char reason[80];
    if (sysno && done == 0)
        outcome_set(outcome, sysno == EACCES || sysno == EPERM ? OUTCOME_DENIED : OUTCOME_FAILED,
                    "cannot read: %s", strerror_r(sysno, reason, sizeof reason));
    else if (sysno)
        outcome_set(outcome, OUTCOME_TRUNCATED, "reading stopped: %s",
                    strerror_r(sysno, reason, sizeof reason));
    else if (real && done < wanted)
        outcome_set(outcome, OUTCOME_CHANGED,
                    "shrank from %" PRId64 " to %" PRId64 " bytes while it was read",
                    (int64_t)before->st_size, done);
    else if (real && wanted < before->st_size)
        outcome_set(outcome, OUTCOME_TRUNCATED, "the last %" PRId64 " of %" PRId64 " bytes%s",
                    wanted, (int64_t)before->st_size,
                    wanted < request->limit ? "; before them is a hole" : "");
    else if (real && fstat(fd, &after) == 0 && after.st_size != before->st_size)
        outcome_set(outcome, OUTCOME_CHANGED, "%s while it was read; complete as of its opening",
                    after.st_size > before->st_size ? "grew" : "shrank");
    else if (!real && request->limit >= 0 && done >= request->limit && done > 0)
        outcome_set(outcome, OUTCOME_TRUNCATED, "the first %" PRId64 " bytes", done);
    else
        outcome_set(outcome, done > 0 ? OUTCOME_OK : OUTCOME_EMPTY, "%s", "");
}

/* With the watch on, but for the sink: every call in here may hang, closing the file too. */
static int read_watched(const struct file_request *request, source_sink sink, void *context,
                        struct outcome *outcome, int64_t *ret_modified, struct err *err)
{
    CLEANUP_FD int fd = -1;
    struct stat status;
    struct err why = ERR_INIT;
    int r = safe_open(request->root_fd, request->root, request->path, request->avoid,
                      request->watch, &fd, &status, &why);
    if (r == ERR_UNSUPPORTED && !is_unwanted(request))
        return err_pass(err, r, &why);
    if (r < 0) {
        describe_open_failure(r, &why, outcome);
        return 0;
    }
    int64_t wanted = request->limit;
    if (has_real_size(fd, &status)) {
        wanted = status.st_size;
        if (request->limit >= 0 && wanted > request->limit)
            wanted = status.st_size - start_of_end(fd, status.st_size, request->limit);
    }
    int sysno = 0;
    int64_t done = copy(request, fd, wanted, sink, context, &sysno, err);
    if (done < 0)
        return (int)done;
    judge(request, fd, &status, wanted, done, sysno, outcome);
    *ret_modified = status.st_mtime;
    return 0;
}

int source_read_file(const struct file_request *request, source_sink sink, void *context,
                     struct outcome *outcome, int64_t *ret_modified, struct err *err)
{
    read_watch_begin(request->watch);
    int r = read_watched(request, sink, context, outcome, ret_modified, err);
    read_watch_end(request->watch);
    return r;
}
