/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * When what happened where: a lane a host, in it a row a kind of events, as inline SVG beside names
 * in HTML. Positions across are percentages, so that the drawing fits a telephone and a wall
 * without becoming illegible; positions down are pixels. Colour is never alone: each kind has its
 * shape and its row. The same events stand below as a table for those who do not see the drawing.
 *
 * What lies closer together than a mark is wide is drawn as one mark, so the size of the drawing
 * depends on the number of hosts, not on how much went wrong.
 */
#include <inttypes.h>

#include "analyzer/render/html.h"
#include "common/io.h"

#define LANES       64        /* hosts of the largest pool */
#define ROOMY       6         /* up to so many hosts rows are high and named */
#define TABLE_ROWS  300       /* newest events in the table */
#define BINS        120       /* places across for marks; a wide screen has room for so many */
#define NAMED_MARKS 1200      /* up to so many marks say what they are under the mouse */
#define MAX_MARKS   6000      /* with more, places become fewer */
#define MAX_TICKS   6         /* labels that still fit 320 px */
#define SPAN_TAIL   600       /* seconds that a sample of a log stands for */
#define YEAR        31622400  /* seconds; what is older is in the table only */
#define MIN_LENGTH  3600      /* seconds of the axis */
#define LANE_PAD    5         /* pixels above and below the rows of a lane */
#define FIRST_TIME  631152000 /* 1990: Xen is younger, a host without a clock begins in 1970 */
#define LAST_TIME   4102444800

struct drawing {
    const struct view *view;
    const struct timeline *timeline;
    int64_t start, end; /* of the axis */
    size_t lanes;
    int rows[16];      /* row of each kind, -1: it has no event */
    size_t counts[16]; /* events of each kind */
    int row_count, row_height;
    int bins;
    size_t early; /* events before the axis */
    bool has_names;
};

static bool is_drawable(int64_t time)
{
    return time >= FIRST_TIME && time <= LAST_TIME;
}

/* Times come from reports: no arithmetic on one that is no time. */
static int64_t clamp(int64_t time)
{
    return time < FIRST_TIME ? FIRST_TIME : time > LAST_TIME ? LAST_TIME : time;
}

bool html_has_timeline(const struct view *view)
{
    return view->verdict->timeline && view->verdict->timeline->event_count > 0;
}

/* The axis ends when the last report was taken and begins a little before the first event. */
static void set_axis(struct drawing *drawing)
{
    const struct timeline *timeline = drawing->timeline;
    int64_t first = clamp(timeline->events[0].first), last = first;
    for (size_t i = 0; i < timeline->event_count; i++)
        if (clamp(timeline->events[i].last) > last)
            last = clamp(timeline->events[i].last);
    for (size_t i = 0; i < drawing->view->host_count; i++)
        if (is_drawable(drawing->view->hosts[i].taken) && drawing->view->hosts[i].taken > last)
            last = drawing->view->hosts[i].taken;
    if (last - first > YEAR)
        first = last - YEAR;
    int64_t length = last - first > MIN_LENGTH ? last - first : MIN_LENGTH;
    drawing->start = last - length - length / 40;
    drawing->end = last + length / 80;
    for (size_t i = 0; i < timeline->event_count; i++)
        drawing->early += timeline->events[i].first < drawing->start;
}

static void set_rows(struct drawing *drawing)
{
    const struct timeline *timeline = drawing->timeline;
    for (size_t i = 0; i < timeline->event_count; i++)
        if (timeline->events[i].kind < ARRAY_SIZE(drawing->counts))
            drawing->counts[timeline->events[i].kind]++;
    for (size_t k = 0; k < ARRAY_SIZE(drawing->rows); k++)
        drawing->rows[k] = drawing->counts[k] ? drawing->row_count++ : -1;
    drawing->lanes = drawing->view->host_count < LANES ? drawing->view->host_count : LANES;
    drawing->row_height = drawing->lanes <= ROOMY ? 20 : 9;
}

static double position(const struct drawing *drawing, int64_t time)
{
    double length = (double)(drawing->end - drawing->start);
    double place = 100 * (double)(clamp(time) - drawing->start) / length;
    return place < 0 ? 0 : place > 100 ? 100 : place;
}

