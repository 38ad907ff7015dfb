/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * Names come from file systems, so whatever could move a terminal's cursor or fake a line is
 * escaped.
 */
#include "collector/plan/plan_print.h"

#include <inttypes.h>

#include "collector/plan/columns.h"
#include "collector/plan/plan_totals.h"
#include "common/escape.h"
#include "common/units.h"

#define MAX_NAME_COLUMN 40 /* longer names push the source to the right */
#define TITLE           10 /* "capability" */
#define BRIEF           32

static void add_escaped(struct strbuf *out, const char *text, int width)
{
    size_t before = out->length;
    escape_terminal(out, text, strlen(text), false);
    int pad = width - (int)(out->length - before);
    strbuf_addf(out, "%*s", pad > 0 ? pad : 0, "");
}

static int longest(const struct plan *plan, bool keys)
{
    size_t width = 0;
    for (size_t i = 0; i < plan->entries.count; i++) {
        const struct plan_entry *entry = &plan->entries.items[i];
        size_t length = strlen(keys ? entry->capability->key : entry->name);
        width = length > width ? length : width;
    }
    return width < MAX_NAME_COLUMN ? (int)width : MAX_NAME_COLUMN;
}

void plan_print_list(const struct plan *plan, bool aligned, struct strbuf *out)
{
    int key_width = aligned ? longest(plan, true) : 0;
    int name_width = aligned ? longest(plan, false) : 0;
    const char *gap = aligned ? "  " : "\t";
    for (size_t i = 0; i < plan->entries.count; i++) {
        const struct plan_entry *entry = &plan->entries.items[i];
        add_escaped(out, entry->capability->key, key_width);
        strbuf_addf(out, "%s%*s%s", gap, aligned ? -8 : 0, plan_kind_name(entry->kind), gap);
        add_escaped(out, entry->name, name_width);
        strbuf_adds(out, gap);
        add_escaped(out, entry->source, 0);
        strbuf_addc(out, '\n');
    }
}

static const char *seconds(int64_t ms, char text[BRIEF])
{
    snprintf(text, BRIEF, "%" PRId64 " s", (ms + 999) / 1000);
    return text;
}

/* Commands do not tell how much they are going to print. */
static const char *size_of(const struct plan_entry *entry, char text[BRIEF])
{
    int64_t bytes = plan_entry_bytes(entry);
    if (entry->decided)
        snprintf(text, BRIEF, "%s", outcome_name(entry->outcome.status));
    else if (!plan_entry_is_there(entry))
        snprintf(text, BRIEF, "missing");
    else if (bytes < 0)
        snprintf(text, BRIEF, "?");
    else
        units_format_bytes(bytes, text, BRIEF);
    return text;
}

static void print_entry(const struct plan_entry *entry, int key_width, struct strbuf *out)
{
    char text[BRIEF];
    add_escaped(out, entry->capability->key, key_width);
    strbuf_addf(out, "  %-8s  %11s", plan_kind_name(entry->kind), size_of(entry, text));
    strbuf_addf(out, "  %7s  ", plan_entry_runs(entry) ? seconds(entry->time_limit_ms, text) : "-");
    add_escaped(out, entry->name, 0);
    strbuf_addc(out, '\n');
}

struct frame {
    int jobs;
    int64_t time_limit_ms;
};

static int add_total(struct columns *table, const char *name, const char *privacy,
                     const struct plan_total *total, const struct frame *frame, struct err *err)
{
    char text[BRIEF];
    int64_t limit = total->time_limit_ms / frame->jobs;
    limit = limit < frame->time_limit_ms ? limit : frame->time_limit_ms;
    int r = columns_add(table, err, "%s", name);
    if (r == 0)
        r = columns_add(table, err, "%s", privacy);
    if (r == 0)
        r = columns_add(table, err, "%zu", total->files);
    if (r == 0)
        r = columns_add(table, err, "%s", units_format_bytes(total->bytes, text, sizeof text));
    if (r == 0)
        r = columns_add(table, err, "%zu", total->commands);
    if (r == 0)
        r = columns_add(table, err, "%s", seconds(total->expected_ms / frame->jobs, text));
    if (r == 0)
        r = columns_add(table, err, "%s", seconds(limit, text));
    return r;
}

static int add_titles(struct columns *table, struct err *err)
{
    static const char *const titles[] = {"capability", "privacy", "files",  "size",
                                         "commands",   "about",   "at most"};
    int r = 0;
    for (size_t i = 0; r == 0 && i < ARRAY_SIZE(titles); i++)
        r = columns_add(table, err, "%s", titles[i]);
    return r;
}

int plan_print_estimate(const struct plan *plan, int jobs, int64_t time_limit_ms,
                        struct strbuf *out, struct err *err)
{
    struct frame frame = {jobs, time_limit_ms};
    struct columns table = {.sides = "llrrrrr"};
    const struct capability *last = NULL;
    int key_width = longest(plan, true), r = add_titles(&table, err);
    key_width = key_width < TITLE ? TITLE : key_width;
    strbuf_addf(out, "%-*s  %-8s  %11s  %7s  %s\n", key_width, "capability", "kind", "size",
                "at most", "name");
    for (size_t i = 0; r == 0 && i < plan->entries.count; i++) {
        const struct plan_entry *entry = &plan->entries.items[i];
        print_entry(entry, key_width, out);
        if (entry->capability == last)
            continue;
        last = entry->capability;
        struct plan_total total = plan_total(plan, last);
        r = add_total(&table, last->key, last->pii, &total, &frame, err);
    }
    struct plan_total total = plan_total(plan, NULL);
    if (r == 0)
        r = add_total(&table, "total", "", &total, &frame, err);
    strbuf_addc(out, '\n');
    columns_print(&table, 0, out);
    columns_release(&table);
    if (total.entries > total.files + total.commands)
        strbuf_addf(out, "\n%zu of %zu entries are not on this host or are left out.\n",
                    total.entries - total.files - total.commands, total.entries);
    return r;
}
