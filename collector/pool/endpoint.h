/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * Where a host's XAPI listens: a name or an address, and a port.
 */
#pragma once

#include <sys/socket.h>

#include "common/rpc/limit.h"
#include "collector/process/spawner.h"

#define ENDPOINT_ADDRESSES 8 /* of one name; more are not tried */

struct endpoint {
    char host[256]; /* without brackets */
    char port[6];
};

struct endpoint_addresses {
    struct sockaddr_storage items[ENDPOINT_ADDRESSES];
    socklen_t lengths[ENDPOINT_ADDRESSES];
    int count;
};

/* "host", "host:port", "10.0.0.1", "fd00::1", "[fd00::1]:port"; the port is 443 if not given.
 * ERR_USAGE. */
int endpoint_parse(const char *text, struct endpoint *ret, struct err *err);

/* Whether the host is a number that needs no name service. */
bool endpoint_is_address(const struct endpoint *endpoint);

/*
 * Names are looked up in a child of the spawner, which must know endpoint_functions: a name service
 * that does not answer would block for longer than anybody waits.
 */
int endpoint_resolve(const struct endpoint *endpoint, struct spawner *spawner,
                     const struct limit *limit, struct endpoint_addresses *ret, struct err *err);

/* For spawner_start(). */
extern const struct spawner_function endpoint_functions[];
