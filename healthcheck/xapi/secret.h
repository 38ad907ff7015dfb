/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * XAPI's secrets: texts that its database keeps apart from everything else, so that they do not
 * appear in exports and logs. The pool's configuration names them by uuid.
 *
 * What comes from XAPI is wiped where it was parsed (rpc_guard_memory()); a value in a caller's
 * buffer is the caller's to wipe (secret_forget()).
 */
#pragma once

#include "healthcheck/xapi/xapi.h"

#define XAPI_SECRET_BYTES 4096 /* of a value */
#define XAPI_UUID_BYTES   37

/* "00000000-0000-0000-0000-000000000000", any hex digits. */
bool xapi_is_uuid(const char *text);

/* ERR_NOTFOUND: XAPI knows no such secret. ERR_PARSE: `uuid` is none, or the value is empty, too
 * long or holds control characters. */
int xapi_secret_get(struct xapi *xapi, const char *uuid, char *value, size_t size, struct err *err);

/*
 * `mark` is put into its other_config: whoever created a secret and did not live to hear its uuid
 * finds it again by that.
 */
int xapi_secret_create(struct xapi *xapi, const char *value, const char *mark,
                       char ret_uuid[XAPI_UUID_BYTES], struct err *err);

/* The first `size` secrets with that mark, without looking at any value. ERR_LIMIT: there are more
 * secrets than one can look through. */
int xapi_secret_find(struct xapi *xapi, const char *mark, char (*ret_uuids)[XAPI_UUID_BYTES],
                     size_t size, size_t *ret_count, struct err *err);

/* One that is not there any more is no error, and what is no uuid is nobody's secret. */
int xapi_secret_destroy(struct xapi *xapi, const char *uuid, struct err *err);
