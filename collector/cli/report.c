/* SPDX-License-Identifier: LGPL-2.1-only */
#include "collector/cli/report.h"

#include "collector/run/inventory.h"

static int add(struct run *run, const char *name, const struct strbuf *text, struct err *err)
{
    if (text->failed)
        return err_nomem(err);
    int r = run_add_text(run, name, text->data, text->length, err);
    return r < 0 ? err_prefix(err, "cannot write %s", name) : 0;
}

int report_add(struct run *run, const struct host *host, const struct manifest_run *about,
               bool with_log, struct err *err)
{
    struct strbuf text = STRBUF_INIT;
    int r = with_log ? run_add_text(run, "xen-bugtool.log", run->log->text.data,
                                    run->log->text.length, err)
                     : 0;
    if (r == 0) {
        manifest_write(run->plan, host, about, &text);
        r = add(run, "manifest.json", &text, err);
    }
    strbuf_clear(&text);
    if (r == 0) {
        inventory_write(run->plan, host, run->top, &text);
        r = add(run, "inventory.xml", &text, err);
    }
    strbuf_release(&text);
    return r;
}
