/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * Name and password for another host's XAPI, from a file that only its owner can read.
 */
#pragma once

#include "common/err.h"

struct credentials {
    char user[128];
    char password[256];
};

/*
 * Lines "username=NAME" and "password=TEXT" (all behind the sign; others are refused, but for empty
 * ones and comments with #). ERR_DENIED when the file is not ours or root's, or others may read it,
 * or it is a link.
 */
int credentials_read(const char *path, struct credentials *ret, struct err *err);

/* Wipes them. */
void credentials_forget(struct credentials *credentials);
