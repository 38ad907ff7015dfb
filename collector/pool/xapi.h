/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * As much of XAPI as a report needs: a session, who is in the pool, and what each host can report.
 */
#pragma once

#include "collector/pool/credentials.h"
#include "collector/pool/trust.h"
#include "common/rpc/rpc.h"

#define XAPI_PROGRAM "xen-bugtool" /* who asks */

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
    char socket[RPC_SOCKET_BYTES];   /* path of the local socket; "": over the network */
    struct endpoint endpoint;        /* where that is */
    struct trust *trust;             /* borrowed */
    struct spawner *spawner;         /* borrowed */
    char session[RPC_SESSION_BYTES]; /* "" before login and after logout */
};

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
