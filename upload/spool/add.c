/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * Putting a file into the spool: its bytes first, then the job, each whole and on disk before it
 * has its name. The digest is that of what lies in the spool, so a file that is replaced or that
 * changes meanwhile does no harm.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "common/url_text.h"
#include "upload/spool/spool_private.h"

#define COPY_BYTES (256 << 10)

static int fail_incoming(struct spool *spool, int cause, struct err *err)
{
    return err_set_errno(err, cause, "cannot put the file into '%s/data'", spool->folder);
}

static bool is_same(const struct stat *a, const struct stat *b)
{
    return a->st_size == b->st_size && a->st_mtim.tv_sec == b->st_mtim.tv_sec &&
           a->st_mtim.tv_nsec == b->st_mtim.tv_nsec;
}

static int copy(struct spool *spool, int from, const char *path, struct err *err)
{
    CLEANUP_FREE char *buffer = malloc(COPY_BYTES);
    if (!buffer)
        return err_nomem(err);
    CLEANUP_FD int to = openat(spool->data, STORE_INCOMING,
                               O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
    if (to < 0)
        return fail_incoming(spool, errno, err);
    struct stat before, after;
    if (fstat(from, &before) < 0)
        return err_set_errno(err, errno, "cannot read '%s'", path);
    for (;;) {
        ssize_t got = read(from, buffer, COPY_BYTES);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return err_set_errno(err, errno, "cannot read '%s'", path);
        if (got == 0)
            break;
        int r = io_write_all(to, buffer, (size_t)got);
        if (r < 0)
            return fail_incoming(spool, -r, err);
    }
    if (fstat(from, &after) < 0 || !is_same(&before, &after))
        return err_set(err, ERR_UNSUPPORTED, "'%s' changed while it was copied; add it again",
                       path);
    if (fchmod(to, store_mode(spool)) < 0 || fsync(to) < 0)
        return fail_incoming(spool, errno, err);
    return 0;
}

/* The inode that was opened, whatever has its name now. */
static bool hard_link(struct spool *spool, int from)
{
    char path[40];
    snprintf(path, sizeof path, "/proc/self/fd/%d", from);
    return linkat(AT_FDCWD, path, spool->data, STORE_INCOMING, AT_SYMLINK_FOLLOW) == 0;
}

static int bring_in(struct spool *spool, const char *path, struct err *err)
{
    CLEANUP_FD int from = open(path, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
    struct stat info;
    if (from < 0 && errno == ENOENT)
        return err_set(err, ERR_NOTFOUND, "there is no file '%s'", path);
    if (from < 0 && errno == EACCES)
        return err_set(err, ERR_DENIED, "'%s' may not be read by this user", path);
    if (from < 0 || fstat(from, &info) < 0)
        return err_set_errno(err, errno, "cannot open '%s'", path);
    if (!S_ISREG(info.st_mode))
        return err_set(err, ERR_UNSUPPORTED, "'%s' is no file", path);
    if (info.st_size > spool->limits.max_bytes)
        return spool_make_room(spool, info.st_size, err);
    /* The group of a shared spool may read what is in it, and nothing else of ours: so, a copy. */
    if (spool->shared || !hard_link(spool, from))
        return copy(spool, from, path, err);
    return fsync(from) == 0 ? 0 : fail_incoming(spool, errno, err);
}

static int identify(struct spool *spool, struct job *job, struct err *err)
{
    CLEANUP(source_cleanup) struct source *source = NULL;
    int r = store_open_data(spool, STORE_INCOMING, &source, err);
    if (r < 0)
        return r;
    job->bytes = source_size(source);
    snprintf(job->sha256, sizeof job->sha256, "%s", source_sha256(source));
    return job_make_id(job->sha256, job->url, job->id, err);
}

static int move_in(struct spool *spool, const struct job *job, struct err *err)
{
    if (renameat(spool->data, STORE_INCOMING, spool->data, job->id) < 0 || fsync(spool->data) < 0)
        return fail_incoming(spool, errno, err);
    return 0;
}

static int replace_options(struct job *job, const struct job *with, struct err *err)
{
    for (size_t i = 0; i < job->option_count; i++) {
        free(job->options[i].name);
        free(job->options[i].value);
    }
    job->option_count = 0;
    int r = job_set_text(&job->credential, with->credential, err);
    for (size_t i = 0; r == 0 && i < with->option_count; i++)
        r = job_set_option(job, with->options[i].name, with->options[i].value, err);
    return r;
}

/* The job is there: what was said this time counts, and what stood still goes on. */
static int renew(struct spool *spool, const struct job *job, struct job *known,
                 enum spool_added *ret, struct err *err)
{
    if (known->state == JOB_DONE) {
        *ret = SPOOL_DONE;
        return 0;
    }
    known->owner = geteuid();
    enum spool_added what = known->state == JOB_WAITING ? SPOOL_KNOWN : SPOOL_REVIVED;
    int r = replace_options(known, job, err);
    if (r == 0)
        r = job_set_text(&known->file, job->file, err);
    if (r == 0 && what == SPOOL_REVIVED) {
        known->state = JOB_WAITING;
        known->failures = known->unsettled = known->next_try = 0;
        known->added = time(NULL);
    }
    if (r == 0) /* the data may have been lost, or damaged */
        r = move_in(spool, job, err);
    if (r == 0)
        r = store_save(spool, known, err);
    if (r == 0)
        *ret = what;
    return r;
}

static int add_new(struct spool *spool, struct job *job, enum spool_added *ret, struct err *err)
{
    /* What lies in data/ as an incoming file has a hidden name and is not counted yet. */
    int r = spool_make_room(spool, job->bytes, err);
    job->state = JOB_WAITING;
    job->owner = geteuid();
    job->added = time(NULL);
    if (r == 0)
        r = move_in(spool, job, err);
    if (r == 0)
        r = store_save(spool, job, err);
    if (r == 0)
        *ret = SPOOL_NEW;
    return r;
}

static int settle(struct spool *spool, struct job *job, enum spool_added *ret, struct err *err)
{
    char name[JOB_ID_DIGITS + sizeof ".json"];
    struct job known = JOB_INIT;
    struct err cause = ERR_INIT;
    store_name(job->id, name);
    int r = store_load(spool, name, &known, &cause);
    if (r == 0) {
        r = renew(spool, job, &known, ret, err);
        struct job added = known;
        known = *job;
        *job = added;
        job_release(&known);
        return r;
    }
    return r == ERR_NOTFOUND ? add_new(spool, job, ret, err) : err_pass(err, r, &cause);
}

/* A link keeps its own name: it is the user's name for the file. */
static int make_absolute(const char *file, char **ret, struct err *err)
{
    CLEANUP_FREE char *here = *file == '/' ? strdup("") : getcwd(NULL, 0);
    if (!here)
        return err_set_errno(err, errno, "cannot tell the current folder");
    return asprintf(ret, "%s%s%s", here, *here ? "/" : "", file) < 0 ? err_nomem(err) : 0;
}

/* Wakes whoever watches for it; a timer comes anyway, so a failure is no matter. */
static void wake(struct spool *spool)
{
    CLEANUP_FD int fd =
        openat(spool->jobs, STORE_WAKE, O_WRONLY | O_CREAT | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC,
               store_mode(spool));
    if (fd >= 0)
        futimens(fd, NULL);
}

int spool_add(struct spool *spool, struct job *job, enum spool_added *ret, struct err *err)
{
    spool->dropped = 0;
    CLEANUP_FREE char *path = NULL;
    int r = url_text_check_signs(job->url, err);
    if (r == 0)
        r = make_absolute(job->file, &path, err);
    if (r == 0)
        r = spool_lock(spool, err);
    if (r < 0)
        return r;
    CLEANUP(spool_unlock) struct spool *locked = spool;
    r = spool_sweep(spool, NULL, NULL, err);
    if (r == 0)
        r = bring_in(spool, path, err);
    if (r == 0)
        r = identify(spool, job, err);
    if (r == 0)
        r = job_set_text(&job->file, path, err);
    if (r == 0)
        r = settle(spool, job, ret, err);
    unlinkat(spool->data, STORE_INCOMING, 0);
    if (r == 0 && *ret != SPOOL_DONE)
        wake(spool);
    return r;
}
