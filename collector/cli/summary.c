/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * Entries that are not complete are gathered by what happened and why, and only a few of each group
 * are named: the manifest has them all.
 */
#include "collector/cli/summary.h"

#include <errno.h>
#include <sys/stat.h>
#include <unistd.h>

#include "collector/run/progress_bar.h"
#include "common/compiler.h"
#include "common/terminal.h"
#include "common/units.h"

#define MAX_GROUPS                                                                                 \
    24               /* of one reason each; what is beyond is counted in the last one of its kind */
#define MAX_NAMED  3 /* entries of a group */
#define FILE_WIDTH 160 /* of a line that goes to a file */

/* In the order of what matters; what is not here needs no word. */
static const struct kind {
    enum outcome_status status;
    bool with_reason; /* the reason is about the host, not about the entry: it tells groups apart */
    bool named;
    const char *words;
} kinds[] = {
    {OUTCOME_STUCK, true, true, "hang and were given up"},
    {OUTCOME_TIMEOUT, false, true, "ended when their time was up; what they had said is there"},
    {OUTCOME_OMITTED, true, true, "left out"},
    {OUTCOME_TRUNCATED, false, true, "cut to their limit (logs keep their end)"},
    {OUTCOME_DENIED, true, true, "could not be opened"},
    {OUTCOME_FAILED, true, true, "failed"},
    {OUTCOME_SIGNAL, false, true, "were ended by a signal"},
    {OUTCOME_CHANGED, false, true, "changed while they were read"},
    {OUTCOME_EXIT, false, true, "ended with an error; what they said is there"},
    {OUTCOME_MISSING, false, false, "are not on this host"},
};

struct group {
    const struct kind *kind;
    const char *reason;
    size_t count;
    const struct plan_entry *named[MAX_NAMED];
};

struct groups {
    struct group items[MAX_GROUPS];
    size_t count;
};

static struct group *find_group(struct groups *groups, const struct kind *kind, const char *reason)
{
    for (size_t i = 0; i < groups->count; i++)
        if (groups->items[i].kind == kind && strcmp(groups->items[i].reason, reason) == 0)
            return &groups->items[i];
    bool room = groups->count < MAX_GROUPS - ARRAY_SIZE(kinds); /* a last group for each kind */
    if (!room && *reason)
        return find_group(groups, kind, "");
    struct group *group = &groups->items[groups->count++];
    *group = (struct group){.kind = kind, .reason = reason};
    return group;
}

static void add_kind(struct groups *groups, const struct plan *plan, const struct kind *kind)
{
    for (size_t i = 0; i < plan->entries.count; i++) {
        const struct plan_entry *entry = &plan->entries.items[i];
        if (entry->outcome.status != kind->status)
            continue;
        struct group *group =
            find_group(groups, kind, kind->with_reason ? entry->outcome.reason : "");
        if (kind->named && group->count < MAX_NAMED)
            group->named[group->count] = entry;
        group->count++;
    }
}

static void print_group(const struct group *group, unsigned width, FILE *out)
{
    struct strbuf line = STRBUF_INIT, shown = STRBUF_INIT;
    strbuf_addf(&line, "%6zu %s", group->count, group->kind->words);
    if (*group->reason)
        strbuf_addf(&line, ", %s", group->reason);
    for (size_t i = 0; i < MAX_NAMED && group->named[i]; i++)
        strbuf_addf(&line, "%s%s", i ? "; " : ": ", group->named[i]->source);
    if (group->kind->named && group->count > MAX_NAMED)
        strbuf_adds(&line, "; ...");
    terminal_clip(line.data, width, &shown);
    fprintf(out, "%s\n", shown.data);
    strbuf_release(&line);
    strbuf_release(&shown);
}

static void print_taken(const struct summary *summary, FILE *out)
{
    size_t taken = 0;
    int64_t bytes = 0, redactions = 0;
    char size[32], clock[32];
    for (size_t i = 0; i < summary->plan->entries.count; i++) {
        const struct plan_entry *entry = &summary->plan->entries.items[i];
        taken += outcome_has_member(entry->outcome.status);
        bytes += entry->bytes;
        redactions += entry->redactions;
    }
    fprintf(out, "Taken: %zu of %zu entries, %s, in %s", taken, summary->plan->entries.count,
            units_format_bytes(bytes, size, sizeof size),
            progress_clock(summary->duration_ms, clock, sizeof clock));
    if (redactions)
        fprintf(out, "; %lld %s removed", (long long)redactions,
                redactions == 1 ? "secret was" : "secrets were");
    fputc('\n', out);
}

static void print_archive(const char *path, FILE *out)
{
    struct stat status;
    char size[32];
    struct strbuf safe = STRBUF_INIT;
    terminal_clip(path, (unsigned)-1, &safe);
    if (stat(path, &status) == 0)
        fprintf(out, "Archive: %s, %s\n", safe.data,
                units_format_bytes(status.st_size, size, sizeof size));
    fprintf(out, "Analyse it: xen-analyze %s\n", safe.data);
    strbuf_release(&safe);
}

void summary_print(const struct summary *summary, FILE *out)
{
    struct groups groups = {.count = 0};
    unsigned width = isatty(fileno(out)) ? terminal_columns(out) - 1 : FILE_WIDTH;
    for (size_t i = 0; i < ARRAY_SIZE(kinds); i++)
        add_kind(&groups, summary->plan, &kinds[i]);
    print_taken(summary, out);
    if (groups.count)
        fputs("Not complete (more in manifest.json):\n", out);
    for (size_t i = 0; i < groups.count; i++)
        print_group(&groups.items[i], width, out);
    if (summary->path)
        print_archive(summary->path, out);
}

void summary_print_sizes(const struct plan *plan, const struct plan_selection *selections,
                         size_t count, FILE *out)
{
    fputs("Category sizes (max, actual):\n", out);
    for (size_t i = 0; i < count; i++) {
        const struct capability *capability = selections[i].capability;
        long long bytes = 0;
        for (size_t k = 0; k < plan->entries.count; k++)
            if (plan->entries.items[k].capability == capability)
                bytes += plan->entries.items[k].bytes;
        fprintf(out, "    %s (%lld, %lld)\n", capability->key, (long long)capability->max_size,
                bytes);
    }
}

int summary_print_path(const char *path, struct err *err)
{
    if (printf("%s\n", path) > 0 && fflush(stdout) == 0)
        return 0;
    return err_set_errno(err, errno,
                         "the archive '%s' is complete, but its name cannot be written to standard "
                         "output",
                         path);
}
