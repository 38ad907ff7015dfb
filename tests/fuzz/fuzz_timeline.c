/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * Kinds of events: load or are refused with a place.
 */
#include "analyzer/rules/timeline.h"

#define LENGTH_MAX 65536

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char groups[] = "groups: {kernel: [var/log/kern.log]}\n";
    static const struct embedded_file none[] = {{0}};
    const struct embedded_file logs = {"logs.yaml", groups, groups + sizeof groups - 1};
    const struct embedded_file file = {"fuzz.yaml", (const char *)data, (const char *)data + size};
    const struct timeline_plan *plan = NULL;
    struct rule_set *set = NULL;
    struct err err = ERR_INIT;
    if (size > LENGTH_MAX || rule_set_load(&logs, none, NULL, false, &set, NULL) < 0)
        return 0;
    if (timeline_plan_load(set, &file, &plan, &err) < 0 && err.code != ERR_NOMEM && !err.where[0])
        __builtin_trap();
    rule_set_free(set);
    return 0;
}