static int bin_of(const struct drawing *drawing, int64_t time)
{
    return (int)(position(drawing, time) * drawing->bins / 100);
}

/* The next event of this kind and host on the axis at or behind `index`; the count when there is
 * none. */
static size_t next_event(const struct drawing *drawing, size_t index, unsigned kind, unsigned host)
{
    const struct timeline *timeline = drawing->timeline;
    while (index < timeline->event_count &&
           (timeline->events[index].kind != kind || timeline->events[index].host != host ||
            timeline->events[index].first < drawing->start))
        index++;
    return index;
}

/* Marks of a row with so many bins. */
static size_t count_marks(const struct drawing *drawing, unsigned kind, unsigned host)
{
    size_t marks = 0;
    int bin = -1;
    for (size_t i = next_event(drawing, 0, kind, host); i < drawing->timeline->event_count;
         i = next_event(drawing, i + 1, kind, host)) {
        int own = bin_of(drawing, drawing->timeline->events[i].first);
        marks += own != bin;
        bin = own;
    }
    return marks;
}

static size_t count_all_marks(const struct drawing *drawing)
{
    size_t marks = 0;
    for (unsigned host = 0; host < drawing->lanes; host++)
        for (unsigned kind = 0; kind < drawing->timeline->kind_count; kind++)
            if (drawing->rows[kind] >= 0)
                marks += count_marks(drawing, kind, host);
    return marks;
}

static void set_bins(struct drawing *drawing)
{
    size_t marks = 0;
    for (drawing->bins = BINS; drawing->bins > 1; drawing->bins /= 2) {
        marks = count_all_marks(drawing);
        if (marks <= MAX_MARKS)
            break;
    }
    drawing->has_names = marks <= NAMED_MARKS;
}

/* The shortest step that gives few enough ticks. */
static int64_t tick_step(const struct drawing *drawing)
{
    static const int64_t steps[] = {
        60,        300,        600,        1800,       3600,       2 * 3600,
        3 * 3600,  6 * 3600,   12 * 3600,  86400,      2 * 86400,  3 * 86400,
        7 * 86400, 14 * 86400, 30 * 86400, 61 * 86400, 91 * 86400,
    };
    double length = (double)(drawing->end - drawing->start);
    for (size_t i = 0; i < ARRAY_SIZE(steps); i++)
        if (length / (double)steps[i] <= MAX_TICKS)
            return steps[i];
    return steps[ARRAY_SIZE(steps) - 1];
}

static int64_t first_tick(const struct drawing *drawing, int64_t step)
{
    return drawing->start + (step - drawing->start % step) % step;
}

static void add_grid(const struct drawing *drawing, int height, struct strbuf *out)
{
    int64_t step = tick_step(drawing);
    for (int64_t tick = first_tick(drawing, step); tick <= drawing->end; tick += step)
        strbuf_addf(out, "<line class=\"tick\" x1=\"%.2f%%\" x2=\"%.2f%%\" y1=\"0\" y2=\"%d\"/>",
                    position(drawing, tick), position(drawing, tick), height);
}

static void add_axis(const struct drawing *drawing, struct strbuf *out)
{
    int64_t step = tick_step(drawing);
    char from[32], to[32], text[32];
    view_time(drawing->start, from);
    view_time(drawing->end, to);
    bool is_one_day = strncmp(from, to, strlen("2026-11-02")) == 0;
    strbuf_addf(out,
                "<div class=\"lane axis\"><p>%.*s</p><svg aria-hidden=\"true\" width=\"100%%\" "
                "height=\"18\">",
                is_one_day ? 10 : 0, from);
    for (int64_t tick = first_tick(drawing, step); tick <= drawing->end; tick += step) {
        double x = position(drawing, tick);
        if (x < 5 || x > 95)
            continue;
        /* "2026-11-02 10:00:00": the day at midnight, hours and minutes at other times. */
        view_time(tick, text);
        bool is_midnight = tick % 86400 == 0;
        strbuf_addf(out, "<text%s x=\"%.2f%%\" y=\"13\">%.5s</text>",
                    is_midnight && step < 86400 ? " class=\"day\"" : "", x,
                    text + strlen(is_midnight ? "2026-" : "2026-11-02 "));
    }
    strbuf_adds(out, "</svg></div>\n");
}

