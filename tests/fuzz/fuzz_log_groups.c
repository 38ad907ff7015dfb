/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * Groups of logs: load or are refused with a place; a rule can use one.
 */
#include "analyzer/rules/rule.h"

#define LENGTH_MAX 65536

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char rule[] = "{id: a, title: t, component: xapi, severity: info, "
                               "log: {files: [$kernel], match: oops}}";
    const struct embedded_file logs = {"logs.yaml", (const char *)data, (const char *)data + size};
    const struct embedded_file rules[] = {{"a.yaml", rule, rule + sizeof rule - 1}, {0}};
    struct rule_set *set = NULL;
    struct err err = ERR_INIT;
    if (size <= LENGTH_MAX && rule_set_load(&logs, rules, NULL, false, &set, &err) < 0 &&
        !err.text[0])
        __builtin_trap();
    rule_set_free(set);
    return 0;
}
