/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * XAPI's JSON-RPC 2.0: calls and sessions. (Source: the management API's reference; POST /jsonrpc.)
 */
#pragma once

#include <jansson.h>

#include "common/rpc/stream.h"

#define RPC_SOCKET_BYTES  108 /* of a local socket's path */
#define RPC_SESSION_BYTES 128

/* How a program gets to an XAPI. */
struct rpc_way {
    const char *program; /* who we are, in HTTP and in XAPI's list of sessions */
    const char *host;    /* for HTTP */
    int (*connect)(const void *context, const struct limit *limit, struct stream **ret,
                   struct err *err);
    const void *context;
};

/* An error that XAPI answered with: printable or "". */
struct rpc_refusal {
    char code[64];    /* "HOST_IS_SLAVE" */
    char detail[256]; /* its first parameter */
};

/* What is freed by jansson is wiped first. Call it once, before anything else here. */
void rpc_guard_memory(void);

/* Where XAPI's local socket is below `root` (today's place when there is none); false: there is
 * none. */
bool rpc_find_socket(const char *root, char ret[RPC_SOCKET_BYTES]);

/*
 * Takes over `parameters` (NULL counts as no memory). On success *ret is the result, to be
 * released. When XAPI answered with an error and ret_refusal is given, it tells which; otherwise
 * its code is
 * "". ERR_DENIED: name, password or role are not sufficient; ERR_PARSE: no JSON-RPC came;
 * ERR_LIMIT: too much of it.
 */
int rpc_call(const struct rpc_way *way, const char *method, json_t *parameters,
             const struct limit *limit, json_t **ret, struct rpc_refusal *ret_refusal,
             struct err *err);

/*
 * Over the local socket root needs no password. When the run is cancelled after XAPI was asked, its
 * answer is waited for some seconds more. If it comes, that is a success (0) like any other: there
 * is a session now, and the caller must end it.
 */
int rpc_login(const struct rpc_way *way, const char *user, const char *password,
              const struct limit *limit, char ret_session[RPC_SESSION_BYTES],
              struct rpc_refusal *ret_refusal, struct err *err);

/* Best effort. Wipes the session; "" is none. */
void rpc_logout(const struct rpc_way *way, char session[RPC_SESSION_BYTES],
                const struct limit *limit);
