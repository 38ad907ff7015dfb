/* SPDX-License-Identifier: LGPL-2.1-only */
#include "analyzer/verdict/verdict.h"

const char *const severity_names[] = {"info", "warning", "error", "critical", NULL};
const char *const confidence_names[] = {"low", "medium", "high", NULL};

/* The contract's list: monitoring scripts filter by these words. */
const char *const component_names[] = {"storage", "network",  "ha",         "pool",     "xapi",
                                       "memory",  "kernel",   "hypervisor", "hardware", "firmware",
                                       "time",    "security", "updates",    "guest",    "gpu",
                                       "logs",    "backup",   NULL};

const char *severity_name(enum severity severity)
{
    return severity_names[severity];
}

const char *confidence_name(enum confidence confidence)
{
    return confidence_names[confidence];
}

bool finding_concerns(const struct finding *finding, const char *host)
{
    for (size_t i = 0; i < finding->host_count; i++)
        if (strcmp(finding->hosts[i], host) == 0)
            return true;
    return false;
}

const char *outcome_name(enum rule_outcome outcome)
{
    static const char *const names[] = {
        [OUTCOME_PASS] = "pass",
        [OUTCOME_FAIL] = "fail",
        [OUTCOME_UNKNOWN] = "unknown",
        [OUTCOME_NOT_APPLICABLE] = "not-applicable",
    };
    return names[outcome];
}

const char *verdict_time(int64_t time, char buffer[32])
{
    struct tm tm;
    time_t clock = (time_t)time;
    buffer[0] = '\0';
    if (time != TIME_UNKNOWN && gmtime_r(&clock, &tm))
        strftime(buffer, 32, "%Y-%m-%dT%H:%M:%S", &tm);
    return buffer;
}

void *verdict_free(struct verdict *verdict)
{
    if (verdict) {
        arena_free(verdict->arena);
        free(verdict);
    }
    return NULL;
}
