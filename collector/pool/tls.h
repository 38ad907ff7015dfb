/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * A connection to another host's XAPI, through TLS.
 */
#pragma once

#include "collector/pool/trust.h"
#include "common/rpc/stream.h"

/* ERR_DENIED: the host's certificate is not trusted; the others as stream_open_local(). */
int tls_open(const struct endpoint *peer, const struct trust *trust, struct spawner *spawner,
             const struct limit *limit, struct stream **ret, struct err *err);
