/* SPDX-License-Identifier: LGPL-2.1-only */
#include "collector/cli/report.h"

#include "collector/run/inventory.h"

int report_add(struct run *run, const struct host *host, const struct manifest_run *about,
               bool with_log, struct err *err)
{
    struct own_member member;
    int r = with_log ? run_add_text(run, "xen-bugtool.log", run->log->text.data,
                                    run->log->text.length, err)
                     : 0;
    if (r == 0)
        r = own_member_start(run, "manifest.json", &member, err);
    if (r < 0)
        return r;
    manifest_write(run->plan, host, about, &member);
    r = own_member_end(&member, err);
    if (r == 0)
        r = own_member_start(run, "inventory.xml", &member, err);
    if (r < 0)
        return r;
    inventory_write(run->plan, host, run->top, &member);
    return own_member_end(&member, err);
}
