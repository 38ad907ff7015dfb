/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * What the keys of pool.health_check_config say about when a check is due.
 *
 * XenCenter and its Windows service share them with us: the formats are theirs. A value that cannot
 * be read counts as absent and is told, because the alternative, to stop, would be silent.
 */
#pragma once

#include "common/strbuf.h"
#include "healthcheck/schedule/schedule.h"
#include "healthcheck/xapi/config.h"

/*
 * Everything that schedule_decide() wants to know. Sentences about values that cannot be read are
 * appended to `notes`, one a line.
 */
void keys_read(const struct config *config, struct schedule_pool *ret, struct strbuf *notes);

/* "uuid|time": who holds the lock, since when. False when it is empty or none of that form; the
 * owner may be any word of letters, digits and dashes. */
bool keys_read_lock(const char *text, char owner[SCHEDULE_OWNER_BYTES], int64_t *ret_s);

/* What is to be written to take it. */
#define KEYS_LOCK_BYTES 96
const char *keys_write_lock(const char *owner, int64_t s, char buffer[KEYS_LOCK_BYTES]);
