/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * manifest.json (xenhealth-manifest/1): what became of every planned entry, and of the run. An
 * entry that travels in a tar inside the archive (etc/systemd.tar) names it as `inside`.
 */
#pragma once

#include "collector/plan/plan.h"
#include "collector/run/host.h"
#include "collector/run/own_member.h"

struct manifest_run {
    int argc;
    char *const *argv;         /* the command line; argv[0] is left out */
    int64_t started, finished; /* epoch seconds */
    int64_t duration_ms;
    const struct plan_selection *selections;
    size_t selection_count;
    const char *root;
    bool deadline_reached;
    bool reproducible; /* durations are written as 0 */
};

void manifest_write(const struct plan *plan, const struct host *host,
                    const struct manifest_run *run, struct own_member *out);
