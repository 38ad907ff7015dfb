/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * A buffer, a count, and texts for people.
 *
 * An archive counts as complete when it is on the disk. So that this does not take long in the end,
 * the disk is told to begin early; it costs nothing, since the bytes have to go there anyway.
 *
 * Who reads from a descriptor that we were given may stop reading, or have made it non-blocking. So
 * a write is never what waits: poll() does, which can be given up.
 */
#include "collector/bundle/output.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include "common/units.h"

#define BUFFER_BYTES  ((size_t)256 * 1024)
#define TO_DISK_BYTES (8 * 1024 * 1024) /* pieces that a disk writes well */
#define LOOK_MS       200               /* for whether the run was cancelled */

int output_init(struct output *output, int fd, const char *place, struct err *err)
{
    struct stat status;
    *output = (struct output){.fd = fd, .place = place};
    if (!place && fstat(fd, &status) == 0) {
        output->is_socket = S_ISSOCK(status.st_mode);
        output->is_pipe = S_ISFIFO(status.st_mode);
    }
    output->buffer = malloc(BUFFER_BYTES);
    return output->buffer ? 0 : err_nomem(err);
}

void output_release(struct output *output)
{
    free(output->buffer);
    output->buffer = NULL;
}

static int fail(struct output *output, int sysno)
{
    struct err *err = &output->failure;
    char size[32];
    units_format_bytes(output->written, size, sizeof size);
    if (sysno == ECANCELED)
        return err_set(err, ERR_CANCELLED, "interrupted while the archive was written");
    if (!output->place)
        return err_set_errno(err, sysno, "cannot write the archive to descriptor %d", output->fd);
    if (sysno == ENOSPC || sysno == EDQUOT)
        return err_set_errno(
            err, sysno, "no space left in '%s' after %s of the archive: free some or use --outdir",
            output->place, size);
    return err_set_errno(err, sysno, "cannot write the archive in '%s'", output->place);
}

/* 0 or errno. */
static int wait_for_room(const struct output *output)
{
    if (output->place)
        return 0;
    struct pollfd to = {.fd = output->fd, .events = POLLOUT};
    int ready;
    do {
        if (output->cancelled && atomic_load(output->cancelled))
            return ECANCELED;
        ready = poll(&to, 1, LOOK_MS);
    } while (ready == 0 || (ready < 0 && errno == EINTR));
    return 0;
}

/*
 * The last `length` bytes of the buffer, or as many as do not block once there is room: anything
 * into a socket, a page into a pipe. A file is written by place: where its descriptor stands is
 * nobody's business.
 */
static ssize_t write_some(const struct output *output, const unsigned char *bytes, size_t length)
{
    if (output->place)
        return pwrite(output->fd, bytes, length, output->written - (int64_t)length);
    if (output->is_socket)
        return send(output->fd, bytes, length, MSG_DONTWAIT | MSG_NOSIGNAL);
    return write(output->fd, bytes, output->is_pipe && length > PIPE_BUF ? PIPE_BUF : length);
}

/* 0 or errno. */
static int write_out(const struct output *output)
{
    const unsigned char *bytes = output->buffer;
    for (size_t left = output->used; left > 0;) {
        int sysno = wait_for_room(output);
        if (sysno != 0)
            return sysno;
        ssize_t n = write_some(output, bytes, left);
        if (n < 0 && (errno == EINTR || (errno == EAGAIN && !output->place)))
            continue;
        if (n < 0)
            return errno;
        bytes += n;
        left -= (size_t)n;
    }
    return 0;
}

static void begin_to_disk(struct output *output)
{
    int64_t waiting = output->written - output->to_disk;
    if (!output->place || waiting < TO_DISK_BYTES)
        return;
    sync_file_range(output->fd, output->to_disk, waiting, SYNC_FILE_RANGE_WRITE);
    output->to_disk = output->written;
}

int output_flush(struct output *output)
{
    if (output->failure.code != 0)
        return output->failure.code;
    int sysno = write_out(output);
    if (sysno != 0)
        return fail(output, sysno);
    output->used = 0;
    begin_to_disk(output);
    return 0;
}

int output_write(struct output *output, const void *bytes, size_t length)
{
    if (output->failure.code != 0)
        return output->failure.code;
    for (const unsigned char *p = bytes; length > 0;) {
        size_t room = BUFFER_BYTES - output->used;
        size_t n = length < room ? length : room;
        memcpy(output->buffer + output->used, p, n);
        output->used += n;
        output->written += (int64_t)n;
        p += n;
        length -= n;
        if (n == room) {
            int r = output_flush(output);
            if (r < 0)
                return r;
        }
    }
    return 0;
}

void output_abandon(struct output *output)
{
    err_set(&output->failure, ERR_CANCELLED, "the archive was given up");
}

int output_failure(const struct output *output, struct err *err)
{
    return err_pass(err, output->failure.code, &output->failure);
}
