/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * inventory.xml, exactly as the original writes it (tab-indented, these attributes and no others).
 */
#pragma once

#include "collector/plan/plan.h"
#include "collector/run/host.h"
#include "collector/run/own_member.h"

void inventory_write(const struct plan *plan, const struct host *host, const char *top,
                     struct own_member *out);
