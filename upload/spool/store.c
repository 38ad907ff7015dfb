/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * Files of jobs on disk. A job that changes is written beside, synced and renamed, so that whoever
 * reads, at any time, sees the old or the new one. Names and files are read without following
 * links: in a shared spool the two sides do not trust each other more than they must.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "common/replace.h"
#include "common/vec.h"
#include "upload/spool/spool_private.h"

#define MAX_NAMES 10000 /* of a folder; the spool's own limits are far below */

mode_t store_mode(const struct spool *spool)
{
    return spool->shared ? 0640 : 0600;
}

void store_name(const char *id, char ret[JOB_ID_DIGITS + sizeof ".json"])
{
    snprintf(ret, JOB_ID_DIGITS + sizeof ".json", "%s.json", id);
}

bool store_is_damage(int code)
{
    return code == ERR_PARSE || code == ERR_LIMIT || code == ERR_UNSUPPORTED;
}

static int read_job_file(struct spool *spool, const char *name, struct strbuf *bytes,
                         uid_t *ret_owner, struct err *err)
{
    CLEANUP_FD int fd =
        openat(spool->jobs, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
    struct stat info;
    if (fd < 0 && errno == ENOENT)
        return err_set(err, ERR_NOTFOUND, "there is no job '%s'", name);
    if (fd < 0 && errno != ELOOP)
        return err_set_errno(err, errno, "cannot open the job '%s'", name);
    if (fd < 0 || fstat(fd, &info) < 0 || !S_ISREG(info.st_mode))
        return err_set(err, ERR_UNSUPPORTED, "'%s' is no file", name);
    *ret_owner = info.st_uid;
    return io_read_all(fd, JOB_MAX_BYTES, bytes, name, err);
}

int store_load(struct spool *spool, const char *name, struct job *ret, struct err *err)
{
    struct strbuf bytes = STRBUF_INIT;
    struct job job = JOB_INIT;
    uid_t owner = 0;
    int r = read_job_file(spool, name, &bytes, &owner, err);
    if (r == 0)
        r = job_parse(name, bytes.data, bytes.length, &job, err);
    strbuf_release(&bytes);
    if (r < 0)
        return r;
    char wanted[JOB_ID_DIGITS + sizeof ".json"];
    store_name(job.id, wanted);
    if (strcmp(name, wanted) != 0) {
        job_release(&job);
        return err_set(err, ERR_PARSE, "'%s' holds the job of '%s'", name, wanted);
    }
    *ret = job;
    ret->owner = owner;
    return 0;
}

int store_save(struct spool *spool, const struct job *job, struct err *err)
{
    char name[JOB_ID_DIGITS + sizeof ".json"], folder[PATH_MAX];
    struct strbuf bytes = STRBUF_INIT;
    store_name(job->id, name);
    snprintf(folder, sizeof folder, "%s/jobs", spool->folder);
    int r = job_format(job, &bytes, err);
    if (r == 0 && bytes.length > JOB_MAX_BYTES)
        r = err_set(err, ERR_LIMIT, "the names and options of '%s' are too long for the spool",
                    job->file);
    /* What root rewrites of another user's job stays theirs, or root's worker would obey it. */
    uid_t owner = geteuid() == 0 ? job->owner : geteuid();
    if (r == 0)
        r = replace_file_of(spool->jobs, folder, name, bytes.data, bytes.length, store_mode(spool),
                            owner, err);
    strbuf_release(&bytes);
    return r;
}

int store_open_data(struct spool *spool, const char *name, struct source **ret, struct err *err)
{
    char path[PATH_MAX];
    int fd = openat(spool->data, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
    if (fd < 0 && errno == ELOOP)
        return err_set(err, ERR_UNSUPPORTED, "what lies in the spool is no file; add it again");
    if (fd < 0)
        return err_set_errno(err, errno, "cannot open '%s/data/%s'", spool->folder, name);
    snprintf(path, sizeof path, "%s/data/%s", spool->folder, name);
    return source_take(fd, path, ret, err);
}

void store_remove_data(struct spool *spool, const char *id)
{
    unlinkat(spool->data, id, 0); /* what stays is swept by the next run */
}

int store_forget(struct spool *spool, const struct job *job, struct err *err)
{
    char name[JOB_ID_DIGITS + sizeof ".json"], folder[PATH_MAX];
    store_name(job->id, name);
    snprintf(folder, sizeof folder, "%s/jobs", spool->folder);
    int r = replace_remove(spool->jobs, folder, name, err);
    if (r == 0)
        store_remove_data(spool, job->id);
    return r;
}

int store_each(int folder, bool hidden, void (*each)(void *context, int folder, const char *name),
               void *context, struct err *err)
{
    int fd = openat(folder, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    CLEANUP_DIR DIR *names = fd < 0 ? NULL : fdopendir(fd);
    if (!names) {
        int cause = errno;
        io_close(&fd);
        return err_set_errno(err, cause, "cannot read a folder of the spool");
    }
    struct dirent *entry;
    for (int i = 0; i < MAX_NAMES && (entry = readdir(names));)
        if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0 &&
            (entry->d_name[0] == '.') == hidden) {
            each(context, folder, entry->d_name);
            i++;
        }
    return 0;
}

struct scan {
    struct spool *spool;
    VEC(struct job) jobs;
    VEC(struct spool_damaged) damaged;
    bool failed; /* memory is out */
};

static void add_damaged(struct scan *scan, const char *folder, const char *name, const char *why)
{
    struct spool_damaged *damaged = vec_push(&scan->damaged);
    char path[NAME_MAX + 16];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    if (!damaged || !(damaged->path = strdup(path)) || !(damaged->why = strdup(why)))
        scan->failed = true;
}

static void scan_job(void *context, int folder, const char *name)
{
    (void)folder;
    struct scan *scan = context;
    const char *ending = strrchr(name, '.');
    if (!ending || strcmp(ending, ".json") != 0)
        return;
    struct err err = ERR_INIT;
    struct job job = JOB_INIT;
    int r = store_load(scan->spool, name, &job, &err);
    struct job *place = r == 0 ? vec_push(&scan->jobs) : NULL;
    if (place)
        *place = job;
    else if (r == 0 || r == ERR_NOMEM)
        scan->failed = true;
    else if (r != ERR_NOTFOUND) /* forgotten between readdir() and open() */
        add_damaged(scan, "jobs", name, err.text);
    if (r == 0 && !place)
        job_release(&job);
}

static void scan_damaged(void *context, int folder, const char *name)
{
    (void)folder;
    const char *ending = strrchr(name, '.');
    if (ending && strcmp(ending, ".json") == 0)
        add_damaged(context, "damaged", name, "was set aside by an earlier run");
}

static int oldest_first(const void *a, const void *b)
{
    const struct job *x = a, *y = b;
    if (x->added != y->added)
        return x->added < y->added ? -1 : 1;
    return strcmp(x->id, y->id);
}

int store_scan(struct spool *spool, struct spool_list *ret, struct err *err)
{
    struct scan scan = {.spool = spool};
    int r = store_each(spool->jobs, false, scan_job, &scan, err);
    if (r == 0)
        r = store_each(spool->damaged, false, scan_damaged, &scan, err);
    struct spool_list list = {.jobs = scan.jobs.items,
                              .count = scan.jobs.count,
                              .damaged = scan.damaged.items,
                              .damaged_count = scan.damaged.count};
    if (r == 0 && scan.failed)
        r = err_nomem(err);
    if (r < 0) {
        spool_list_release(&list);
        return r;
    }
    if (list.count > 1)
        qsort(list.jobs, list.count, sizeof *list.jobs, oldest_first);
    *ret = list;
    return 0;
}
