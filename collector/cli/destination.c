/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * The folder is the original's, created for root alone. With --outfd it only holds temporary files,
 * and when it cannot be had (root is read-only, the disk is broken) others are tried: a report
 * matters most then.
 */
#include "collector/cli/destination.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/stat.h>

#include "collector/cli/outdir.h"
#include "common/io.h"

#define SAME_NAME_TRIES 100 /* seconds we lend from the future when a name is taken */

static bool use_given_name(struct destination *destination)
{
    const char *given = getenv("XENRT_BUGTOOL_BASENAME");
    const char *slash = given ? strrchr(given, '/') : NULL;
    const char *base = slash ? slash + 1 : given;
    if (!base || !*base || strcmp(base, ".") == 0 || strcmp(base, "..") == 0)
        return false;
    snprintf(destination->top, sizeof destination->top, "%s", base);
    /* Callers read the path as one line. */
    for (char *p = destination->top; *p; p++)
        if (iscntrl((unsigned char)*p))
            *p = '_';
    return true;
}

static void name_by_clock(struct destination *destination, int64_t clock, bool utc, bool pool)
{
    time_t when = (time_t)clock;
    struct tm parts;
    if (utc)
        gmtime_r(&when, &parts);
    else
        localtime_r(&when, &parts);
    if (pool)
        strftime(destination->top, sizeof destination->top, "status-report-%Y-%m-%d-%H-%M-%S",
                 &parts);
    else
        strftime(destination->top, sizeof destination->top, "bug-report-%Y%m%d%H%M%S", &parts);
}

static void complete_name(const struct options *options, struct destination *destination)
{
    snprintf(destination->file, sizeof destination->file, "%s.%s", destination->top,
             options->format->suffix);
    snprintf(destination->path, sizeof destination->path, "%s/%s", options->outdir,
             destination->file);
}

static int64_t clock_of(int64_t epoch)
{
    return epoch >= 0 ? epoch : time(NULL);
}

/* The folder itself is ours alone; folders above it may be passed through by others. */
static int make_folder(const char *path, struct err *err)
{
    char partial[4096];
    if (strlen(path) >= sizeof partial)
        return err_set(err, ERR_LIMIT, "the path of the output folder is too long");
    for (const char *slash = strchr(path + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
        snprintf(partial, sizeof partial, "%.*s", (int)(slash - path), path);
        if (mkdir(partial, 0755) < 0 && errno != EEXIST)
            return err_set_errno(err, errno,
                                 "cannot create '%s' for the archive; choose another "
                                 "place with --outdir",
                                 partial);
    }
    if (mkdir(path, 0700) < 0 && errno != EEXIST)
        return err_set_errno(
            err, errno, "cannot create '%s' for the archive; choose another place with --outdir",
            path);
    return 0;
}

static int open_folder(const char *path)
{
    return open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
}

static int open_spool(const char *outdir)
{
    const char *const places[] = {outdir, "/var/tmp", "/run", "/tmp"};
    for (size_t i = 0; i < ARRAY_SIZE(places); i++) {
        int fd = open_folder(places[i]);
        int probe = fd < 0 ? -1 : openat(fd, ".", O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
        if (probe >= 0) {
            close(probe);
            return fd;
        }
        io_close(&fd);
    }
    return -1;
}

static int open_stream(const struct options *options, struct destination *destination,
                       struct err *err)
{
    if (fcntl(options->outfd, F_SETFD, FD_CLOEXEC) < 0)
        return err_set(err, ERR_USAGE, "Invalid output file descriptor: %d", options->outfd);
    destination->file[0] = destination->path[0] = '\0';
    destination->spool_fd = open_spool(options->outdir);
    return bundle_open_fd(options->format, destination->compressor, options->outfd,
                          &destination->bundle, err);
}

/* Runs of the same second get different names, whether the other is done or still at it. */
static int open_file(const struct options *options, int64_t epoch, struct destination *destination,
                     struct err *err)
{
    bool fixed = use_given_name(destination) || epoch >= 0;
    int64_t clock = clock_of(epoch);
    int r = ERR_EXISTS;
    for (int i = 0; r == ERR_EXISTS && i < (fixed ? 1 : SAME_NAME_TRIES); i++) {
        err_clear(err);
        if (!use_given_name(destination))
            name_by_clock(destination, clock + i, epoch >= 0, options->pool);
        complete_name(options, destination);
        r = bundle_open_file(options->format, destination->compressor, options->outdir,
                             destination->file, &destination->bundle, err);
    }
    return r;
}

static int open_archive(const struct options *options, int64_t epoch, struct destination *ret,
                        struct err *err)
{
    if (options->outfd >= 0) {
        if (!use_given_name(ret))
            name_by_clock(ret, clock_of(epoch), epoch >= 0, options->pool);
        return open_stream(options, ret, err);
    }
    int r = make_folder(options->outdir, err);
    if (r < 0)
        return r;
    ret->spool_fd = open_folder(options->outdir);
    if (ret->spool_fd < 0)
        return err_set_errno(err, errno, "cannot open the output folder '%s'", options->outdir);
    return open_file(options, epoch, ret, err);
}

int destination_open(const struct options *options, int64_t epoch, struct destination *ret,
                     struct err *err)
{
    struct options usable = *options;
    *ret = (struct destination){.spool_fd = -1};
    signal(SIGXFSZ, SIG_IGN); /* the caller's limit is an error of the write, as a full disk is */
    usable.outdir = outdir_usable(options->outdir);
    if (usable.outdir != options->outdir && options->outfd < 0)
        fprintf(stderr, "'%s' is read-only: the archive goes to '%s'\n", options->outdir,
                usable.outdir);
    options = &usable;
    int r = compressor_new(options->compression, options->jobs, &ret->compressor, err);
    if (r == 0)
        r = open_archive(options, epoch, ret, err);
    if (r == 0) {
        r = room_new(ret->spool_fd, options->outfd < 0, &ret->room, err);
        if (r < 0)
            bundle_discard(ret->bundle);
    }
    if (r < 0)
        destination_release(ret);
    return r;
}

void destination_release(struct destination *destination)
{
    destination->compressor = compressor_free(destination->compressor);
    destination->room = room_free(destination->room);
    io_close(&destination->spool_fd);
}
