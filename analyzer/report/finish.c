/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * After all REPORTs are read: what the hosts are called, which time their clocks showed, and which
 * hosts and inventories should be there but are not.
 */
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "analyzer/report/clock.h"
#include "analyzer/report/member_name.h"
#include "analyzer/report/set.h"
#include "common/io.h"

#define NAME_SIZE 256

/* XenCenter names a host's folder "<time>-<number>-bugtool-<label>" and cuts the label after 20
 * characters. */
static const char bundle_mark[] = "-bugtool-";
#define BUNDLE_LABEL_CUT 18

/* Copies the last component of path[0..length), without an archive's suffix, to `name`; false if
 * empty. */
static bool last_component(const char *path, size_t length, char name[NAME_SIZE])
{
    while (length > 0 && path[length - 1] == '/')
        length--;
    size_t start = length;
    while (start > 0 && path[start - 1] != '/')
        start--;
    snprintf(name, NAME_SIZE, "%.*s", (int)(length - start), path + start);
    size_t stem;
    if (member_name_is_archive(name, &stem))
        name[stem] = '\0';
    return name[0] != '\0' && strcmp(name, ".") != 0 && strcmp(name, "..") != 0;
}

/* The name of a host that does not tell its own: from its folder, or from the REPORT. */
static void name_from_place(const struct source_state *source, const char *root,
                            char name[NAME_SIZE])
{
    size_t length = strlen(root);
    bool found = last_component(root, length, name);
    if (found && host_root_is_report_folder(name, strlen(name)) && strlen(name) < length) {
        char outer[NAME_SIZE];
        if (last_component(root, length - strlen(name), outer))
            snprintf(name, NAME_SIZE, "%s", outer);
    }
    if (!found) {
        const char *path = source->report.path;
        CLEANUP_FREE char *absolute = NULL;
        found = last_component(path, strlen(path), name);
        if (!found && (absolute = realpath(path, NULL)))
            found = last_component(absolute, strlen(absolute), name);
        if (!found || strcmp(path, "-") == 0)
            snprintf(name, NAME_SIZE, "%s", "report");
    }
    const char *mark = strstr(name, bundle_mark);
    if (mark && mark[sizeof bundle_mark - 1] != '\0')
        memmove(name, mark + sizeof bundle_mark - 1, strlen(mark + sizeof bundle_mark - 1) + 1);
}

static bool is_taken_name(const struct report_set *set, size_t before, const char *name)
{
    for (size_t i = 0; i < before; i++)
        if (strcmp(set->hosts.items[i]->report.name, name) == 0)
            return true;
    return false;
}

static int settle_name(struct report_set *set, size_t index, struct err *err)
{
    struct host_state *host = set->hosts.items[index];
    char name[NAME_SIZE], unique[NAME_SIZE + 16];

    if (host->inventory_name)
        snprintf(name, sizeof name, "%s", host->inventory_name);
    else if (host->manifest_name)
        snprintf(name, sizeof name, "%s", host->manifest_name);
    else
        name_from_place(set->sources.items[host->report.source], host->report.root, name);

    snprintf(unique, sizeof unique, "%s", name);
    for (int i = 2; is_taken_name(set, index, unique); i++)
        snprintf(unique, sizeof unique, "%s (%d)", name, i);
    host->report.name = set_text(set, unique, sizeof unique);
    return host->report.name ? 0 : err_nomem(err);
}

static void settle_clock(struct report_set *set, struct host_state *host)
{
    const struct source_state *source = set->sources.items[host->report.source];
    int64_t taken = host->inventory_taken;
    if (taken == 0)
        taken = host->manifest_taken;
    if (taken == 0)
        taken = clock_from_folder(host->report.root);
    if (taken == 0 && host->report.root[0] == '\0')
        taken = clock_from_folder(source->report.path);
    if (host->inventory_taken && host->manifest_taken)
        host->report.utc_offset = clock_offset(host->inventory_taken, host->manifest_taken);
    int64_t uptime = clock_uptime(host->report.uptime);
    if (taken && uptime >= 0)
        host->report.booted = taken - uptime;
    host->report.taken_is_known = taken != 0;
    if (taken == 0)
        taken = host->newest;
    host->report.taken = taken != 0 ? taken : source->modified;
}

/* One report named twice, or in a bundle as well, would count twice without anybody noticing. */
static void check_twins(struct report_set *set, size_t index)
{
    const struct report_host *host = &set->hosts.items[index]->report;
    for (size_t i = 0; i < index; i++) {
        const struct report_host *other = &set->hosts.items[i]->report;
        size_t length = strlen(other->name);
        if (host->taken_is_known && other->taken_is_known && host->taken == other->taken &&
            host->entries == other->entries && host->bytes == other->bytes &&
            strncmp(host->name, other->name, length) == 0 &&
            strncmp(host->name + length, " (", 2) == 0) {
            set_problem(
                set, PROBLEM_SUSPICIOUS, (int)index, "",
                "it looks like the report of '%.255s' again: what is found in it counts twice",
                other->name);
            return;
        }
    }
}

