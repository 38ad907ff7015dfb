/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * /var/lib/xenhealth: what a run leaves for the next one and for `status`.
 *
 *     history.json      the last checks, oldest first (xenhealth-history/1)
 *     pending.json      the check under way: it is there from before the first change of anything
 *                       until all is recorded, so a run that was killed is recognised by the next
 *     service           our uuid, as in XenCenter's lock
 *     lock              held by the one run
 *     reports/          the archives that are kept
 *     latest/           findings.json, report.html, xenhealth.prom of the last analysis
 *     work/             of the run; emptied by the next
 *
 * Files are replaced whole. One that cannot be read is moved to NAME.damaged and told: a health
 * check must not stand still because a disk lost power once.
 */
#pragma once

#include <stdbool.h>

#include "common/err.h"
#include "common/strbuf.h"

#define STORE_PATH       "/var/lib/xenhealth"
#define STORE_MAX_BYTES  (64 << 20) /* of one file */
#define STORE_UUID_BYTES 40
#define STORE_ASIDE      ".damaged"

struct store;

/*
 * `for_writing`: makes what is missing (0750); ERR_DENIED: others may write there. Otherwise
 * ERR_NOTFOUND when there is nothing yet, and ERR_DENIED when it is not ours to read.
 */
int store_open(const char *path, bool for_writing, struct store **ret, struct err *err);
void *store_close(struct store *store); /* returns NULL; gives the lock back */

DEFINE_CLEANUP(store_cleanup, struct store *, store_close)

const char *store_path(const struct store *store);
int store_fd(const struct store *store); /* of the folder */

/*
 * What would keep a run from working here, as far as it can be seen without writing. ERR_DENIED:
 * whose folder it is, and who may write there; ERR_IO: its disk is full or read-only.
 */
int store_check(const struct store *store, struct err *err);

/* One run at a time. ERR_AGAIN: another one is at work. */
int store_lock(struct store *store, struct err *err);

/* Is somebody at work? For those who only read. */
bool store_is_locked(const struct store *store);

/*
 * A file's content, an empty buffer when there is none. ERR_IO, ERR_DENIED, ERR_LIMIT;
 * ERR_UNSUPPORTED: what has that name is no file.
 */
int store_read(const struct store *store, const char *name, struct strbuf *ret, struct err *err);
int store_write(const struct store *store, const char *name, const struct strbuf *content,
                struct err *err);
int store_remove(const struct store *store, const char *name, struct err *err);

/* Moves a damaged file out of the way and appends a sentence about it to `notes`. */
void store_set_aside(const struct store *store, const char *name, const char *why,
                     struct strbuf *notes);

/* Our uuid; made at first use when for writing, else "" while there is none. */
int store_uuid(const struct store *store, char ret[STORE_UUID_BYTES], struct err *err);

/* Makes an empty work/, the path goes to *ret. */
int store_empty_work(const struct store *store, struct strbuf *ret, struct err *err);

/* Moves work/`from` to `folder`/`to`, over what is there. */
int store_keep(const struct store *store, const char *from, const char *folder, const char *to,
               struct err *err);
