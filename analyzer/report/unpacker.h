/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * The members of an archive, one after another, from any stream: libarchive with all but tar, zip
 * and four compressions left out, and with the budget on every byte it produces.
 */
#pragma once

#include "analyzer/report/budget.h"

enum unpacker_kind {
    UNPACK_ANY,  /* tar, or zip front to back, below any of the compressions */
    UNPACK_ZIP,  /* zip by its list of files; the input must be able to seek, and zip_check() be
                    content */
    UNPACK_FILE, /* one compressed file without an archive around it: a single nameless entry */
};

struct unpacker_entry {
    const char *name; /* as archived; bytes, "" when it has none */
    bool is_regular;
    bool is_hard_link;
    const char *refused; /* why its data may not be read, or NULL */
    int64_t size;        /* declared, or -1 */
    int64_t modified;    /* epoch seconds, or 0 */
};

struct unpacker;

/* `input` is borrowed and must outlive the unpacker. Only fails with ERR_NOMEM. */
int unpacker_new(struct stream *input, enum unpacker_kind kind, struct budget *budget,
                 struct unpacker **ret, struct err *err);
void *unpacker_free(struct unpacker *unpacker);

/* 1 and the next entry (valid until the next call), 0 at the end, -1 with unpacker_failure() set.
 */
int unpacker_next(struct unpacker *unpacker, struct unpacker_entry *ret);

/* The bytes of the entry that unpacker_next() returned. Valid until the next call of it. */
struct stream *unpacker_data(struct unpacker *unpacker);

struct failure *unpacker_failure(struct unpacker *unpacker);

/* False when the input is not an archive of the kinds we open. */
bool unpacker_is_archive(const struct unpacker *unpacker);

/* Copies the input's first bytes, as many as came in one piece. Returns how many. */
#define UNPACKER_HEAD 512
size_t unpacker_head(const struct unpacker *unpacker, char ret[UNPACKER_HEAD]);

/* Damaged headers that were skipped to find the next good one. */
int64_t unpacker_damaged_headers(const struct unpacker *unpacker);
