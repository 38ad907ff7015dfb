/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * The costs below need to be right only in proportion to each other: whoever shows time left scales
 * them by the time that has passed.
 */
#include "collector/plan/plan_totals.h"

#define COMMAND_MS      100                /* most answer at once, some think for seconds */
#define FILE_MS         1                  /* open, look, close */
#define BYTES_PER_SHARE (20 * 1024 * 1024) /* read, searched for secrets and packed in ... */
#define SHARE_MS        1000               /* ... this time */

bool plan_entry_runs(const struct plan_entry *entry)
{
    return !entry->decided && entry->argv && !entry->path;
}

bool plan_entry_is_there(const struct plan_entry *entry)
{
    bool file = entry->kind == PLAN_FILE || entry->kind == PLAN_TREE;
    return !entry->decided && !(file && entry->expected < 0);
}

int64_t plan_entry_bytes(const struct plan_entry *entry)
{
    if (!plan_entry_is_there(entry))
        return 0;
    if (entry->expected < 0)
        return -1;
    return entry->limit >= 0 && entry->expected > entry->limit ? entry->limit : entry->expected;
}

int64_t plan_entry_ms(const struct plan_entry *entry)
{
    if (entry->decided)
        return 0;
    if (plan_entry_runs(entry))
        return entry->time_limit_ms < COMMAND_MS ? entry->time_limit_ms : COMMAND_MS;
    int64_t bytes = plan_entry_bytes(entry);
    return FILE_MS + (bytes > 0 ? bytes / (BYTES_PER_SHARE / SHARE_MS) : 0);
}

struct plan_total plan_total(const struct plan *plan, const struct capability *capability)
{
    struct plan_total total = {0};
    for (size_t i = 0; i < plan->entries.count; i++) {
        const struct plan_entry *entry = &plan->entries.items[i];
        if (capability && entry->capability != capability)
            continue;
        bool runs = plan_entry_runs(entry);
        int64_t bytes = plan_entry_bytes(entry);
        bool command = entry->kind == PLAN_COMMAND || entry->kind == PLAN_FUNCTION;
        total.entries++;
        total.files += !command && plan_entry_is_there(entry);
        total.commands += command && plan_entry_is_there(entry);
        total.bytes += bytes > 0 ? bytes : 0;
        total.expected_ms += plan_entry_ms(entry);
        total.time_limit_ms += runs ? entry->time_limit_ms : plan_entry_ms(entry);
    }
    return total;
}
