/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * The token on its way from XAPI to xen-upload: a file in /run/xenhealth/credentials (tmpfs, folder
 * 0700, file 0600) in the form of xen-upload's --credentials, for
 *
 *     xen-upload --credential NAME --credentials-dir /run/xenhealth/credentials
 */
#pragma once

#include "healthcheck/enroll/enrollment.h"
#include "healthcheck/xapi/config.h"

#define CREDENTIAL_NAME "healthcheck"

/*
 * Writes `folder`/CREDENTIAL_NAME. `xapi` and `config` may be NULL on a standalone host; `settings`
 * is the folder of enrollment.yaml. Without an `enrollment` (NULL or no url: XenCenter made it, and
 * the URL stands in our settings) the pool's token is taken. *ret_written false: this enrollment
 * has no credential, and there is no such file now. ERR_AGAIN: there is a token, but no XAPI.
 * ERR_NOTFOUND: the pool has no token (any more): enroll again. ERR_PARSE, ERR_DENIED, ERR_IO.
 */
int credential_write(struct xapi *xapi, const struct config *config,
                     const struct enrollment *enrollment, const char *settings, const char *folder,
                     bool *ret_written, struct err *err);

/* Overwrites and removes it. None is no error. */
int credential_wipe(const char *folder, struct err *err);
