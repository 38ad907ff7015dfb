/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * Names come from file systems, so whatever could move a terminal's cursor or fake a line is
 * escaped.
 */
#include "collector/plan/plan_print.h"

#include <inttypes.h>

#include "common/escape.h"
#include "common/units.h"

static void print_entry(const struct plan_entry *entry, struct strbuf *out)
{
    strbuf_addf(out, "%s\t%s\t", entry->capability->key, plan_kind_name(entry->kind));
    escape_terminal(out, entry->name, strlen(entry->name), false);
    strbuf_addc(out, '\t');
    escape_terminal(out, entry->source, strlen(entry->source), false);
}

void plan_print_list(const struct plan *plan, struct strbuf *out)
{
    for (size_t i = 0; i < plan->entries.count; i++) {
        print_entry(&plan->entries.items[i], out);
        strbuf_addc(out, '\n');
    }
}

static int64_t expected_bytes(const struct plan_entry *entry)
{
    if (entry->decided || entry->expected < 0)
        return entry->decided ? 0 : -1;
    return entry->limit >= 0 && entry->expected > entry->limit ? entry->limit : entry->expected;
}

static bool takes_time(const struct plan_entry *entry)
{
    return !entry->decided && entry->argv && !entry->path;
}

static void print_total(const struct plan *plan, const struct capability *capability,
                        struct strbuf *out)
{
    int64_t bytes = 0, seconds = 0;
    size_t count = 0;
    for (size_t i = 0; i < plan->entries.count; i++) {
        const struct plan_entry *entry = &plan->entries.items[i];
        if (capability && entry->capability != capability)
            continue;
        count++;
        bytes += expected_bytes(entry) > 0 ? expected_bytes(entry) : 0;
        seconds += takes_time(entry) ? entry->time_limit_ms / 1000 : 0;
    }
    char text[32];
    strbuf_addf(out, "total\t%s\t%zu entries\tfiles %s\tcommands at most %" PRId64 " s\n",
                capability ? capability->key : "all", count,
                units_format_bytes(bytes, text, sizeof text), seconds);
}

void plan_print_estimate(const struct plan *plan, struct strbuf *out)
{
    for (size_t i = 0; i < plan->entries.count; i++) {
        const struct plan_entry *entry = &plan->entries.items[i];
        int64_t bytes = expected_bytes(entry);
        print_entry(entry, out);
        if (bytes >= 0)
            strbuf_addf(out, "\t%" PRId64, bytes);
        else
            strbuf_adds(out, "\t-");
        strbuf_addf(out, "\t%" PRId64 "\n", takes_time(entry) ? entry->time_limit_ms / 1000 : 0);
    }
    const struct capability *last = NULL;
    for (size_t i = 0; i < plan->entries.count; i++)
        if (plan->entries.items[i].capability != last) {
            last = plan->entries.items[i].capability;
            print_total(plan, last, out);
        }
    print_total(plan, NULL, out);
}
