/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * One upload from its options to its receipt: parts are put together in the order that matters.
 */
#pragma once

#include "upload/cli/options.h"
#include "upload/cli/progress.h"
#include "upload/spool/receipt.h"

struct upload {
    const struct options *options; /* borrowed */
    struct target target;
    struct source *source;
    bool owns_source;
    struct net_secrets secrets;
    struct strbuf state; /* folder of records */
    struct strbuf key;   /* what is sent, and where to */
    struct progress *progress;
    const atomic_bool *cancelled;
    int64_t first_confirmed; /* what the server had when it was asked first; -1 */
    /* Results. */
    bool no_credentials;   /* those that are named could not be had */
    bool moved;            /* the server has more than then */
    unsigned attempts;     /* of upload_send() */
    int64_t retry_after_s; /* -1 */
};

/* ERR_USAGE: http:// without --allow-plain. */
int upload_check_plain(const struct options *options, const struct target *target, struct err *err);

/*
 * Looks at everything that can be looked at without a packet: URL, file, credentials. `source` is
 * the file if it is open already (borrowed), or NULL: options->file is opened. To be released
 * in any case. ERR_USAGE and what source_open() and credentials_load() say.
 */
int upload_prepare(struct upload *upload, const struct options *options, struct source *source,
                   struct progress *progress, const atomic_bool *cancelled, struct err *err);
void upload_release(struct upload *upload); /* wipes the secrets */

/* net_new() and net_check() for this upload. */
int upload_open_net(struct upload *upload, struct net **ret, struct err *err);

/*
 * Sends until it is done, fails for good, or time is up. `file` is what the receipt calls the file.
 * *ret is to be released by receipt_release() after success.
 */
int upload_send(struct upload *upload, const char *file, struct receipt *ret, struct err *err);

/* Tells the server that the rest will not come, and forgets the record. */
int upload_abandon(struct upload *upload, struct err *err);

/* Appends what upload_send() would do. */
int upload_describe(struct upload *upload, struct strbuf *out, struct err *err);
