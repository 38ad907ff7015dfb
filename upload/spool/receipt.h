/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * What is kept of an upload that succeeded: schema xenhealth-upload/1, for --receipt and for the
 * done jobs of the spool.
 *
 * Receipts outlive the upload and are passed on, so the URL stands in them without its query: in a
 * presigned one that is the permission.
 */
#pragma once

#include <stdint.h>

#include "common/err.h"
#include "common/strbuf.h"

struct receipt {
    char *file, *url; /* owned */
    char protocol[16];
    int64_t bytes;
    char sha256[64 + 1];
    char id[256];              /* what the server calls the upload, or "" */
    int64_t started, finished; /* seconds since 1970 */
    int64_t attempts;
};

/* Copies file and url, the latter without query and fragment. ERR_NOMEM. */
int receipt_set_place(struct receipt *receipt, const char *file, const char *url, struct err *err);
void receipt_release(struct receipt *receipt); /* leaves it empty */

/* Appends it as JSON, with a newline at the end. ERR_NOMEM. */
int receipt_format(const struct receipt *receipt, struct strbuf *out, struct err *err);
