/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * Secrets of XAPI that may belong to nobody: noted on disk before the pool's keys change, looked at
 * afterwards. Whatever was noted and no key names is destroyed; that is the old token after an
 * enrollment, the new one after a failed one, and either after a kill in between.
 */
#pragma once

#include "healthcheck/xapi/config.h"

#define ORPHANS_MARK_BYTES 33

/* Before secrets are created: notes a new mark for them. */
int orphans_begin(const char *state, char ret_mark[ORPHANS_MARK_BYTES], struct err *err);

/* Their uuids are noted now: the mark is not needed any more. */
int orphans_named(const char *state, const char *mark, struct err *err);

/* Adds to what is noted in the folder `state`. NULL and what is no uuid is left out. */
int orphans_note(const char *state, const char *const *uuids, size_t count, struct err *err);

/* Destroys what no key names, and forgets the notes. After an error they stay for the next time. */
int orphans_settle(const char *state, struct xapi *xapi, struct err *err);
