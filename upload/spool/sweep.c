/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * Tidying up: what a killed run left, what cannot be read, what is too old, and room for a new job.
 *
 * All of it happens under the lock, so nobody else is in the middle of anything: a temporary name
 * is nobody's, data without a job is that of an addition that was cut or of a job that was
 * forgotten. The data of a damaged job is neither, so it is moved away with the job, and first.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "upload/spool/spool_private.h"

#define CLOCK_STEP_S 86400

static void tell(const struct spool_worker *worker, const struct job *job, const char *line)
{
    if (worker && worker->say)
        worker->say(worker->context, job, line);
}

static void remove_name(void *context, int folder, const char *name)
{
    (void)context;
    unlinkat(folder, name, 0);
}

/* Data whose job is gone, or done: the receipt is on disk, only this was left to do. */
static void sweep_data(void *context, int folder, const char *name)
{
    struct spool *spool = context;
    if (strlen(name) != JOB_ID_DIGITS)
        return;
    char file[JOB_ID_DIGITS + sizeof ".json"];
    struct job job = JOB_INIT;
    store_name(name, file);
    int r = store_load(spool, file, &job, NULL);
    if (r == ERR_NOTFOUND || (r == 0 && job.state == JOB_DONE))
        unlinkat(folder, name, 0);
    job_release(&job);
}

static void set_aside(struct spool *spool, const char *name)
{
    char id[NAME_MAX + 1], data[NAME_MAX + 8];
    snprintf(id, sizeof id, "%.*s", (int)(strlen(name) - strlen(".json")), name);
    snprintf(data, sizeof data, "%s.data", id);
    renameat(spool->data, id, spool->damaged, data);
    renameat(spool->jobs, name, spool->damaged, name);
}

static void sweep_damaged(struct spool *spool, const struct spool_list *list,
                          const struct spool_worker *worker, struct spool_worked *worked)
{
    for (size_t i = 0; i < list->damaged_count; i++) {
        const char *path = list->damaged[i].path, *name = strchr(path, '/') + 1;
        struct job job = JOB_INIT;
        if (strncmp(path, "jobs/", 5) != 0)
            continue;
        int r = store_load(spool, name, &job, NULL);
        job_release(&job);
        if (!store_is_damage(r)) /* a disk or memory that fails just now is no reason to give up */
            continue;
        set_aside(spool, name);
        char line[sizeof((struct err *)0)->text + 64];
        snprintf(line, sizeof line, "%s; moved to '%s/damaged'", list->damaged[i].why,
                 spool->folder);
        tell(worker, NULL, line);
        if (worked)
            worked->damaged++;
    }
}

struct aged {
    int64_t oldest; /* what changed before that is removed */
};

static void remove_aged(void *context, int folder, const char *name)
{
    const struct aged *aged = context;
    struct stat info;
    if (fstatat(folder, name, &info, AT_SYMLINK_NOFOLLOW) == 0 &&
        info.st_ctim.tv_sec < aged->oldest)
        unlinkat(folder, name, 0);
}

static int expire(struct spool *spool, struct job *job, const struct spool_worker *worker,
                  struct spool_worked *worked, struct err *err)
{
    if (job->state != JOB_WAITING)
        return store_forget(spool, job, err);
    char text[160];
    snprintf(text, sizeof text, "not sent within %lld days, given up (--max-age); last: ",
             (long long)(spool->limits.max_age_s / 86400));
    struct strbuf why = STRBUF_INIT;
    strbuf_adds(&why, text);
    strbuf_adds(&why, job->error ? job->error : "never tried");
    int r = strbuf_ok(&why) ? job_set_text(&job->error, why.data, err) : err_nomem(err);
    strbuf_release(&why);
    if (r < 0)
        return r;
    /* From now on it is kept as a failure, for as long again. */
    job->state = JOB_FAILED;
    job->tried = job->added = time(NULL);
    r = store_save(spool, job, err);
    if (r == 0) {
        tell(worker, job, job->error);
        if (worked)
            worked->failed++;
    }
    return r;
}

/* A clock that was wrong when the job was added must neither throw it away nor keep it for ever. */
static int sweep_age(struct spool *spool, struct job *job, const struct spool_worker *worker,
                     struct spool_worked *worked, struct err *err)
{
    int64_t now = time(NULL);
    if (now < SPOOL_EPOCH)
        return 0;
    if (job->added < SPOOL_EPOCH || job->added > now + CLOCK_STEP_S) {
        job->added = now;
        return store_save(spool, job, err);
    }
    int64_t since = job->state != JOB_WAITING && job->tried > job->added ? job->tried : job->added;
    return now - since > spool->limits.max_age_s ? expire(spool, job, worker, worked, err) : 0;
}

int spool_sweep(struct spool *spool, const struct spool_worker *worker, struct spool_worked *worked,
                struct err *err)
{
    struct aged aged = {time(NULL) - spool->limits.max_age_s};
    struct spool_list list = {0};
    int r = store_each(spool->jobs, true, remove_name, NULL, err);
    if (r == 0)
        r = store_each(spool->data, true, remove_name, NULL, err);
    if (r == 0)
        r = store_each(spool->damaged, false, remove_aged, &aged, err);
    if (r == 0)
        r = store_scan(spool, &list, err);
    if (r == 0)
        sweep_damaged(spool, &list, worker, worked);
    for (size_t i = 0; r == 0 && i < list.count; i++)
        r = sweep_age(spool, &list.jobs[i], worker, worked, err);
    spool_list_release(&list);
    return r == 0 ? store_each(spool->data, false, sweep_data, spool, err) : r;
}
