/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * A copy to a folder of this host, which may well be a share of another one.
 *
 * The copy grows under a temporary name that is made of the source's digest, so that it can be
 * found and continued without a record; what is there already is compared before it is believed.
 * The name is given when the whole copy is on disk and was read back right. A file of that name
 * is never written over: it may be somebody else's report.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <strings.h>
#include <sys/file.h>
#include <sys/stat.h>

#include "common/digest.h"
#include "common/io.h"
#include "common/percent.h"
#include "upload/protocols/transfer.h"

#define PIECE      (1 << 20) /* between two looks at `cancelled` */
#define TAG_DIGITS 16        /* of the digest in the temporary name */

struct place {
    char folder[PATH_MAX], name[NAME_MAX + 1], part[NAME_MAX + 1];
    int dirfd, fd;
};

static void place_close(struct place *place)
{
    io_close(&place->fd);
    io_close(&place->dirfd);
}

/* The path of the URL, percent-decoded. */
static int path_of(const char *url, char *ret, size_t size, struct err *err)
{
    CLEANUP(strbuf_release) struct strbuf decoded = STRBUF_INIT;
    const char *path = strstr(url, "://") + 3;
    if (strncasecmp(path, "localhost/", 10) == 0)
        path += 9;
    if (*path != '/')
        return err_set(err, ERR_USAGE,
                       "file:// has no servers: write file:///FOLDER/ with three slashes");
    if (strchr(path, '?'))
        return err_set(err, ERR_USAGE,
                       "file:// takes no query: write %%3F for a question mark in the path");
    int r = percent_decode(path, &decoded, err);
    if (r < 0)
        return r;
    if (strlen(decoded.data) < decoded.length)
        return err_set(err, ERR_USAGE, "the URL's path has a %%00 in it, which no path can have");
    if (decoded.length >= size)
        return err_set(err, ERR_USAGE, "the URL's path is too long");
    memcpy(ret, decoded.data, decoded.length + 1);
    return 0;
}

static int check(const struct target *target, const struct transfer_options *options,
                 struct err *err)
{
    char path[PATH_MAX];
    (void)options;
    return path_of(target->url, path, sizeof path, err);
}

/* A folder takes the file under its own name, anything else is the name. */
static int find_place(const struct transfer *transfer, struct place *place, struct err *err)
{
    char path[PATH_MAX];
    struct stat status;
    int r = path_of(transfer->target->url, path, sizeof path, err);
    if (r < 0)
        return r;
    char *slash = strrchr(path, '/');
    bool is_folder = !slash[1] || (stat(path, &status) == 0 && S_ISDIR(status.st_mode));
    const char *name = is_folder ? transfer_name(transfer) : slash + 1;
    if (strchr(name, '/') || strcmp(name, ".") == 0 || strcmp(name, "..") == 0 || !*name ||
        strlen(name) + TAG_DIGITS + sizeof "..part" > sizeof place->part)
        return err_set(err, ERR_USAGE, "'%s' cannot be the name of a file", name);
    int length = is_folder ? (int)strlen(path) : (int)(slash - path) + 1;
    snprintf(place->folder, sizeof place->folder, "%.*s", length, path);
    snprintf(place->name, sizeof place->name, "%s", name);
    snprintf(place->part, sizeof place->part, ".%s.%.*s.part", name, TAG_DIGITS,
             source_sha256(transfer->source));
    return 0;
}

static bool is_full(int sysno)
{
    return sysno == ENOSPC || sysno == EDQUOT;
}

/* A share whose server is away, and one that is full, may be otherwise in a minute. */
static int fail(int sysno, struct err *err, const char *what, const struct place *place,
                const char *name)
{
    bool later = sysno == EIO || sysno == ESTALE || sysno == ETIMEDOUT || sysno == EHOSTDOWN ||
                 sysno == EHOSTUNREACH || sysno == ENOTCONN || sysno == ECONNRESET ||
                 is_full(sysno);
    const char *slash = place->folder[strlen(place->folder) - 1] == '/' ? "" : "/";
    if (sysno == EROFS) /* as xen-upload.service sees all but its spool */
        return err_set(err, ERR_DENIED,
                       "cannot %s '%s%s%s': the file system is read-only; mount it read-write, or "
                       "name it in ReadWritePaths= of the service that sends",
                       what, place->folder, slash, name);
    int r = err_set_errno(err, sysno, "cannot %s '%s%s%s'", what, place->folder, slash, name);
    if (later || sysno == EFBIG)
        r = later ? ERR_AGAIN : ERR_LIMIT;
    err->code = r;
    return r;
}

static bool is_cancelled(const struct transfer *transfer)
{
    return transfer->cancelled && atomic_load(transfer->cancelled);
}

