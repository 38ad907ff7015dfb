/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * The log, the manifest and the inventory itself are not listed (source: the original). The md5 is
 * of the bytes in the archive, which the original got wrong for live logs.
 */
#include "collector/run/inventory.h"

#include <string.h>
#include <time.h>

#include "common/escape.h"

static void attribute(struct strbuf *out, const char *name, const char *value)
{
    strbuf_addf(out, " %s=\"", name);
    escape_markup(out, value, strlen(value));
    strbuf_addc(out, '"');
}

void inventory_write(const struct plan *plan, const struct host *host, const char *top,
                     struct own_member *member)
{
    char date[64];
    time_t taken = (time_t)host->taken;
    struct tm parts;
    struct strbuf *out = own_member_text(member);
    if (host->utc)
        gmtime_r(&taken, &parts);
    else
        localtime_r(&taken, &parts);
    strftime(date, sizeof date, "%a %b %e %H:%M:%S %Y", &parts); /* %c of the C locale */
    strbuf_adds(out, "<?xml version=\"1.0\" encoding=\"utf-8\"?>\n<system-status-inventory>\n");
    strbuf_adds(out, "\t<system-summary");
    attribute(out, "date", date);
    attribute(out, "hostname", host->name);
    attribute(out, "uname", host->uname);
    attribute(out, "uptime", host->uptime);
    if (host->user[0])
        attribute(out, "user", host->user);
    strbuf_adds(out, "/>\n");
    struct strbuf name = STRBUF_INIT;
    for (size_t i = 0; i < plan->entries.count; i++) {
        const struct plan_entry *entry = &plan->entries.items[i];
        if (!entry->archived)
            continue;
        out = own_member_text(member);
        strbuf_clear(&name);
        strbuf_addf(&name, "%s/%s", top, entry->name);
        strbuf_adds(out, "\t<inventory-entry");
        attribute(out, "capability", entry->capability->key);
        attribute(out, "filename", name.data);
        attribute(out, "md5sum", entry->md5);
        strbuf_adds(out, "/>\n");
    }
    strbuf_release(&name);
    strbuf_adds(out, "</system-status-inventory>\n");
}
