/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * A site's file from a stranger, over a rule whose parameters go into SQL: what is taken is a number
 * within its bounds.
 */
#include "analyzer/rules/site.h"

#define LENGTH_MAX 65536

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char groups[] = "groups: {kernel: [var/log/kern.log]}\n";
    static const char rule[] = "{id: a, title: t, component: xapi, severity: info, "
                               "params: {n: {default: 5, min: 1, max: 9}, t: 10m}, "
                               "query: 'SELECT {n}, {t}'}";
    const struct embedded_file logs = {"logs.yaml", groups, groups + sizeof groups - 1};
    const struct embedded_file rules[] = {{"a.yaml", rule, rule + sizeof rule - 1}, {0}};
    struct rule_set *set = NULL;
    struct err err = ERR_INIT;
    if (size > LENGTH_MAX || rule_set_load(&logs, rules, NULL, false, &set, NULL) < 0)
        return 0;
    if (site_apply_text(set, "site.yaml", (const char *)data, size, &err) < 0 && !err.text[0])
        __builtin_trap();
    const struct rule *changed = rule_set_at(set, 0);
    /* A minus stands in parentheses only: two of them would begin a comment. */
    if (strspn(changed->query, "SELECT 0123456789.,(-)") != strlen(changed->query) ||
        strstr(changed->query, " -") || strstr(changed->query, "--"))
        __builtin_trap();
    rule_set_free(set);
    return 0;
}