static int stopped(struct err *err)
{
    return err_set(err, ERR_CANCELLED, "stopped on request");
}

/* SHA-256 of the first `length` bytes of a file. */
static int digest_file(const struct transfer *transfer, const struct place *place, int fd,
                       int64_t length, unsigned char ret[DIGEST_BYTES], struct err *err)
{
    const struct digest_wish wish = {.fd = fd,
                                     .name = place->name,
                                     .kind = EVP_sha256(),
                                     .length = length,
                                     .cancelled = transfer->cancelled};
    struct err cause = ERR_INIT;
    int64_t bytes = 0;
    int r = digest_read(&wish, ret, &bytes, &cause);
    if (cause.sysno || (r == 0 && bytes < length))
        return fail(cause.sysno ? cause.sysno : EIO, err, "read", place, place->name);
    return err_pass(err, r, &cause);
}

/* Whether the file has the first `length` bytes of the source. */
static int same_bytes(const struct transfer *transfer, const struct place *place, int fd,
                      int64_t length, bool *ret, struct err *err)
{
    unsigned char ours[DIGEST_BYTES], wanted[DIGEST_BYTES];
    size_t size = 0;
    int r = digest_file(transfer, place, fd, length, ours, err);
    if (r == 0)
        r = source_digest(transfer->source, SOURCE_SHA256, 0, length, wanted, &size, err);
    if (r == 0)
        *ret = memcmp(ours, wanted, size) == 0;
    return r;
}

