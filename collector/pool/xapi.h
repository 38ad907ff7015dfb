/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * XAPI's JSON-RPC 2.0, as far as a report needs it: a session, who is in the pool, and what each
 * host can report. (Source: the management API's reference; POST /jsonrpc.)
 */
#pragma once

#include "collector/pool/credentials.h"
#include "collector/pool/stream.h"

#define XAPI_MAX_HOSTS 256 /* four times what a pool can have */

struct xapi_host {
    char *reference, *uuid, *name, *address; /* `name` is the label; never NULL */
    bool is_coordinator;
};

struct xapi_pool {
    char *name, *uuid; /* never NULL after xapi_get_pool() */
    struct xapi_host *hosts;
    size_t count;
};

struct xapi {
    char socket[108];         /* path of the local socket; "": over the network */
    struct endpoint endpoint; /* where that is */
    struct trust *trust;      /* borrowed */
    struct spawner *spawner;  /* borrowed */
    char session[128];        /* "" before login and after logout */
};

/* What was freed by jansson is wiped first. Call it once, before anything else here. */
void xapi_guard_memory(void);

/*
 * Over the local socket root needs no password. Over the network a member of a pool names its
 * coordinator, which is asked then; xapi->endpoint changes. ERR_DENIED: name or password are wrong.
 */
int xapi_login(struct xapi *xapi, const struct credentials *credentials, const struct limit *limit,
               struct err *err);

/* Best effort. Wipes the session. */
void xapi_logout(struct xapi *xapi, const struct limit *limit);

int xapi_get_pool(const struct xapi *xapi, const struct limit *limit, struct xapi_pool *ret,
                  struct err *err);
void xapi_pool_release(struct xapi_pool *pool);

/* Makes the certificates trusted that XAPI knows of its hosts; older ones know none. */
void xapi_learn_certificates(const struct xapi *xapi, const struct limit *limit,
                             struct trust *trust);

/* The XML that `xen-bugtool --capabilities` prints on that host. The caller frees *ret. */
int xapi_get_capabilities(const struct xapi *xapi, const struct xapi_host *host,
                          const struct limit *limit, char **ret, struct err *err);

/* Opens a connection to where xapi is. */
int xapi_connect(const struct xapi *xapi, const struct limit *limit, struct stream **ret,
                 struct err *err);
