/* SPDX-License-Identifier: LGPL-2.1-only */
#pragma once

#include "collector/run/run.h"

/* The reason of entries for which the disk has no room. */
#define DELIVER_DISK_FULL "disk full: too little space is left for it"

/*
 * Bytes that are free where the archive and what waits for it are written, and in *ret_total (which
 * may stay untouched) the size of that file system. INT64_MAX when that is nobody's concern.
 */
int64_t deliver_space(const struct run *run, int64_t *ret_total);

/*
 * Takes a finished entry to the archive, if `reserve` bytes stay free behind it, and tells log and
 * progress of it. Frees the stage (NULL: the entry has no member). Fails as the archive does.
 */
int deliver(struct run *run, struct plan_entry *entry, struct stage *stage, int64_t reserve,
            struct err *err);