/* A collector's folder ends with inventory.xml; a folder of loose files never had one. */
static void check_inventory(struct report_set *set, const struct host_state *host)
{
    const char *root = host->report.root;
    const struct source_state *source = set->sources.items[host->report.source];
    bool is_report = host->has_own_files || clock_from_folder(root) != 0 ||
                     strstr(root, bundle_mark) != NULL ||
                     (root[0] == '\0' && clock_from_folder(source->report.path) != 0);
    if (is_report && !host->is_loose && !host->report.has_inventory && !host->inventory_damaged)
        set_problem(
            set, PROBLEM_TRUNCATED, (int)host->report.index, "",
            "inventory.xml is missing: the collector did not finish or the archive was cut");
}

static bool is_cut(const struct report_set *set, unsigned source)
{
    for (size_t i = 0; i < set->problems.count; i++) {
        const struct report_problem *problem = &set->problems.items[i];
        if (problem->source == source &&
            (problem->kind == PROBLEM_TRUNCATED || problem->kind == PROBLEM_DAMAGED))
            return true;
    }
    return false;
}

/*
 * Whose files are lost when an archive is not whole. Only then: the original tool also lists files
 * that it left out for their size.
 */
static void check_promises(struct report_set *set)
{
    for (size_t i = 0; i < set->promises.count;) {
        unsigned host = set->promises.items[i].host;
        const struct report_host *report = &set->hosts.items[host]->report;
        const char *first = NULL;
        int64_t lost = 0;
        for (; i < set->promises.count && set->promises.items[i].host == host; i++) {
            const char *path = set->promises.items[i].path;
            if (!key_set_has(&set->members, host, path) && lost++ == 0)
                first = path;
        }
        if (lost == 0 || !is_cut(set, report->source))
            continue;
        set->hosts.items[host]->lost = true;
        set_problem(set, PROBLEM_TRUNCATED, (int)host, "",
                    "%lld files that the report's own list names are not there, %.200s for one",
                    (long long)lost, first);
    }
}

/* --- Hosts that a bundle's list names */

/* Letters and digits only, in lower case: labels are changed to fit file names. */
static void fold(const char *text, size_t length, char folded[NAME_SIZE])
{
    size_t n = 0;
    for (size_t i = 0; i < length && n < NAME_SIZE - 1; i++)
        if (isalnum((unsigned char)text[i]))
            folded[n++] = (char)tolower((unsigned char)text[i]);
    folded[n] = '\0';
}

static bool is_same_name(const char *label, const char *name)
{
    size_t length = strcspn(name, ".");
    return strcasecmp(label, name) == 0 ||
           (strcspn(label, ".") == length && strncasecmp(label, name, length) == 0);
}

/* Whether the folder of a bundle carries the label. */
static bool is_labelled(const char *root, const char *label)
{
    const char *mark = strstr(root, bundle_mark);
    if (!mark)
        return false;
    char wanted[NAME_SIZE], found[NAME_SIZE];
    const char *tail = mark + sizeof bundle_mark - 1;
    size_t length = strcspn(tail, "/");
    fold(label, strlen(label), wanted);
    fold(tail, length, found);
    if (found[0] == '\0')
        return false;
    return strcmp(wanted, found) == 0 ||
           (length >= BUNDLE_LABEL_CUT && strncmp(wanted, found, strlen(found)) == 0);
}

/* Marks a host that fits the label and no other label yet. */
static bool claim_host(const struct report_set *set, const char *label, bool *claimed)
{
    for (int by_folder = 0; by_folder < 2; by_folder++) {
        for (size_t i = 0; i < set->hosts.count; i++) {
            const struct report_host *host = &set->hosts.items[i]->report;
            if (!claimed[i] &&
                (by_folder ? is_labelled(host->root, label) : is_same_name(label, host->name))) {
                claimed[i] = true;
                return true;
            }
        }
    }
    return false;
}

static int check_expected(struct report_set *set, struct err *err)
{
    CLEANUP_FREE bool *claimed = calloc(set->hosts.count + 1, sizeof *claimed);
    if (!claimed)
        return err_nomem(err);
    for (size_t i = 0; i < set->expected.count; i++) {
        const struct expected_host *expected = &set->expected.items[i];
        bool is_repeated = false;
        for (size_t j = 0; j < i; j++)
            is_repeated = is_repeated || (set->expected.items[j].source == expected->source &&
                                          strcmp(set->expected.items[j].name, expected->name) == 0);
        if (!is_repeated && !claim_host(set, expected->name, claimed))
            set_closing_problem(
                set, PROBLEM_MISSING_HOST, expected->source,
                "the bundle's list of hosts names '%.255s', but its report is not there",
                expected->name);
    }
    return 0;
}

int report_set_finish(struct report_set *set, struct err *err)
{
    for (size_t i = 0; i < set->hosts.count; i++) {
        int rc = settle_name(set, i, err);
        if (rc < 0)
            return rc;
        settle_clock(set, set->hosts.items[i]);
        check_inventory(set, set->hosts.items[i]);
        check_twins(set, i);
    }
    check_promises(set);
    int rc = check_expected(set, err);
    if (rc < 0)
        return rc;
    for (int kind = 0; kind < PROBLEM_KINDS; kind++)
        if (set->problems_of_kind[kind] > PROBLEMS_MAX)
            set_closing_problem(set, (enum problem_kind)kind, (unsigned)set->sources.count - 1,
                                "%lld more problems of this kind are not listed",
                                (long long)(set->problems_of_kind[kind] - PROBLEMS_MAX));
    return 0;
}
