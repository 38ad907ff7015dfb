/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * Enrolling: from now on reports leave the house on a schedule, until `disable`.
 *
 * On a pool the coordinator does it, in XenCenter's own way (tokens are secrets of XAPI, keys in
 * pool.health_check_config), so that XenCenter shows it and can end it. Where to send is not among
 * XenCenter's keys, and a text that every pool operator can write is no place to say where reports
 * go: it stands in a file of root's, on the coordinator.
 *
 * Nothing is half done: after a failure all is as it was, or as it was asked for. What cannot be
 * taken back at once, because XAPI is gone, is remembered and taken back by the next enroll or
 * disable.
 */
#pragma once

#include "healthcheck/xapi/xapi.h"

/* Where things are, and how a person is spoken to. */
struct enroll_place {
    const char *root;                      /* of XAPI's socket: "/" */
    const char *config;                    /* folder */
    const char *state;                     /* folder */
    const char *runtime;                   /* folder on a tmpfs */
    const char *spool;                     /* of the uploader */
    const char *service;                   /* our uuid, as in UploadLock; "" when it has none yet */
    const char *uploader;                  /* path of xen-upload */
    const char *const *uploader_arguments; /* of the settings (--proxy, --cacert ...), or NULL */
    const atomic_bool *cancelled;          /* or NULL */
    void *context;                         /* for the two below */
    void (*say)(void *context, const char *line);
    bool (*confirm)(void *context, const char *question); /* NULL: nobody is there to be asked */
};

struct enroll_request {
    const char *url;
    const char *credentials, *token;  /* files; at most one, or NULL */
    int interval_days, weekday, hour; /* -1: as it was, or by chance like XenCenter */
    bool yes;                         /* nobody has to be asked */
};

/* The words behind the verb: URL and options in any order. ERR_USAGE. Texts are borrowed. */
int enroll_parse(int count, char *const words[], struct enroll_request *ret, struct err *err);

/* Lines for `xen-healthcheck --help`: enroll's options. */
extern const char enroll_usage[];

/*
 * ERR_USAGE; ERR_UNSUPPORTED: this host is a supporter; ERR_CANCELLED: the answer was no, or an
 * interrupt; ERR_DENIED: a file that others can read, or the service refuses the credentials;
 * otherwise what went wrong with XAPI, files or the service.
 */
int enroll_run(const struct enroll_place *place, const struct enroll_request *request,
               struct err *err);

/*
 * Without an enrollment it cleans up all the same, a lock of ours on the pool included. What this
 * host knows is forgotten even when XAPI does not answer, so that nothing leaves it any more; the
 * error tells what is left to do.
 */
int enroll_disable(const struct enroll_place *place, struct err *err);
