/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * Where records of unfinished uploads are kept.
 */
#pragma once

#include "common/err.h"
#include "common/strbuf.h"

/*
 * `wanted` (--state) or the default: /var/lib/xenhealth/upload for root, else below $XDG_STATE_HOME
 * or ~/.local/state. ERR_USAGE: there is no home.
 */
int state_folder_find(const char *wanted, struct strbuf *ret, struct err *err);
