/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * Which certificates a host may show.
 *
 * Two ways. The pool's own: a host shows the certificate it has for its pool when it is asked for
 * the server name "pool", and that very certificate must stand in the pool's bundle; names and
 * addresses are not looked at, since these certificates hold none (source: XAPI's design of
 * certificates in a pool; the same check as stunnel's verifyPeer). Or a file given by the user: the
 * host's certificate for API clients stands in it, or is signed by one that does and names the
 * host.
 */
#pragma once

#include <openssl/ssl.h>

#include "collector/pool/endpoint.h"

struct trust;

/* A bundle of the pool: certificates in PEM form. When there is none, nothing is trusted yet. */
int trust_load_pool(const char *path, struct trust **ret, struct err *err);

/*
 * One more certificate of the pool, by its SHA-256 as "AB:CD:..."; other texts are none and do
 * nothing. For pools that are older than the bundle: XAPI knows these since 8.2, and it is asked
 * over a connection that is trusted already.
 */
int trust_add_fingerprint(struct trust *trust, const char *fingerprint, struct err *err);

/* Certificates that the user trusts. */
int trust_load_file(const char *path, struct trust **ret, struct err *err);

void *trust_free(struct trust *trust);

/* A TLS session (1.2 and newer) that will accept only what is trusted. */
int trust_new_session(const struct trust *trust, const struct endpoint *peer, SSL **ret,
                      struct err *err);