/* Number of the finding that an event belongs to, or 0. */
static size_t finding_of(const struct view *view, const struct event *event)
{
    const char *host = event->host < view->host_count ? view->hosts[event->host].name : "";
    for (size_t i = 0; event->rule && i < view->finding_count; i++) {
        const struct finding *finding = view->findings[i].finding;
        if (strcmp(finding->rule, event->rule) != 0)
            continue;
        for (size_t h = 0; h < finding->host_count; h++)
            if (strcmp(finding->hosts[h], host) == 0)
                return i + 1;
    }
    return 0;
}

static void add_name(const struct drawing *drawing, const struct event *event, int64_t count,
                     struct strbuf *out)
{
    char time[32];
    strbuf_adds(out, "<title>");
    html_text(out, drawing->timeline->kinds[event->kind].title);
    strbuf_addf(out, " %s", view_time(event->first, time));
    if (count > 1)
        strbuf_addf(out, ", %" PRId64 " times", count);
    strbuf_adds(out, ": ");
    html_abbreviate(out, event->text, 90);
    strbuf_adds(out, "</title>");
}

/* One mark for events `first` to `last`, which share a place. */
static void add_mark(const struct drawing *drawing, const struct event *first, int64_t until,
                     int64_t count, int y, struct strbuf *out)
{
    double x = position(drawing, first->first), end = position(drawing, until);
    size_t number = drawing->has_names ? finding_of(drawing->view, first) : 0;
    if (number)
        strbuf_addf(out, "<a href=\"#f%zu\" tabindex=\"-1\">", number);
    if (end - x > 100.0 / BINS)
        strbuf_addf(out, "<line x1=\"%.2f%%\" x2=\"%.2f%%\" y1=\"%d\" y2=\"%d\"/>", x, end, y, y);
    strbuf_addf(out, "<use href=\"#mark-%s%s\" x=\"%.2f%%\" y=\"%d\"",
                drawing->timeline->kinds[first->kind].shape,
                drawing->lanes <= ROOMY ? "" : "-small", x, y);
    if (drawing->has_names) {
        strbuf_adds(out, ">");
        add_name(drawing, first, count, out);
        strbuf_adds(out, "</use>");
    } else {
        strbuf_adds(out, "/>");
    }
    strbuf_adds(out, number ? "</a>" : "");
}

static void add_row(const struct drawing *drawing, unsigned kind, unsigned host, struct strbuf *out)
{
    const struct event *events = drawing->timeline->events;
    size_t count = drawing->timeline->event_count;
    int y = LANE_PAD + drawing->rows[kind] * drawing->row_height + drawing->row_height / 2;
    size_t i = next_event(drawing, 0, kind, host);
    if (i == count)
        return;
    strbuf_addf(out, "<g class=\"%s\">", drawing->timeline->kinds[kind].colour);
    while (i < count) {
        const struct event *first = &events[i];
        int64_t until = first->last, times = 0;
        int bin = bin_of(drawing, first->first);
        for (; i < count && bin_of(drawing, events[i].first) == bin;
             i = next_event(drawing, i + 1, kind, host)) {
            until = events[i].last > until ? events[i].last : until;
            times += events[i].count;
        }
        add_mark(drawing, first, until, times, y, out);
    }
    strbuf_adds(out, "</g>\n");
}

/* Where this host's logs are silent is hatched; with no knowledge about any host nothing is. */
static void add_ground(const struct drawing *drawing, unsigned host, int height, struct strbuf *out)
{
    const struct timeline *timeline = drawing->timeline;
    if (timeline->span_count == 0)
        return;
    strbuf_addf(out, "<rect class=\"silent\" fill=\"url(#hatch)\" width=\"100%%\" height=\"%d\"/>",
                height);
    for (size_t i = 0; i < timeline->span_count; i++) {
        const struct log_span *span = &timeline->spans[i];
        if (span->host != host || span->to < drawing->start)
            continue;
        double from = position(drawing, span->from);
        strbuf_addf(out, "<rect class=\"log\" x=\"%.2f%%\" width=\"%.2f%%\" height=\"%d\"/>", from,
                    position(drawing, clamp(span->to) + SPAN_TAIL) - from, height);
    }
}

