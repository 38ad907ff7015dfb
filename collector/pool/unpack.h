/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * From the tar of one host, as it comes, to members of the bundle.
 */
#pragma once

#include <pthread.h>
#include <stdint.h>

#include "collector/bundle/bundle.h"

/* The bundle that several hosts go into at once. */
struct sink {
    struct bundle *bundle;
    struct stage_options stage;
    struct room *room;    /* on the disk with the bundle and what waits for it */
    pthread_mutex_t lock; /* of the bundle and what follows */
    bool full;            /* the disk: nothing more is taken */
    struct err failure;   /* of the bundle: the run is over */
};

struct unpacked {
    int64_t members, bytes;
    int64_t redactions; /* secrets that the host's own tool had left */
    int64_t refused;    /* no plain files, or with a name that leads elsewhere */
    char cut[256];      /* the member of which only the beginning came, or "" */
    bool has_end;       /* the tar's own end was seen: nothing is missing */
};

/* Gives some bytes of the tar; *ret 0 at the end. */
typedef int (*unpack_read)(void *context, void *buffer, size_t size, size_t *ret, struct err *err);

/*
 * Adds the members below `folder`. On failure ret tells what is in the bundle all the same: the
 * reader's failure; ERR_PARSE, what comes is no tar; ERR_LIMIT, too much comes, or the disk is
 * full (sink->full); sink->failure, when the bundle failed.
 */
int unpack_tar(struct sink *sink, const char *folder, unpack_read read, void *context,
               struct unpacked *ret, struct err *err);

/* Adds a text under a name of its own. */
int sink_add_text(struct sink *sink, const char *name, int64_t modified, const void *bytes,
                  size_t length, struct err *err);
