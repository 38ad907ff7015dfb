/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * What must be remembered of an unfinished upload, so that it continues after a kill or a power
 * cut: a few names and texts in one JSON file, written under a temporary name, synced and renamed.
 *
 * The server is the truth for what it has; a record only tells where to ask. So a record that is
 * lost or damaged costs bytes, never correctness: it is dropped, and the upload starts anew.
 */
#pragma once

#include <stdbool.h>

#include "common/err.h"

struct record;

#define RECORD_MAX_BYTES (64 << 10)

/*
 * The record of `key` (what is sent, and where to) in `folder`, which is made (0700) when missing,
 * with the folders above it. Records that were not touched for 90 days go. One that cannot be used
 * counts as none, *ret_damaged then tells. ERR_AGAIN: locked, another process is sending the same
 * to the same place. ERR_DENIED: others may write to the folder; ERR_IO.
 */
int record_open(const char *folder, const char *key, struct record **ret, bool *ret_damaged,
                struct err *err);
void *record_close(struct record *record); /* returns NULL; the file stays */

DEFINE_CLEANUP(record_cleanup, struct record *, record_close)

/*
 * The same for looking only: nothing is made, written or locked. Without a record, an empty one.
 */
int record_look(const char *folder, const char *key, struct record **ret, bool *ret_damaged,
                struct err *err);

/* Holds names and texts, but lives in memory only: for a host whose disk is full or read-only. */
struct record *record_new_volatile(void);

/* NULL when there is none. Borrowed until the next call that changes the record. */
const char *record_get(const struct record *record, const char *name);

/* Takes effect on disk with record_save(). NULL removes. ERR_LIMIT: more than the file may have. */
int record_set(struct record *record, const char *name, const char *value, struct err *err);

/*
 * A disk that is full or fails is no error here: the host with a full disk is the one whose report
 * must get out. record_problem() tells.
 */
int record_save(struct record *record, struct err *err);

/* Why the record is not on disk, in one sentence; NULL when it is. */
const char *record_problem(const struct record *record);

/* What record_open() makes of the bytes of a file: false, and nothing changes, when they are no
 * record of this upload. */
bool record_parse(struct record *record, const char *bytes, size_t length);

bool record_is_empty(const struct record *record);

/* The upload is over: forgets all, on disk too. */
int record_drop(struct record *record, struct err *err);
