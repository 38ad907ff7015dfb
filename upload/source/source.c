/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * The bytes come from one descriptor from the first to the last, so a file that gets another's name
 * (a rotation) is still sent whole; one that is written to is not.
 *
 * Two things make a change hard to see. The clock of a file system is coarse, so a file that was
 * written just before it was opened may be written again within the same tick. And its time of
 * change also moves when a name is added or removed (the spool does that), which is no change of
 * content. In both cases the check before success compares the bytes.
 */
#include "upload/source/source.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>

#include "common/digest.h"
#include "common/hex.h"
#include "common/io.h"

#define CLOCK_TICK 2 /* seconds; FAT has the coarsest clock of all */

struct source {
    int fd;
    char *path;
    struct stat status;
    bool fresh; /* was written so shortly before it was opened that its time may not tell all */
    char sha256[2 * 32 + 1];
};

static bool same_content_times(const struct stat *a, const struct stat *b)
{
    return a->st_size == b->st_size && a->st_mtim.tv_sec == b->st_mtim.tv_sec &&
           a->st_mtim.tv_nsec == b->st_mtim.tv_nsec;
}

static int changed(const struct source *source, struct err *err)
{
    return err_set(err, ERR_UNSUPPORTED,
                   "'%s' was changed after the upload began: send it again when it is complete",
                   source->path);
}

static int look(const struct source *source, struct stat *ret, struct err *err)
{
    struct stat status;
    if (fstat(source->fd, &status) < 0)
        return err_set_errno(err, errno, "cannot look at '%s'", source->path);
    if (!same_content_times(&status, &source->status))
        return changed(source, err);
    *ret = status;
    return 0;
}

/* As many bytes as asked for; fewer mean that the file shrank. */
static int read_range(const struct source *source, int64_t offset, void *buffer, size_t size,
                      struct err *err)
{
    for (size_t done = 0; done < size;) {
        ssize_t n = pread(source->fd, (char *)buffer + done, size - done, offset + (int64_t)done);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return err_set_errno(err, errno, "cannot read '%s'", source->path);
        if (n == 0)
            return changed(source, err);
        done += (size_t)n;
    }
    return 0;
}

int source_read(const struct source *source, int64_t offset, void *buffer, size_t size,
                struct err *err)
{
    if (offset < 0 || offset > source_size(source) || (int64_t)size > source_size(source) - offset)
        return err_set(err, ERR_BUG, "'%s' has no such range", source->path);
    int r = read_range(source, offset, buffer, size, err);
    struct stat status;
    return r < 0 ? r : look(source, &status, err);
}

static int digest_range(const struct source *source, const EVP_MD *kind, int64_t offset,
                        int64_t length, unsigned char ret[DIGEST_BYTES], struct err *err)
{
    const struct digest_wish wish = {
        .fd = source->fd, .name = source->path, .kind = kind, .offset = offset, .length = length};
    int64_t bytes = 0;
    int r = digest_read(&wish, ret, &bytes, err);
    return r == 0 && bytes < length ? changed(source, err) : r;
}

static int digest_whole(const struct source *source, char ret[2 * 32 + 1], struct err *err)
{
    unsigned char digest[DIGEST_BYTES];
    int r = digest_range(source, EVP_sha256(), 0, source_size(source), digest, err);
    if (r == 0)
        hex_write(digest, sizeof digest, ret);
    return r;
}

static int check_regular(struct source *source, struct err *err)
{
    if (fstat(source->fd, &source->status) < 0)
        return err_set_errno(err, errno, "cannot look at '%s'", source->path);
    if (S_ISDIR(source->status.st_mode))
        return err_set(err, ERR_UNSUPPORTED, "'%s' is a folder: pack it into one file first",
                       source->path);
    if (!S_ISREG(source->status.st_mode))
        return err_set(err, ERR_UNSUPPORTED, "'%s' is no file: only files can be sent",
                       source->path);
    source->fresh = source->status.st_mtim.tv_sec + CLOCK_TICK >= time(NULL);
    return 0;
}

/* Files of /proc and the like have content that their size does not tell. */
static int check_empty(const struct source *source, struct err *err)
{
    char byte;
    if (source_size(source) > 0 || pread(source->fd, &byte, 1, 0) <= 0)
        return 0;
    return err_set(err, ERR_UNSUPPORTED,
                   "'%s' has content though its size is 0, like the files of /proc: copy it to a "
                   "plain file first",
                   source->path);
}

int source_open(const char *path, struct source **ret, struct err *err)
{
    /* A pipe would block at open. */
    int fd = open(path, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
    if (fd < 0)
        return err_set_errno(err, errno, "cannot open '%s'", path);
    return source_take(fd, path, ret, err);
}

int source_take(int fd, const char *path, struct source **ret, struct err *err)
{
    CLEANUP_FD int taken = fd;
    CLEANUP(source_cleanup) struct source *source = calloc(1, sizeof *source);
    if (!source)
        return err_nomem(err);
    source->fd = taken;
    taken = -1;
    source->path = strdup(path);
    if (!source->path)
        return err_nomem(err);
    int r = check_regular(source, err);
    if (r == 0)
        r = digest_whole(source, source->sha256, err);
    struct stat status;
    if (r == 0)
        r = look(source, &status, err);
    if (r == 0)
        r = check_empty(source, err);
    if (r == 0)
        *ret = TAKE(source);
    return r;
}

void *source_free(struct source *source)
{
    if (!source)
        return NULL;
    io_close(&source->fd);
    free(source->path);
    free(source);
    return NULL;
}

const char *source_path(const struct source *source)
{
    return source->path;
}

const char *source_name(const struct source *source)
{
    const char *slash = strrchr(source->path, '/');
    return slash ? slash + 1 : source->path;
}

int64_t source_size(const struct source *source)
{
    return source->status.st_size;
}

const char *source_sha256(const struct source *source)
{
    return source->sha256;
}

int source_check(const struct source *source, struct err *err)
{
    struct stat status;
    int r = look(source, &status, err);
    if (r < 0)
        return r;
    bool touched = status.st_ctim.tv_sec != source->status.st_ctim.tv_sec ||
                   status.st_ctim.tv_nsec != source->status.st_ctim.tv_nsec;
    if (!touched && !source->fresh)
        return 0;
    char sha256[sizeof source->sha256];
    r = digest_whole(source, sha256, err);
    if (r < 0)
        return r;
    return strcmp(sha256, source->sha256) == 0 ? 0 : changed(source, err);
}

int source_digest(const struct source *source, enum source_digest kind, int64_t offset,
                  int64_t length, unsigned char ret[DIGEST_BYTES], size_t *ret_length,
                  struct err *err)
{
    if (offset < 0 || length < 0 || offset > source_size(source) ||
        length > source_size(source) - offset)
        return err_set(err, ERR_BUG, "'%s' has no such range", source->path);
    const EVP_MD *kinds[] = {
        [SOURCE_MD5] = EVP_md5(), [SOURCE_SHA1] = EVP_sha1(), [SOURCE_SHA256] = EVP_sha256()};
    int r = digest_range(source, kinds[kind], offset, length, ret, err);
    if (r == 0)
        *ret_length = (size_t)EVP_MD_get_size(kinds[kind]);
    return r;
}
