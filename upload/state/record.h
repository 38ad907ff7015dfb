/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * What must be remembered of an unfinished upload, so that it continues after a kill or a power
 * cut: a few names and texts in one JSON file, written under a temporary name, synced and renamed.
 *
 * The server is the truth for what it has; a record only tells where to ask. So a record that is
 * lost or damaged costs bytes, never correctness: it is dropped, and the upload starts anew.
 */
#pragma once

#include "common/err.h"

struct record;

#define RECORD_MAX_BYTES (64 << 10)

/*
 * The record of `key` (what is sent, and where to) in `folder`, which is made (0700) when missing.
 * One that cannot be used counts as none, *ret_damaged then tells.  Locked: ERR_EXISTS, another
 * process is sending the same to the same place.
 */
int record_open(const char *folder, const char *key, struct record **ret, bool *ret_damaged,
                struct err *err);
void *record_close(struct record *record); /* returns NULL; the file stays */

DEFINE_CLEANUP(record_cleanup, struct record *, record_close)

/* NULL when there is none. Borrowed until the next call that changes the record. */
const char *record_get(const struct record *record, const char *name);

/* Takes effect on disk with record_save(). NULL removes. */
int record_set(struct record *record, const char *name, const char *value, struct err *err);
int record_save(struct record *record, struct err *err);

/* The upload is over: forgets all, on disk too. */
int record_drop(struct record *record, struct err *err);