static void add_lane(const struct drawing *drawing, unsigned host, struct strbuf *out)
{
    const struct view_host *about = &drawing->view->hosts[host];
    int height = drawing->row_count * drawing->row_height + 2 * LANE_PAD;
    strbuf_adds(out, "<div class=\"lane\"><p class=\"host\">");
    html_text(out, about->name);
    strbuf_addf(out, "</p><svg aria-hidden=\"true\" width=\"100%%\" height=\"%d\">", height);
    add_ground(drawing, host, height, out);
    add_grid(drawing, height, out);
    for (unsigned kind = 0; kind < drawing->timeline->kind_count; kind++)
        if (drawing->rows[kind] >= 0)
            add_row(drawing, kind, host, out);
    if (is_drawable(about->taken))
        strbuf_addf(out, "<line class=\"taken\" x1=\"%.2f%%\" x2=\"%.2f%%\" y1=\"0\" y2=\"%d\"/>",
                    position(drawing, about->taken), position(drawing, about->taken), height);
    strbuf_adds(out, "</svg></div>\n");
}

/* Around 0,0, so that <use> can put them anywhere; the small ones for lanes that are low. */
static const char defs[] =
    "<svg class=\"defs\" aria-hidden=\"true\" width=\"0\" height=\"0\"><defs>"
    "<path id=\"mark-triangle\" d=\"M0-7 7 6-7 6z\"/>"
    "<path id=\"mark-diamond\" d=\"M0-8 8 0 0 8-8 0z\"/>"
    "<path id=\"mark-cross\" d=\"M-7-4-4-7 0-3 4-7 7-4 3 0 7 4 4 7 0 3-4 7-7 4-3 0z\"/>"
    "<rect id=\"mark-square\" x=\"-5\" y=\"-5\" width=\"10\" height=\"10\"/>"
    "<circle id=\"mark-circle\" r=\"5.5\"/>"
    "<path id=\"mark-ring\" fill-rule=\"evenodd\" d=\"M-6 0a6 6 0 1 0 12 0a6 6 0 1 0-12 0zM-3 0a3 "
    "3 0 1 0 6 0a3 3 0 1 0-6 0z\"/>"
    "<rect id=\"mark-bar\" x=\"-2\" y=\"-7\" width=\"4\" height=\"14\"/>"
    "<path id=\"mark-triangle-small\" d=\"M0-4 4 4-4 4z\"/>"
    "<path id=\"mark-diamond-small\" d=\"M0-4.5 4.5 0 0 4.5-4.5 0z\"/>"
    "<path id=\"mark-cross-small\" d=\"M-4-2-2-4 0-2 2-4 4-2 2 0 4 2 2 4 0 2-2 4-4 2-2 0z\"/>"
    "<rect id=\"mark-square-small\" x=\"-3\" y=\"-3\" width=\"6\" height=\"6\"/>"
    "<circle id=\"mark-circle-small\" r=\"3.5\"/>"
    "<path id=\"mark-ring-small\" fill-rule=\"evenodd\" d=\"M-4 0a4 4 0 1 0 8 0a4 4 0 1 0-8 0zM-2 "
    "0a2 2 0 1 0 4 0a2 2 0 1 0-4 0z\"/>"
    "<rect id=\"mark-bar-small\" x=\"-1\" y=\"-4\" width=\"2\" height=\"8\"/>"
    "<pattern id=\"hatch\" width=\"6\" height=\"6\" patternUnits=\"userSpaceOnUse\">"
    "<path d=\"M-1 7 7-1M-1 1 1-1M5 7 7 5\"/></pattern>"
    "</defs></svg>\n";

