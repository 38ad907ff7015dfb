/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * The zip writer goes back to fill in sizes; for most members the place is still in the buffer, and
 * no system call is made for it.
 */
#include "collector/bundle/output.h"

#include <errno.h>

#include "common/io.h"
#include "common/units.h"

#define BUFFER_BYTES ((size_t)256 * 1024)

int output_init(struct output *output, int fd, const char *place, bool seekable, struct err *err)
{
    *output = (struct output){.fd = fd, .place = place, .seekable = seekable};
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
    units_format_bytes(output->end, size, sizeof size);
    if (!output->place)
        return err_set_errno(err, sysno, "cannot write the archive to descriptor %d", output->fd);
    if (sysno == ENOSPC || sysno == EDQUOT)
        return err_set_errno(
            err, sysno, "no space left in '%s' after %s of the archive: free some or use --outdir",
            output->place, size);
    return err_set_errno(err, sysno, "cannot write the archive in '%s'", output->place);
}

/* 0 or errno. */
static int write_out(const struct output *output, const unsigned char *bytes, size_t length)
{
    if (!output->seekable)
        return -io_write_all(output->fd, bytes, length);
    for (int64_t at = output->start; length > 0;) {
        ssize_t n = pwrite(output->fd, bytes, length, at);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return errno;
        at += n;
        bytes += n;
        length -= (size_t)n;
    }
    return 0;
}

int output_flush(struct output *output)
{
    if (output->failure.code != 0)
        return output->failure.code;
    int sysno = write_out(output, output->buffer, output->used);
    if (sysno != 0)
        return fail(output, sysno);
    output->start = output->position;
    output->used = 0;
    return 0;
}

int output_write(struct output *output, const void *bytes, size_t length)
{
    if (output->failure.code != 0)
        return output->failure.code;
    for (const unsigned char *p = bytes; length > 0;) {
        size_t offset = (size_t)(output->position - output->start);
        size_t room = BUFFER_BYTES - offset;
        size_t n = length < room ? length : room;
        memcpy(output->buffer + offset, p, n);
        output->position += (int64_t)n;
        if (output->used < offset + n)
            output->used = offset + n;
        if (output->end < output->position)
            output->end = output->position;
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

int output_seek(struct output *output, int64_t position)
{
    if (output->failure.code != 0)
        return output->failure.code;
    if (!output->seekable || position < 0 || position > output->end)
        return err_set(&output->failure, ERR_BUG, "the archive writer seeks where it cannot");
    bool inside = position >= output->start && position <= output->start + (int64_t)output->used;
    if (!inside) {
        int r = output_flush(output);
        if (r < 0)
            return r;
        output->start = position;
    }
    output->position = position;
    return 0;
}

void output_abandon(struct output *output)
{
    err_set(&output->failure, ERR_CANCELLED, "the archive was given up");
}

int output_failure(const struct output *output, struct err *err)
{
    if (output->failure.code != 0 && err && err->code == 0)
        *err = output->failure;
    return output->failure.code;
}
