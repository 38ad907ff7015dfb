/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * The folder is 0750 and small files are 0640: who gives the folder to a group (and sets its
 * set-group-id bit) lets the monitoring of that group read the status. Archives are for root alone.
 */
#include "healthcheck/history/store.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "common/io.h"
#include "common/replace.h"

#define FOLDER_MODE 0750
#define FILE_MODE   0640
#define WORK_MODE   0700
#define WORK_DEPTH  4         /* of what a run, or a program that it started, can have left there */
#define LEAST_FREE  (1 << 20) /* bytes of the disk: a small report and the history */

struct store {
    char *path;
    int fd;
    int lock_fd; /* -1: not ours */
};

static const char *const folders[] = {"reports", "latest", NULL};

static int make_folder(const char *path, int dirfd, const char *name, mode_t mode, struct err *err)
{
    if (mkdirat(dirfd, name, mode) == 0 || errno == EEXIST)
        return 0;
    return err_set_errno(err, errno, "cannot make the folder '%s/%s'", path, name);
}

/* Whoever else could write there could lead a run of root's anywhere. */
static int check_owner(const char *path, int fd, struct err *err)
{
    struct stat status;
    if (fstat(fd, &status) < 0)
        return err_set_errno(err, errno, "cannot look at '%s'", path);
    if (status.st_uid != geteuid() && status.st_uid != 0)
        return err_set(err, ERR_DENIED,
                       "the folder '%s' belongs to somebody else (user %u): look at what is in it, "
                       "and chown it",
                       path, (unsigned)status.st_uid);
    if (status.st_mode & (S_IWGRP | S_IWOTH))
        return err_set(err, ERR_DENIED,
                       "others may write to the folder '%s': look at what is in it, and chmod "
                       "go-w",
                       path);
    return 0;
}

static int make_all(const char *path, struct err *err)
{
    if (mkdir(path, FOLDER_MODE) < 0 && errno != EEXIST)
        return err_set_errno(err, errno, "cannot make the folder '%s'", path);
    CLEANUP_FD int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0)
        return err_set_errno(err, errno, "cannot open the folder '%s'", path);
    int r = check_owner(path, fd, err);
    for (const char *const *each = folders; r == 0 && *each; each++)
        r = make_folder(path, fd, *each, FOLDER_MODE, err);
    return r;
}

static int explain_closed(const char *path, int sysno, struct err *err)
{
    if (sysno == ENOENT)
        return err_set(err, ERR_NOTFOUND, "there is no '%s' yet", path);
    err_set_errno(err, sysno, "cannot read '%s'", path);
    return err->code = sysno == EACCES ? ERR_DENIED : err->code;
}

int store_open(const char *path, bool for_writing, struct store **ret, struct err *err)
{
    int r = for_writing ? make_all(path, err) : 0;
    if (r < 0)
        return r;
    CLEANUP_FD int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0)
        return explain_closed(path, errno, err);
    struct store *store = calloc(1, sizeof *store);
    char *copy = strdup(path);
    if (!store || !copy) {
        free(store);
        free(copy);
        return err_nomem(err);
    }
    *store = (struct store){.path = copy, .fd = fd, .lock_fd = -1};
    fd = -1;
    *ret = store;
    return 0;
}

void *store_close(struct store *store)
{
    if (store) {
        io_close(&store->lock_fd);
        io_close(&store->fd);
        free(store->path);
        free(store);
    }
    return NULL;
}

const char *store_path(const struct store *store)
{
    return store->path;
}

int store_fd(const struct store *store)
{
    return store->fd;
}

static bool is_full(int fd)
{
    struct statvfs disk;
    if (fstatvfs(fd, &disk) < 0)
        return false;
    bool no_names = disk.f_files > 0 && disk.f_ffree == 0; /* some file systems do not count */
    return no_names || (uint64_t)disk.f_bfree * disk.f_frsize < LEAST_FREE;
}

int store_check(const struct store *store, struct err *err)
{
    int r = check_owner(store->path, store->fd, err);
    if (r < 0)
        return r;
    if (faccessat(store->fd, ".", W_OK, 0) < 0 && errno == EROFS)
        return err_set(err, ERR_IO,
                       "'%s' is on a file system that is read-only: look with dmesg why, and mount "
                       "it read-write",
                       store->path);
    if (is_full(store->fd))
        return err_set(err, ERR_IO, "the disk of '%s' is full: make room on it", store->path);
    return 0;
}

int store_lock(struct store *store, struct err *err)
{
    CLEANUP_FD int fd =
        openat(store->fd, "lock", O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, FILE_MODE);
    if (fd < 0)
        return err_set_errno(err, errno, "cannot open '%s/lock'", store->path);
    if (flock(fd, LOCK_EX | LOCK_NB) < 0) {
        if (errno == EWOULDBLOCK)
            return err_set(err, ERR_AGAIN, "another health check is at work on this host");
        return err_set_errno(err, errno, "cannot lock '%s/lock'", store->path);
    }
    store->lock_fd = fd;
    fd = -1;
    return 0;
}

