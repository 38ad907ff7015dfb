/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * One way of moving a file to a server.
 *
 * A protocol does one *attempt*: it asks the server how far it is, sends what is missing, and has
 * the end confirmed. It never waits and never tries again; `retry` calls it once more after an
 * ERR_AGAIN, in this process or, with the same record, in one of next week. So send() must be right
 * wherever the last attempt was cut.
 */
#pragma once

#include "upload/net/net.h"
#include "upload/state/record.h"

/* Where to: the URL with what its scheme means. */
struct target {
    const struct protocol *protocol;
    char *url;    /* as given, without a fragment; never with user or password: refused */
    char *http;   /* the URL that is asked ("tus+https://x" gives "https://x"), or NULL */
    char *origin; /* for people: "https://host:port" */
};

/* What the user may say about an upload; texts are borrowed, NULL where not given. */
struct transfer_options {
    int64_t chunk_bytes;     /* 0: the protocol's own */
    const char *method;      /* "PUT" or "POST" of plain HTTPS */
    const char *name;        /* what the server shall call the file; the source's own name else */
    const char *s3_endpoint; /* "https://host[:port]" */
    const char *s3_region;
    const char *cis_verbosity; /* "2" of a schedule, "9" of a person */
    int64_t cis_case;          /* a support case's number, 0: none */
};

struct transfer {
    const struct target *target;
    const struct transfer_options *options;
    struct source *source;
    struct net *net;
    struct record *record;
    void (*say)(void *context, const char *line); /* what happens, for people */
    /* The server has said to have `confirmed` bytes; `sending` more went out in this request. */
    void (*progress)(void *context, int64_t confirmed, int64_t sending);
    void *context;
    const atomic_bool *cancelled; /* for what does not go through net; may be NULL */
    /* Results. */
    int64_t confirmed;     /* bytes that the server has said to have */
    int64_t retry_after_s; /* of the answer that failed the attempt; -1 */
    char id[256];          /* what the server calls the upload, or "" */
    unsigned attempts;     /* counted by retry_send() */
};

struct protocol {
    const char *name;           /* "tus" */
    const char *const *schemes; /* NULL ends the list */
    const char *summary;        /* one line for --help */
    bool is_http;
    enum net_auth auth; /* what it cannot do without; NET_AUTH_NONE: nothing */
    /* ERR_USAGE: the URL or the options do not fit. May be NULL. */
    int (*check)(const struct target *target, const struct transfer_options *options,
                 struct err *err);
    /*
     * What would be asked of the server, line by line, without asking (--dry-run). `net` is NULL;
     * `record` holds what is known of an unfinished upload, and must not be saved.
     */
    void (*describe)(const struct transfer *transfer, struct strbuf *out);
    /*
     * 0: the server has it all and said so. ERR_AGAIN: later; ERR_DENIED: not with these
     * credentials; ERR_CANCELLED; all else is for good.
     */
    int (*send)(struct transfer *transfer, struct err *err);
    /* Tells the server that the rest will not come, best effort. NULL: nothing is left there. */
    void (*abandon)(struct transfer *transfer);
};

/* All of them; NULL ends the list. */
extern const struct protocol *const protocols[];

extern const struct protocol protocol_tus, protocol_cis, protocol_s3, protocol_https, protocol_sftp,
    protocol_file;

/* ERR_USAGE: no such scheme (the nearest is named), a URL with a password, or one that is too long.
 */
int target_parse(const char *url, const struct transfer_options *options, struct target *ret,
                 struct err *err);
void target_release(struct target *target);