static void add_legend(const struct drawing *drawing, struct strbuf *out)
{
    strbuf_adds(out, "<ul class=\"marks\">\n");
    for (size_t k = 0; k < drawing->timeline->kind_count; k++) {
        const struct event_kind *kind = &drawing->timeline->kinds[k];
        strbuf_addf(out,
                    "<li%s><svg class=\"%s\" aria-hidden=\"true\" width=\"18\" height=\"18\">"
                    "<use href=\"#mark-%s\" x=\"9\" y=\"9\"/></svg><span><strong>",
                    drawing->counts[k] ? "" : " class=\"none\"", kind->colour, kind->shape);
        html_text(out, kind->title);
        strbuf_addf(out, "</strong> %zu", drawing->counts[k]);
        if (*kind->description) {
            strbuf_adds(out, "<br>");
            html_text(out, kind->description);
        }
        strbuf_adds(out, "</span></li>\n");
    }
    if (drawing->timeline->span_count)
        strbuf_adds(
            out, "<li><svg aria-hidden=\"true\" width=\"18\" height=\"18\">"
                 "<rect class=\"silent\" fill=\"url(#hatch)\" width=\"18\" "
                 "height=\"18\"/></svg><span><strong>No logs"
                 "</strong><br>the host wrote none, or they are not in the report</span></li>\n");
    strbuf_adds(out,
                "<li><svg aria-hidden=\"true\" width=\"18\" height=\"18\"><line class=\"taken\" "
                "x1=\"9\" x2=\"9\" y1=\"0\" y2=\"18\"/></svg><span><strong>Report taken"
                "</strong></span></li>\n</ul>\n");
}

static void add_table_row(const struct drawing *drawing, const struct event *event,
                          struct strbuf *out)
{
    size_t number = finding_of(drawing->view, event);
    strbuf_adds(out, "<tr><td>");
    html_period(out, event->first, event->last);
    strbuf_adds(out, "</td><td>");
    html_text(out, event->host < drawing->view->host_count ? drawing->view->hosts[event->host].name
                                                           : "");
    strbuf_adds(out, "</td><td>");
    html_text(out, drawing->timeline->kinds[event->kind].title);
    strbuf_addf(out, "</td><td>%" PRId64 "</td><td>", event->count);
    if (number) {
        strbuf_addf(out, "<a href=\"#f%zu\">", number);
        html_text(out, drawing->view->findings[number - 1].finding->title);
        strbuf_adds(out, "</a>");
    } else {
        html_abbreviate(out, event->text, 160);
    }
    strbuf_adds(out, "</td></tr>\n");
}

static void add_table(const struct drawing *drawing, struct strbuf *out)
{
    size_t count = drawing->timeline->event_count;
    size_t first = count > TABLE_ROWS ? count - TABLE_ROWS : 0;
    strbuf_addf(out,
                "<details class=\"more\"><summary>The timeline as a table "
                "<span class=\"note\">%s%zu event%s</span></summary>\n"
                "<div class=\"scroll\" role=\"region\" aria-label=\"Timeline as a table\" "
                "tabindex=\"0\"><table>\n<thead><tr><th scope=\"col\">When</th>"
                "<th scope=\"col\">Host</th><th scope=\"col\">What</th><th scope=\"col\">Times</th>"
                "<th scope=\"col\">Finding or line of a log</th></tr></thead>\n<tbody>\n",
                first ? "the latest " : "", count - first, count - first == 1 ? "" : "s");
    for (size_t i = first; i < count; i++)
        add_table_row(drawing, &drawing->timeline->events[i], out);
    strbuf_adds(out, "</tbody>\n</table></div></details>\n");
}

void html_timeline(const struct view *view, struct strbuf *out)
{
    if (!html_has_timeline(view))
        return;
    struct drawing drawing = {.view = view, .timeline = view->verdict->timeline};
    set_axis(&drawing);
    set_rows(&drawing);
    set_bins(&drawing);
    strbuf_adds(out, "<section aria-labelledby=\"timeline\">\n<h2 id=\"timeline\">Timeline</h2>\n"
                     "<p class=\"note\">");
    html_period(out, drawing.start, drawing.end);
    strbuf_adds(out, ", by the clock of each host.");
    if (drawing.early)
        strbuf_addf(out, " %zu earlier event%s in the table only.", drawing.early,
                    drawing.early == 1 ? " is" : "s are");
    strbuf_adds(out, "</p>\n<div class=\"panel\">\n");
    strbuf_adds(out, defs);
    add_legend(&drawing, out);
    strbuf_addf(out, "<div class=\"timeline%s\">\n", drawing.lanes <= ROOMY ? "" : " dense");
    add_axis(&drawing, out);
    for (unsigned host = 0; host < drawing.lanes; host++)
        add_lane(&drawing, host, out);
    if (drawing.lanes > 1)
        add_axis(&drawing, out);
    strbuf_adds(out, "</div>\n</div>\n");
    add_table(&drawing, out);
    strbuf_adds(out, "</section>\n");
}
