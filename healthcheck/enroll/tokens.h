/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * With what the uploads of an enrollment will be allowed.
 */
#pragma once

#include "healthcheck/enroll/enroll.h"
#include "healthcheck/xapi/secret.h"

struct tokens {
    char upload[XAPI_SECRET_BYTES], diagnostic[XAPI_SECRET_BYTES]; /* or "" */
    char lines[XAPI_SECRET_BYTES]; /* for servers that want something else than a token; or "" */
};

/* From the request's files, or from the service (xen-upload --grant). Errors as enroll_run(). */
int tokens_get(const struct enroll_place *place, const struct enroll_request *request,
               struct tokens *ret, struct err *err);

void tokens_forget(struct tokens *tokens);

/* Whether the service of this URL gives tokens for a name and a password. */
bool tokens_are_granted(const char *url);