/* *ret: the file is there with our bytes, nothing is left to do. */
static int look_at_name(const struct transfer *transfer, const struct place *place, bool *ret,
                        struct err *err)
{
    struct stat status;
    bool same = false;
    CLEANUP_FD int fd = openat(place->dirfd, place->name,
                               O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
    *ret = false;
    if (fd < 0 && errno == ENOENT)
        return 0;
    if (fd < 0 && errno != ELOOP)
        return fail(errno, err, "open", place, place->name);
    if (fd >= 0 && fstat(fd, &status) == 0 && S_ISREG(status.st_mode) &&
        status.st_size == source_size(transfer->source)) {
        int r = same_bytes(transfer, place, fd, status.st_size, &same, err);
        if (r < 0)
            return r;
    }
    *ret = same;
    return same ? 0
                : err_set(err, ERR_EXISTS,
                          "'%s' is in '%s' already, with other content: remove it, or choose "
                          "another name with --name",
                          place->name, place->folder);
}

/* Opens the temporary file, which must be ours alone, and finds out how much of it can be kept. */
static int open_part(struct transfer *transfer, struct place *place, struct err *err)
{
    struct stat status;
    bool same = true;
    place->fd = openat(place->dirfd, place->part, O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);
    if (place->fd < 0 || fstat(place->fd, &status) < 0)
        return fail(errno, err, "write", place, place->part);
    if (!S_ISREG(status.st_mode) || status.st_uid != geteuid() || status.st_nlink != 1)
        return err_set(err, ERR_DENIED, "'%s' in '%s' is not ours: remove it", place->part,
                       place->folder);
    if (flock(place->fd, LOCK_EX | LOCK_NB) < 0 && errno == EWOULDBLOCK)
        return err_set(err, ERR_AGAIN, "another process is writing '%s'", place->name);
    /* Not needed to go on, but to know that there is something to abandon. */
    int r = record_set(transfer->record, "part", "yes", err);
    if (r == 0)
        r = record_save(transfer->record, err);
    if (r < 0)
        return r;
    int64_t have = status.st_size;
    r = have <= source_size(transfer->source)
            ? same_bytes(transfer, place, place->fd, have, &same, err)
            : 0;
    if (r < 0)
        return r;
    if (!same || have > source_size(transfer->source))
        have = 0;
    if (have < status.st_size && ftruncate(place->fd, 0) < 0)
        return fail(errno, err, "write", place, place->part);
    if (have > 0)
        transfer_say(transfer, "%s has %lld bytes already", place->folder, (long long)have);
    transfer_confirm(transfer, have);
    return 0;
}

static int copy(struct transfer *transfer, const struct place *place, struct err *err)
{
    CLEANUP_FREE char *piece = malloc(PIECE);
    int64_t at = transfer->confirmed, size = source_size(transfer->source);
    int r = piece ? 0 : err_nomem(err);
    if (r == 0 && lseek(place->fd, at, SEEK_SET) < 0)
        r = fail(errno, err, "write", place, place->part);
    while (r == 0 && at < size) {
        size_t length = size - at < PIECE ? (size_t)(size - at) : PIECE;
        if (is_cancelled(transfer))
            return stopped(err);
        r = source_read(transfer->source, at, piece, length, err);
        int written = r == 0 ? io_write_all(place->fd, piece, length) : 0;
        if (written < 0)
            r = fail(-written, err, "write", place, place->part);
        if (is_full(-written)) { /* what is full must not stay so because of us */
            unlinkat(place->dirfd, place->part, 0);
            transfer_confirm(transfer, 0);
        }
        at += (int64_t)length;
        if (r == 0)
            transfer_confirm(transfer, at);
    }
    return r;
}

/* Synced, read back from the disk where that can be had, compared. */
static int verify(const struct transfer *transfer, const struct place *place, struct err *err)
{
    int64_t size = source_size(transfer->source);
    bool same = false;
    if (fsync(place->fd) < 0)
        return fail(errno, err, "sync", place, place->part);
    posix_fadvise(place->fd, 0, 0, POSIX_FADV_DONTNEED);
    int r = same_bytes(transfer, place, place->fd, size, &same, err);
    if (r == 0)
        r = source_check(transfer->source, err);
    if (r < 0)
        return r;
    if (same)
        return 0;
    unlinkat(place->dirfd, place->part, 0);
    return err_set(err, ERR_AGAIN, "what '%s' gives back is not what was written: look at its disk",
                   place->folder);
}

/* Without a file system's help (old NFS, FAT) a hard link refuses to replace, too; without those
 * there is the look that was taken before. */
static int give_name(const struct place *place, struct err *err)
{
    int r = renameat2(place->dirfd, place->part, place->dirfd, place->name, RENAME_NOREPLACE);
    if (r < 0 && (errno == EINVAL || errno == ENOSYS)) {
        r = linkat(place->dirfd, place->part, place->dirfd, place->name, 0);
        if (r == 0)
            unlinkat(place->dirfd, place->part, 0);
        else if (errno == EPERM || errno == EOPNOTSUPP || errno == ENOSYS)
            r = renameat(place->dirfd, place->part, place->dirfd, place->name);
    }
    if (r < 0 && errno == EEXIST)
        return err_set(err, ERR_EXISTS, "'%s' came into '%s' meanwhile: choose another name",
                       place->name, place->folder);
    if (r < 0 || fsync(place->dirfd) < 0)
        return fail(errno, err, "write", place, place->name);
    return 0;
}

static int open_place(const struct transfer *transfer, struct place *place, struct err *err)
{
    int r = find_place(transfer, place, err);
    if (r < 0)
        return r;
    place->dirfd = open(place->folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    return place->dirfd < 0 ? fail(errno, err, "open the folder", place, "") : 0;
}

static int send(struct transfer *transfer, struct err *err)
{
    CLEANUP(place_close) struct place place = {.dirfd = -1, .fd = -1};
    bool done = false;
    int r = open_place(transfer, &place, err);
    if (r == 0)
        r = look_at_name(transfer, &place, &done, err);
    if (r == 0 && done) {
        transfer_say(transfer, "%s has the file already", place.folder);
        transfer_confirm(transfer, source_size(transfer->source));
        unlinkat(place.dirfd, place.part, 0);
    } else if (r == 0) {
        r = open_part(transfer, &place, err);
        if (r == 0)
            r = copy(transfer, &place, err);
        if (r == 0)
            r = verify(transfer, &place, err);
        if (r == 0)
            r = give_name(&place, err);
    }
    if (r == 0)
        snprintf(transfer->id, sizeof transfer->id, "%s", place.name);
    return r;
}

static void describe(const struct transfer *transfer, struct strbuf *out)
{
    struct place place = {.dirfd = -1, .fd = -1};
    struct stat status;
    struct err err = ERR_INIT;
    if (find_place(transfer, &place, &err) < 0) {
        strbuf_addf(out, "nothing: %s\n", err.text);
        return;
    }
    strbuf_addf(out, "copy to '%s' in '%s'\n", place.part, place.folder);
    strbuf_addf(out, "sync it, read it back, compare, and rename it to '%s'\n", place.name);
    CLEANUP_FD int dirfd = open(place.folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (dirfd < 0)
        strbuf_addf(out, "but '%s' cannot be opened\n", place.folder);
    else if (fstatat(dirfd, place.part, &status, AT_SYMLINK_NOFOLLOW) == 0)
        strbuf_addf(out, "%lld bytes of it are there from an earlier run\n",
                    (long long)status.st_size);
}

static void abandon(struct transfer *transfer)
{
    CLEANUP(place_close) struct place place = {.dirfd = -1, .fd = -1};
    if (open_place(transfer, &place, &(struct err)ERR_INIT) == 0)
        unlinkat(place.dirfd, place.part, 0);
}

static const char *const schemes[] = {"file", NULL};

const struct protocol protocol_file = {
    .name = "file",
    .schemes = schemes,
    .summary = "a folder of this host, or a share that is mounted there",
    .check = check,
    .describe = describe,
    .send = send,
    .abandon = abandon,
};
