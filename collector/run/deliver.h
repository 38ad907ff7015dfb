/* SPDX-License-Identifier: LGPL-2.1-only */
#pragma once

#include "collector/run/run.h"

/*
 * Takes a finished entry to the archive, if there is room for it, and tells log and progress of it.
 * Frees the stage (NULL: the entry has no member). Fails as the archive does.
 */
int deliver(struct run *run, struct plan_entry *entry, struct stage *stage, struct err *err);