bool store_is_locked(const struct store *store)
{
    CLEANUP_FD int fd = openat(store->fd, "lock", O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
    return fd >= 0 && flock(fd, LOCK_SH | LOCK_NB) < 0 && errno == EWOULDBLOCK;
}

int store_read(const struct store *store, const char *name, struct strbuf *ret, struct err *err)
{
    struct err why = ERR_INIT;
    int r = io_read_file(store->fd, name, STORE_MAX_BYTES, ret, &why);
    if (r < 0 && why.sysno == ENOENT)
        return 0;
    if (r < 0) {
        err_prefix(&why, r, "%s", store->path);
        why.code = why.sysno == EACCES ? ERR_DENIED : why.code;
        *err = why;
        return why.code;
    }
    return 0;
}

int store_write(const struct store *store, const char *name, const struct strbuf *content,
                struct err *err)
{
    return replace_file(store->fd, store->path, name, content->data, content->length, FILE_MODE,
                        err);
}

int store_remove(const struct store *store, const char *name, struct err *err)
{
    return replace_remove(store->fd, store->path, name, err);
}

void store_set_aside(const struct store *store, const char *name, const char *why,
                     struct strbuf *notes)
{
    char aside[64];
    snprintf(aside, sizeof aside, "%s" STORE_ASIDE, name);
    bool moved = renameat(store->fd, name, store->fd, aside) == 0;
    strbuf_addf(notes, "%s/%s was damaged (%s) and %s.\n", store->path, name, why,
                moved ? "was set aside as *.damaged; a new one is begun" : "could not be moved");
}

static bool is_uuid(const char *text)
{
    return strlen(text) == 36 && strspn(text, "0123456789abcdef-") == 36;
}

/* A random one, version 4 of RFC 9562. */
static int make_uuid(char uuid[STORE_UUID_BYTES], struct err *err)
{
    unsigned char bytes[16];
    if (getrandom(bytes, sizeof bytes, 0) != sizeof bytes)
        return err_set_errno(err, errno, "the system has no random numbers");
    bytes[6] = (bytes[6] & 0x0f) | 0x40;
    bytes[8] = (bytes[8] & 0x3f) | 0x80;
    char *out = uuid;
    for (unsigned i = 0; i < sizeof bytes; i++)
        out += snprintf(out, 4, i == 4 || i == 6 || i == 8 || i == 10 ? "-%02x" : "%02x", bytes[i]);
    return 0;
}

int store_uuid(const struct store *store, char ret[STORE_UUID_BYTES], struct err *err)
{
    CLEANUP(strbuf_release) struct strbuf text = STRBUF_INIT;
    int r = store_read(store, "service", &text, err);
    ret[0] = '\0';
    if (r < 0)
        return r;
    text.data[strcspn(text.data, "\n")] = '\0';
    if (is_uuid(text.data)) {
        snprintf(ret, STORE_UUID_BYTES, "%s", text.data);
        return 0;
    }
    if (store->lock_fd < 0) /* only a run may make one */
        return 0;
    r = make_uuid(ret, err);
    if (r < 0)
        return r;
    strbuf_clear(&text);
    strbuf_addf(&text, "%s\n", ret);
    return store_write(store, "service", &text, err);
}

static bool is_dot(const char *name)
{
    return strcmp(name, ".") == 0 || strcmp(name, "..") == 0;
}

/* Best effort: links are removed, not followed. */
static void remove_tree(int at, const char *name, unsigned depth)
{
    if (unlinkat(at, name, 0) == 0 || errno == ENOENT || depth == 0)
        return;
    int fd = openat(at, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    CLEANUP_DIR DIR *folder = fd < 0 ? NULL : fdopendir(fd);
    if (!folder) {
        io_close(&fd);
        return;
    }
    for (struct dirent *entry = readdir(folder); entry; entry = readdir(folder))
        if (!is_dot(entry->d_name))
            remove_tree(dirfd(folder), entry->d_name, depth - 1);
    unlinkat(at, name, AT_REMOVEDIR);
}

int store_empty_work(const struct store *store, struct strbuf *ret, struct err *err)
{
    remove_tree(store->fd, "work", WORK_DEPTH);
    int r = make_folder(store->path, store->fd, "work", WORK_MODE, err);
    if (r == 0 && ret)
        strbuf_addf(ret, "%s/work", store->path);
    return r;
}

static int open_folder(const struct store *store, const char *name, int *ret, struct err *err)
{
    int fd = openat(store->fd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (fd < 0 && errno == ENOTDIR)
        return err_set(err, ERR_UNSUPPORTED,
                       "'%s/%s' is a link or a file, and must be a folder: remove it (a folder "
                       "elsewhere can be mounted there: mount --bind)",
                       store->path, name);
    if (fd < 0)
        return err_set_errno(err, errno, "cannot open '%s/%s'", store->path, name);
    *ret = fd;
    return 0;
}

int store_keep(const struct store *store, const char *from, const char *folder, const char *to,
               struct err *err)
{
    CLEANUP_FD int work = -1, target = -1;
    int r = open_folder(store, "work", &work, err);
    if (r == 0)
        r = open_folder(store, folder, &target, err);
    if (r < 0)
        return r;
    mode_t mode = strcmp(folder, "latest") == 0 ? FILE_MODE : 0600;
    CLEANUP_FD int fd = openat(work, from, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
    if (fd < 0 || fchmod(fd, mode) < 0 || fsync(fd) < 0 || renameat(work, from, target, to) < 0 ||
        fsync(target) < 0)
        return err_set_errno(err, errno, "cannot keep '%s/%s/%s'", store->path, folder, to);
    return 0;
}
