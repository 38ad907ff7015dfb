/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * One host's report, from the first question to its last member in the bundle.
 */
#pragma once

#include "collector/pool/unpack.h"
#include "collector/pool/xapi.h"

enum take_status {
    TAKE_OMITTED, /* not asked: no time or no space was left */
    TAKE_COMPLETE,
    TAKE_TRUNCATED,   /* the answer ended before the report did */
    TAKE_TIMEOUT,     /* perhaps with some members */
    TAKE_UNREACHABLE, /* no connection */
    TAKE_UNTRUSTED,   /* a certificate that is not the pool's */
    TAKE_REFUSED,     /* an HTTP status other than 200 */
    TAKE_MALFORMED,   /* no HTTP, or no tar */
    TAKE_FAILED,      /* trouble of ours; the reason tells */
    TAKE_STATUS_COUNT
};

enum take_way { TAKE_BY_HTTPS, TAKE_BY_SOCKET, TAKE_DIRECT };

struct take {
    const struct xapi_host *host; /* borrowed */
    bool is_local;
    char folder[200]; /* in the bundle */
    /* results */
    enum take_status status;
    enum take_way way;
    char reason[600]; /* one sentence, or "" */
    int http_status;  /* 0: there was none */
    char *entries;    /* what the host was asked for; NULL: nothing */
    struct unpacked unpacked;
    int64_t duration_ms;
};

/* What is the same for all hosts. */
struct take_setting {
    const struct xapi *xapi; /* logged in; NULL: XAPI does not answer, take the local host direct */
    const char *entries;     /* wanted by the user, or NULL: what each host offers */
    bool all;                /* of what it offers, not only what is checked there */
    const char *const
        *argv; /* our own program, for a local host whose XAPI does not answer; NULL */
    int64_t host_limit_ms;
    struct limit limit; /* of the whole run */
    struct spawner *spawner;
    struct sink *sink;
};

/* Never fails: take->status tells. A failed bundle or a cancelled run show in the sink and limit.
 */
void take_run(const struct take_setting *setting, struct take *take);

const char *take_status_name(enum take_status status);
const char *take_way_name(enum take_way way);
