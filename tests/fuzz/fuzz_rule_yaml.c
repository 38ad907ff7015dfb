/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * A rule from a stranger: loads or is refused with a place; never more. What loads is compiled for
 * scanning.
 */
#include "analyzer/match/matcher.h"
#include "analyzer/rules/rule.h"

#define LENGTH_MAX 65536

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char groups[] = "groups: {kernel: [var/log/kern.log]}\n";
    const struct embedded_file logs = {"logs.yaml", groups, groups + sizeof groups - 1};
    const struct embedded_file rules[] = {
        {"rule.yaml", (const char *)data, (const char *)data + size},
        {0},
    };
    struct rule_set *set = NULL;
    struct matcher *matcher = NULL;
    struct err err = ERR_INIT;
    if (size > LENGTH_MAX)
        return 0;
    if (rule_set_load(&logs, rules, NULL, false, &set, &err) < 0) {
        if (!err.text[0])
            __builtin_trap();
        return 0;
    }
    const struct rule *rule = rule_set_at(set, 0);
    for (size_t i = 0; i < rule->log_count && matcher_new(&matcher, NULL) == 0; i++) {
        struct log_pattern pattern = {rule->logs[i].files, rule->logs[i].file_count,
                                      rule->logs[i].match, rule->logs[i].unless};
        unsigned number;
        if (matcher_add(matcher, &pattern, &number, NULL) == 0)
            matcher_compile(matcher, NULL, NULL);
        matcher = matcher_free(matcher);
    }
    rule_set_free(set);
    return 0;
}
