/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * XAPI of this host, over its local socket: who we are in the pool.
 *
 * Three answers are no errors: there is no XAPI here at all (a standalone host), this host is a
 * supporter of a pool, it is the coordinator. An XAPI that is installed and does not answer is an
 * error: whoever took such a host for a standalone one would act twice for its pool.
 */
#pragma once

#include <jansson.h>

#include "common/rpc/limit.h"

struct xapi;

enum xapi_role {
    XAPI_ABSENT,
    XAPI_SUPPORTER,   /* somebody else acts for the pool */
    XAPI_COORDINATOR, /* a host that has no pool to share counts as one, as in XAPI */
};

struct xapi_options {
    const char *root;             /* "/", or where a test's host lies */
    const char *program;          /* who asks */
    int64_t patience_ms;          /* for one call; 0: the default */
    const atomic_bool *cancelled; /* or NULL */
};

/* Texts are bounded and hold nothing that could harm a terminal; "" when XAPI does not tell. */
struct xapi_facts {
    char pool_uuid[40], pool_name[128];
    char host_uuid[40], host_name[128];
    char coordinator[256]; /* name of the host that acts for the pool, or its address */
    size_t hosts;          /* of the pool; 0: not known */
};

/*
 * *ret is a session for XAPI_COORDINATOR, and NULL for the other roles (XAPI was asked as far as
 * was needed to know, and left). *ret_facts may be NULL. ERR_IO, ERR_TIMEOUT, ERR_PARSE,
 * ERR_DENIED, ERR_NOTFOUND: XAPI is here, but does not answer, or not as it should.
 */
int xapi_open(const struct xapi_options *options, enum xapi_role *ret_role, struct xapi **ret,
              struct xapi_facts *ret_facts, struct err *err);

/* From now on nobody's interrupt is looked at: what is begun is brought to an end, or taken back.
 */
void xapi_finish(struct xapi *xapi);

/* Logs out. NULL is fine; returns NULL. */
void *xapi_close(struct xapi *xapi);

DEFINE_CLEANUP(xapi_cleanup, struct xapi *, xapi_close)

/*
 * For the other files of this folder: a call whose first parameter, the session, is put in here;
 * takes over `parameters`, an array with the rest. A session that XAPI forgot (it was restarted) is
 * opened anew once. `ret_code` (64 bytes, or NULL): XAPI's name of the error, or "".
 */
int xapi_call(struct xapi *xapi, const char *method, json_t *parameters, json_t **ret,
              char ret_code[64], struct err *err);

/* The pool's own reference. Borrowed. */
const char *xapi_pool_reference(const struct xapi *xapi);
