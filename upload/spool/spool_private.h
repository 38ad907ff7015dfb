/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * What the files of the spool share. Nothing outside this folder includes this.
 *
 * Two locks, both flock() on folders: that on jobs/ is held while anything is changed, that on
 * data/ by the one worker. So no lock file can be left behind, and none has to be writable.
 */
#pragma once

#include "common/io.h"
#include "upload/spool/spool.h"

#define STORE_WAKE     "wake"      /* in jobs/ */
#define STORE_INCOMING ".incoming" /* in data/: a file that is being added */

/* A clock before this is one that was not set yet. */
#define SPOOL_EPOCH 1577836800LL /* 2020-01-01 */

struct spool {
    char *folder;
    int jobs, data, damaged; /* folders */
    struct spool_limits limits;
    bool shared; /* with a group */
    unsigned dropped;
};

/* Waits for it, ERR_AGAIN after minutes. Released by spool_unlock() or with its owner. */
int spool_lock(struct spool *spool, struct err *err);
void spool_unlock(struct spool **spool); /* a cleanup; *spool may be NULL */

mode_t store_mode(const struct spool *spool);

/* "ID.json". */
void store_name(const char *id, char ret[JOB_ID_DIGITS + sizeof ".json"]);

/*
 * Reads jobs/NAME. ERR_NOTFOUND; ERR_PARSE, ERR_LIMIT, ERR_UNSUPPORTED: damaged; ERR_IO, ERR_NOMEM:
 * perhaps not.
 */
int store_load(struct spool *spool, const char *name, struct job *ret, struct err *err);
bool store_is_damage(int code);
int store_save(struct spool *spool, const struct job *job, struct err *err);

/* Forgets job and data. */
int store_forget(struct spool *spool, const struct job *job, struct err *err);
/* Opens data/NAME, which must be the file itself and no link. ERR_NOTFOUND. */
int store_open_data(struct spool *spool, const char *name, struct source **ret, struct err *err);
void store_remove_data(struct spool *spool, const char *id);

/* Opens a folder again for reading its names, and calls for each that does not start with a dot
 * (or, with `hidden`, for those only). Stops when it was called for 10,000. */
int store_each(int folder, bool hidden, void (*each)(void *context, int folder, const char *name),
               void *context, struct err *err);

/* All jobs and what is damaged, see spool_list(). */
int store_scan(struct spool *spool, struct spool_list *ret, struct err *err);

/* Under the lock: what killed runs left, damaged jobs, and what is too old. `worked` counts,
 * `worker` is told; both may be NULL. */
int spool_sweep(struct spool *spool, const struct spool_worker *worker, struct spool_worked *worked,
                struct err *err);

/* Under the lock: forgets jobs until one more of `bytes` fits, or nothing and ERR_LIMIT. */
int spool_make_room(struct spool *spool, int64_t bytes, struct err *err);
