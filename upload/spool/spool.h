/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * Files that wait to be uploaded, in a folder that survives kill -9 and power cuts.
 *
 *     DIR/jobs/ID.json   the jobs; DIR/jobs/wake is touched when one was added (for a path unit)
 *     DIR/data/ID        their files; gone when the receipt is on disk
 *     DIR/damaged/       job files that cannot be read, with their data; they block nobody
 *
 * A job's file is always the old or the new one, whole. Every file is sent at least once and
 * recorded once. What a run that was killed has left (data without a job, data of a done one,
 * temporary names) is swept by the next that adds or works.
 *
 * A folder that belongs to a group (set-group-id, made by the installation) is shared with that
 * group: the health check adds as root, the uploader works as a user that can do nothing else.
 */
#pragma once

#include <stdatomic.h>
#include <stdbool.h>

#include "upload/retry/retry.h"
#include "upload/source/source.h"
#include "upload/spool/job.h"

struct spool;

/* A report of a pool has some 100 MiB, a check comes once a week, and dom0's disk is small. */
#define SPOOL_MAX_JOBS  64
#define SPOOL_MAX_BYTES (2LL << 30)
#define SPOOL_MAX_AGE_S (30 * 86400LL)

struct spool_limits {
    int64_t max_jobs;  /* 0: the default above, as for the others */
    int64_t max_bytes; /* of data */
    /* Jobs that wait longer fail; what ended longer ago (done, failed, denied) is forgotten. */
    int64_t max_age_s;
    bool drop_oldest; /* a full spool drops waiting jobs, the oldest first, for a new one */
};

/*
 * Opens the folder; with `create` it is made when missing, for its owner only. `limits` may be
 * NULL. ERR_NOTFOUND, ERR_DENIED, ERR_IO.
 */
int spool_open(const char *folder, bool create, const struct spool_limits *limits,
               struct spool **ret, struct err *err);
void *spool_close(struct spool *spool); /* returns NULL */

DEFINE_CLEANUP(spool_cleanup, struct spool *, spool_close)

enum spool_added {
    SPOOL_NEW,     /* a new job */
    SPOOL_KNOWN,   /* is waiting already; options and credential are the new ones now */
    SPOOL_REVIVED, /* had failed or was denied: waits again */
    SPOOL_DONE     /* was uploaded already: nothing to do */
};

/*
 * Puts `job` (file, url, options, credential are the caller's; the rest is filled in) into the
 * spool: a hard link, or a copy where that cannot be or the spool is shared. A full spool forgets
 * done jobs first, then failed ones, the oldest first; ERR_LIMIT when that is not enough.
 * ERR_NOTFOUND, ERR_DENIED, ERR_UNSUPPORTED: as source_open(); ERR_AGAIN: somebody else holds the
 * spool for minutes; ERR_IO.
 */
int spool_add(struct spool *spool, struct job *job, enum spool_added *ret, struct err *err);

/* How many waiting jobs the last spool_add() dropped, see spool_limits. */
unsigned spool_dropped(const struct spool *spool);

struct spool_list {
    struct job *jobs; /* oldest first */
    size_t count;
    struct spool_damaged {
        char *path; /* below the folder */
        char *why;
    } * damaged;
    size_t damaged_count;
};

/* Reads all, changes nothing. */
int spool_list(struct spool *spool, struct spool_list *ret, struct err *err);
void spool_list_release(struct spool_list *list);

/* Forgets jobs that wait or were denied, and their files; *ret: how many. ERR_AGAIN, ERR_IO. */
int spool_drop(struct spool *spool, unsigned *ret, struct err *err);

/* For people (harmless on a terminal), and {"schema":"xenhealth-spool/1","jobs":[...],...}. */
int spool_list_text(const struct spool_list *list, struct strbuf *out, struct err *err);
int spool_list_json(const struct spool_list *list, struct strbuf *out, struct err *err);

/* What a send brought, beside its error. */
struct spool_sent {
    char protocol[16];
    char id[256];
    int64_t attempts;      /* made in this call; 0 counts as one */
    int64_t retry_after_s; /* what the server asked for; -1 */
    bool moved;            /* bytes got across: the back-off starts anew */
};

struct spool_worker {
    /*
     * Sends one job; `source` is its data, with the digest checked, and named like the job's id:
     * the name for the server is the last part of job->file unless an option says else. 0: the
     * server has it and said so. ERR_AGAIN, ERR_TIMEOUT, ERR_IO, ERR_NOMEM: later; ERR_DENIED;
     * ERR_CANCELLED: ends the work, the job stays as it is; all else is for good.
     */
    int (*send)(void *context, const struct job *job, struct source *source,
                struct spool_sent *sent, struct err *err);
    /* For people: what was done with a job (NULL: with the spool). May be NULL. */
    void (*say)(void *context, const struct job *job, const char *line);
    void *context;
    const struct retry_options *retry; /* its waits are those between two runs; cancelled */
    bool retry_denied;                 /* denied jobs wait again: the credentials are new */
};

struct spool_worked {
    unsigned done, later, failed, denied; /* of the jobs that were tried */
    unsigned waiting;                     /* not due yet */
    unsigned damaged;                     /* set aside by this run */
    int64_t next_try;                     /* the first of those that wait, seconds since 1970; 0 */
};

/*
 * Sends what is due, the oldest first and each job once. Failures of jobs are in *ret, not in the
 * result. ERR_AGAIN: another worker is at work (the command line's status 4); ERR_CANCELLED;
 * ERR_IO: the spool itself cannot be written. *ret is filled in any case.
 */
int spool_work(struct spool *spool, const struct spool_worker *worker, struct spool_worked *ret,
               struct err *err);
