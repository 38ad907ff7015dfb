/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * Whether a file can be the private key of SFTP.
 */
#pragma once

#include "common/err.h"

/* secret_check_file(), and ERR_DENIED: it is no private key, or one with a passphrase. */
int identity_check(const char *path, struct err *err);
