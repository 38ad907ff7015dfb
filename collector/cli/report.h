/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * The last members of the archive: what the run has to say about itself.
 */
#pragma once

#include "collector/run/manifest.h"
#include "collector/run/run.h"

/* Adds xen-bugtool.log (if `with_log`), manifest.json and inventory.xml. */
int report_add(struct run *run, const struct host *host, const struct manifest_run *about,
               bool with_log, struct err *err);
