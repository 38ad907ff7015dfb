/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * Whether files were seen whole. What a report says is found counts in any case; that something is
 * not found counts only if it could not have escaped the reader. A collector writes inventory.xml
 * last, so a report that has it did not lose its end, or names what it lost.
 */
#include <stdio.h>
#include <string.h>

#include "analyzer/report/member_name.h"
#include "analyzer/report/set.h"

/* `path` is as archived, the pattern is about the name without a compression's suffix. */
static bool covers(const struct path_pattern *pattern, bool is_log, const char *path)
{
    char logical[PROBLEM_PATH_MAX + 1];
    size_t length;
    member_name_compression(path, &length);
    snprintf(logical, sizeof logical, "%.*s", (int)length, path);
    return is_log ? path_pattern_match_log(pattern, logical)
                  : path_pattern_match(pattern, logical, NULL);
}

/* Kinds that a member has when its bytes, or the rows made of them, are not all there. */
static bool spoils(enum problem_kind kind)
{
    return kind == PROBLEM_TRUNCATED || kind == PROBLEM_DAMAGED || kind == PROBLEM_REFUSED ||
           kind == PROBLEM_TIMEOUT;
}

bool report_host_is_open(const struct report_set *set, size_t index)
{
    const struct report_host *host = &set->hosts.items[index]->report;
    for (size_t i = 0; !host->has_inventory && i < set->problems.count; i++) {
        const struct report_problem *problem = &set->problems.items[i];
        bool is_about =
            problem->host < 0 ? problem->source == host->source : problem->host == (int)index;
        bool is_whole = problem->path[0] == '\0' && spoils(problem->kind);
        if (is_about && (is_whole || problem->kind == PROBLEM_TRUNCATED))
            return true;
    }
    return false;
}

/* Whether one of the files is there in part. Problems beyond those kept may be about any file. */
static bool is_spoilt(const struct report_set *set, size_t index,
                      const struct path_pattern *pattern, bool is_log)
{
    for (int kind = 0; kind < PROBLEM_KINDS; kind++)
        if (spoils((enum problem_kind)kind) && set->problems_of_kind[kind] > PROBLEMS_MAX)
            return true;
    for (size_t i = 0; i < set->problems.count; i++) {
        const struct report_problem *problem = &set->problems.items[i];
        if (problem->host == (int)index && problem->path[0] != '\0' && spoils(problem->kind) &&
            covers(pattern, is_log, problem->path))
            return true;
    }
    return false;
}

/* Whether the report's own list has one of the files, and the report has not. */
static bool is_promised(const struct report_set *set, size_t index,
                        const struct path_pattern *pattern, bool is_log)
{
    if (!set->hosts.items[index]->lost)
        return false;
    for (size_t i = 0; i < set->promises.count; i++) {
        const struct promise *promise = &set->promises.items[i];
        if (promise->host == index && covers(pattern, is_log, promise->path) &&
            !key_set_has(&set->members, (unsigned)index, promise->path))
            return true;
    }
    return false;
}

bool report_host_saw_all(const struct report_set *set, size_t index,
                         const struct path_pattern *pattern, bool is_log)
{
    bool may_be_many = is_log || strpbrk(pattern->text, "*?{");
    if (may_be_many && report_host_is_open(set, index))
        return false;
    return !is_spoilt(set, index, pattern, is_log) && !is_promised(set, index, pattern, is_log);
}
