/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * What surrounds the made-up findings: events on three hosts, one of them much older than a year, a
 * host whose logs are silent for a while, and an inventory with an odd one out.
 */
#include "sample_view.h"

#define HOUR 3600

static const char *tainted(struct view *view, const char *text, const char *payload)
{
    const char *both = *text ? arena_printf(view->arena, "%s%s", text, payload) : "";
    return both ? both : "";
}

static const struct event_kind kinds[] = {
    {"fence", "Fenced", "the host restarted itself", "cross", "red"},
    {"restart", "Restart", "the control domain started", "triangle", "blue"},
    {"storage", "Storage errors", "", "square", "orange"},
};

static const struct {
    unsigned kind, host;
    int64_t ago, length, count;
    const char *text, *rule;
} plain_events[] = {
    {1, 1, 700 * 24 * HOUR, 0, 1, "Linux version 4.4.0", NULL},
    {2, 0, 30 * HOUR, 4 * HOUR, 400, "multipathd: sdb: remaining active paths: 0",
     "storage-sr-path-lost"},
    {0, 2, 5 * HOUR, 0, 1, "Self-Fence", NULL},
    {1, 2, 5 * HOUR - 200, 0, 1, "Linux version 4.19.0+1", NULL},
};

static void add_timeline(struct view *view, struct verdict *verdict, const char *payload)
{
    struct timeline *timeline = arena_alloc(view->arena, sizeof *timeline);
    struct event_kind *tainted_kinds =
        arena_array(view->arena, ARRAY_SIZE(kinds), sizeof *tainted_kinds);
    struct event *events = arena_array(view->arena, ARRAY_SIZE(plain_events), sizeof *events);
    struct log_span *spans = arena_array(view->arena, 3, sizeof *spans);
    if (!timeline || !tainted_kinds || !events || !spans)
        return;
    int64_t now = view->hosts[0].taken;
    for (size_t i = 0; i < ARRAY_SIZE(kinds); i++) {
        tainted_kinds[i] = kinds[i];
        tainted_kinds[i].title = tainted(view, kinds[i].title, payload);
        tainted_kinds[i].description = tainted(view, kinds[i].description, payload);
    }
    for (size_t i = 0; i < ARRAY_SIZE(plain_events); i++) {
        int64_t first = now - plain_events[i].ago;
        events[i] = (struct event){
            plain_events[i].kind,
            plain_events[i].host,
            first,
            first + plain_events[i].length,
            plain_events[i].count,
            tainted(view, plain_events[i].text, payload),
            plain_events[i].rule ? tainted(view, plain_events[i].rule, payload) : NULL};
    }
    spans[0] = (struct log_span){0, now - 60 * HOUR, now};
    spans[1] = (struct log_span){2, now - 60 * HOUR, now - 20 * HOUR};
    spans[2] = (struct log_span){2, now - 8 * HOUR, now};
    *timeline = (struct timeline){
        tainted_kinds, ARRAY_SIZE(kinds), events, ARRAY_SIZE(plain_events), spans, 3};
    verdict->timeline = timeline;
}

static const struct {
    const char *title, *note;
    bool is_compared;
    const char *values[3];
} plain_rows[] = {
    {"Role", "", false, {"coordinator", "member", "member"}},
    {"Product", "One version a pool.", true, {"XCP-ng 8.3.0", "XCP-ng 8.3.0", "XCP-ng 8.2.1"}},
    {"Memory", "", true, {"384 GiB", "384 GiB", "256 GiB"}},
    {"Machine", "", true, {"PowerEdge R640", "PowerEdge R640", "PowerEdge R640"}},
    {"Microcode", "", true, {"0x0d000421", "", "0x0d000421"}},
    {"Edition", "", true, {"", "", ""}},
};

static void add_inventory(struct view *view, struct verdict *verdict, const char *payload)
{
    struct inventory *inventory = arena_alloc(view->arena, sizeof *inventory);
    struct inventory_row *rows = arena_array(view->arena, ARRAY_SIZE(plain_rows), sizeof *rows);
    if (!inventory || !rows)
        return;
    for (size_t i = 0; i < ARRAY_SIZE(plain_rows); i++) {
        rows[i] = (struct inventory_row){
            tainted(view, plain_rows[i].title, payload), tainted(view, plain_rows[i].note, payload),
            plain_rows[i].is_compared, arena_array(view->arena, 3, sizeof *rows[i].values)};
        for (size_t h = 0; rows[i].values && h < 3; h++)
            rows[i].values[h] = tainted(view, plain_rows[i].values[h], payload);
    }
    *inventory = (struct inventory){rows, ARRAY_SIZE(plain_rows), 3};
    verdict->inventory = inventory;
}

void sample_add_overview(struct view *view, struct verdict *verdict, const char *payload)
{
    add_timeline(view, verdict, payload);
    add_inventory(view, verdict, payload);
}
