/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * The folders of a spool, and who may change them when.
 *
 * In a shared spool the folders belong to root and are made by the installation: a service that may
 * not set set-group-id bits (RestrictSUIDSGID=) could not make them.
 */
#include "upload/spool/spool.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/stat.h>

#include "upload/spool/spool_private.h"

#define LOCK_PATIENCE_MS 120000 /* the longest it is held: a copy of some GiB to a slow disk */
#define LOCK_PAUSE_NS    10000000

static int make_folder(int parent, const char *folder, const char *name, bool shared,
                       struct err *err)
{
    if (mkdirat(parent, name, 0700) < 0 && errno != EEXIST)
        return err_set_errno(err, errno, "cannot make '%s/%s'", folder, name);
    if (!shared)
        return 0;
    struct stat info;
    mode_t wanted = S_ISGID | 0770;
    if (fstatat(parent, name, &info, AT_SYMLINK_NOFOLLOW) == 0 &&
        (info.st_mode & wanted) != wanted && fchmodat(parent, name, wanted, 0) < 0)
        return err_set_errno(err, errno,
                             "cannot give '%s/%s' to the group of the spool; systemd-tmpfiles "
                             "--create makes it as it should be",
                             folder, name);
    return 0;
}

static int open_folder(int parent, const char *folder, const char *name, int *ret, struct err *err)
{
    int fd = openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (fd < 0 && errno == ENOENT)
        return err_set(err, ERR_NOTFOUND, "'%s' is no spool: it has no '%s'; --add makes one",
                       folder, name);
    if (fd < 0)
        return err_set_errno(err, errno, "cannot open '%s/%s'", folder, name);
    *ret = fd;
    return 0;
}

static int open_folders(struct spool *spool, bool create, struct err *err)
{
    struct {
        const char *name;
        int *fd;
    } const parts[] = {
        {"jobs", &spool->jobs}, {"data", &spool->data}, {"damaged", &spool->damaged}};
    CLEANUP_FD int folder = open(spool->folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (folder < 0 && errno == ENOENT)
        return err_set(err, ERR_NOTFOUND, "there is no spool '%s'; --add makes one", spool->folder);
    struct stat info;
    if (folder < 0 || fstat(folder, &info) < 0)
        return err_set_errno(err, errno, "cannot open the spool '%s'", spool->folder);
    if (info.st_mode & S_IWOTH)
        return err_set(
            err, ERR_DENIED,
            "everybody may write to the spool '%s': chmod o-w, and look at what is in it",
            spool->folder);
    spool->shared = info.st_mode & S_ISGID;
    int r = 0;
    for (size_t i = 0; r == 0 && i < ARRAY_SIZE(parts); i++) {
        if (create)
            r = make_folder(folder, spool->folder, parts[i].name, spool->shared, err);
        if (r == 0)
            r = open_folder(folder, spool->folder, parts[i].name, parts[i].fd, err);
    }
    return r;
}

int spool_open(const char *folder, bool create, const struct spool_limits *limits,
               struct spool **ret, struct err *err)
{
    if (create && mkdir(folder, 0700) < 0 && errno != EEXIST)
        return err_set_errno(err, errno, "cannot make the spool '%s'", folder);
    struct spool *spool = calloc(1, sizeof *spool);
    if (!spool)
        return err_nomem(err);
    spool->jobs = spool->data = spool->damaged = -1;
    spool->folder = strdup(folder);
    if (limits)
        spool->limits = *limits;
    if (spool->limits.max_jobs <= 0)
        spool->limits.max_jobs = SPOOL_MAX_JOBS;
    if (spool->limits.max_bytes <= 0)
        spool->limits.max_bytes = SPOOL_MAX_BYTES;
    if (spool->limits.max_age_s <= 0)
        spool->limits.max_age_s = SPOOL_MAX_AGE_S;
    int r = spool->folder ? open_folders(spool, create, err) : err_nomem(err);
    if (r < 0) {
        spool_close(spool);
        return r;
    }
    *ret = spool;
    return 0;
}

void *spool_close(struct spool *spool)
{
    if (!spool)
        return NULL;
    io_close(&spool->jobs);
    io_close(&spool->data);
    io_close(&spool->damaged);
    free(spool->folder);
    free(spool);
    return NULL;
}

unsigned spool_dropped(const struct spool *spool)
{
    return spool->dropped;
}

int spool_lock(struct spool *spool, struct err *err)
{
    const struct timespec pause = {.tv_nsec = LOCK_PAUSE_NS};
    int64_t end = io_now_ms() + LOCK_PATIENCE_MS;
    while (flock(spool->jobs, LOCK_EX | LOCK_NB) < 0) {
        if (errno != EWOULDBLOCK && errno != EINTR)
            return err_set_errno(err, errno, "cannot lock the spool '%s'", spool->folder);
        if (io_now_ms() > end)
            return err_set(err, ERR_AGAIN, "another process has held the spool '%s' for minutes",
                           spool->folder);
        nanosleep(&pause, NULL);
    }
    return 0;
}

void spool_unlock(struct spool **spool)
{
    if (*spool)
        flock((*spool)->jobs, LOCK_UN);
}

int spool_list(struct spool *spool, struct spool_list *ret, struct err *err)
{
    return store_scan(spool, ret, err);
}

void spool_list_release(struct spool_list *list)
{
    for (size_t i = 0; i < list->count; i++)
        job_release(&list->jobs[i]);
    for (size_t i = 0; i < list->damaged_count; i++) {
        free(list->damaged[i].path);
        free(list->damaged[i].why);
    }
    free(list->jobs);
    free(list->damaged);
    *list = (struct spool_list){0};
}
