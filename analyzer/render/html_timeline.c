/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * When what happened where: one lane a host, in it one row a finding, as inline SVG. Positions
 * across are percentages, so that the drawing fits a telephone and a wall without becoming
 * illegible; positions down are pixels. Colour is never alone: each severity has a shape, each row
 * the finding's number. The same data stands below as a table for those who do not see the drawing.
 */
#include <inttypes.h>

#include "analyzer/render/html.h"
#include "common/vec.h"

#define ROWS_A_LANE      24   /* findings with a time on one host; the rest is in the table only */
#define LANES            64   /* hosts of the largest pool */
#define TABLE_ROWS       300  /* events in the table */
#define MAX_TICKS        6    /* labels that still fit 320 px */
#define LEFT             8.0  /* percent kept free for the numbers ... */
#define RIGHT            97.0 /* ... and for marks at the end */
#define LONG_LINE        45.0 /* percent; beside a shorter one there is room for its title */
#define LABEL_CHARACTERS 48   /* of a title in a row */
#define LANE_HEAD        24   /* pixels for the host's name */
#define ROW_HEIGHT       18
#define AXIS_HEIGHT      26

/* 1990 and 2100: Xen is younger, and a host without a clock begins in 1970. */
#define FIRST_TIME 631152000
#define LAST_TIME  4102444800

/* Everything with a time that one finding shows on one host. */
struct row {
    const struct finding *finding;
    size_t number; /* on the page */
    size_t host;   /* index in the view */
    int64_t first, last;
};

struct timeline {
    const struct view *view;
    VEC(struct row) rows;
    int64_t start, end; /* of the axis */
    bool failed;
};

/* Times come from reports: one far out would press all others into a point. */
static bool is_drawable(int64_t time)
{
    return time >= FIRST_TIME && time <= LAST_TIME;
}

static void extend(int64_t *first, int64_t *last, int64_t time)
{
    if (!is_drawable(time))
        return;
    if (*first == TIME_UNKNOWN || time < *first)
        *first = time;
    if (*last == TIME_UNKNOWN || time > *last)
        *last = time;
}

/* First and last time of a finding on a host: from its evidence there; if it has one host only,
 * from itself. */
static struct row row_of(const struct view *view, size_t index, size_t host)
{
    const struct finding *finding = view->findings[index].finding;
    struct row row = {finding, index + 1, host, TIME_UNKNOWN, TIME_UNKNOWN};
    for (size_t i = 0; i < finding->evidence_count; i++)
        if (strcmp(finding->evidence[i].host, view->hosts[host].name) == 0)
            extend(&row.first, &row.last, finding->evidence[i].time);
    if (finding->host_count == 1 && strcmp(finding->hosts[0], view->hosts[host].name) == 0) {
        extend(&row.first, &row.last, finding->first_seen);
        extend(&row.first, &row.last, finding->last_seen);
    }
    return row;
}

static void collect(struct timeline *timeline)
{
    const struct view *view = timeline->view;
    for (size_t host = 0; host < view->host_count; host++)
        for (size_t i = 0; i < view->finding_count; i++) {
            struct row row = row_of(view, i, host);
            if (row.first == TIME_UNKNOWN)
                continue;
            struct row *slot = vec_push(&timeline->rows);
            if (!slot) {
                timeline->failed = true;
                return;
            }
            *slot = row;
            extend(&timeline->start, &timeline->end, row.first);
            extend(&timeline->start, &timeline->end, row.last);
        }
    for (size_t host = 0; timeline->rows.count > 0 && host < view->host_count; host++)
        extend(&timeline->start, &timeline->end, view->hosts[host].taken);
    if (timeline->start == timeline->end && timeline->start != TIME_UNKNOWN)
        timeline->end = timeline->start + 1;
}

static double position(const struct timeline *timeline, int64_t time)
{
    double length = (double)(timeline->end - timeline->start);
    return LEFT + (RIGHT - LEFT) * (double)(time - timeline->start) / length;
}

/* The shortest step that gives few enough ticks. */
static int64_t tick_step(const struct timeline *timeline)
{
    static const int64_t steps[] = {
        1,         5,          15,         60,         300,           900,
        3600,      3 * 3600,   6 * 3600,   12 * 3600,  86400,         2 * 86400,
        7 * 86400, 14 * 86400, 30 * 86400, 91 * 86400, 365 * 86400LL, 3650 * 86400LL,
    };
    double length = (double)(timeline->end - timeline->start);
    for (size_t i = 0; i < ARRAY_SIZE(steps); i++)
        if (length / (double)steps[i] < MAX_TICKS)
            return steps[i];
    return 0;
}

static void add_ticks(const struct timeline *timeline, struct strbuf *out, int height)
{
    int64_t step = tick_step(timeline);
    if (step == 0)
        return;
    int64_t first = timeline->start - timeline->start % step;
    for (int64_t tick = first; tick <= timeline->end; tick += step) {
        char text[32];
        if (tick < timeline->start)
            continue;
        view_time(tick, text);
        /* "2026-11-02 10:00:00": the day at midnight, else hours and minutes, or all for steps of
         * seconds. */
        const char *label = text + strlen("2026-11-02 ");
        int length = step % 60 ? 8 : 5;
        if (tick % 86400 == 0)
            label = step >= 91 * 86400 ? text : text + strlen("2026-"),
            length = step >= 91 * 86400 ? 7 : 5;
        double x = position(timeline, tick);
        strbuf_addf(out,
                    "<line class=\"tick\" x1=\"%.2f%%\" x2=\"%.2f%%\" y1=\"0\" y2=\"%d\"/>"
                    "<text class=\"label\" x=\"%.2f%%\" y=\"%d\">%.*s</text>\n",
                    x, x, height, x, height + 17, length, label);
    }
}

static void add_mark(const struct timeline *timeline, const struct row *row, int64_t time, int y,
                     struct strbuf *out)
{
    strbuf_addf(out, "<use href=\"#mark-%s\" x=\"%.2f%%\" y=\"%d\"/>",
                severity_name(row->finding->severity), position(timeline, time), y);
}

/* The title, on the side with more room; over the line when the line takes most of it. */
static void add_label(const struct row *row, double from, double to, int y, struct strbuf *out)
{
    bool is_over = to - from > LONG_LINE, is_before = from > 100 - to;
    const char *side = is_over ? "over" : is_before ? "before" : "behind";
    double x = is_over ? (from + to) / 2 : is_before ? from : to;
    int shift = is_over ? 0 : is_before ? -28 : 12;
    strbuf_addf(out, "<text class=\"title %s\" x=\"%.2f%%\" dx=\"%d\" y=\"%d\">", side, x, shift,
                y + 4);
    html_abbreviate(out, row->finding->title, LABEL_CHARACTERS);
    strbuf_adds(out, "</text>");
}

static void add_row(const struct timeline *timeline, const struct row *row, int y,
                    struct strbuf *out)
{
    double from = position(timeline, row->first), to = position(timeline, row->last);
    strbuf_addf(out, "<a href=\"#f%zu\" tabindex=\"-1\"><g class=\"%s\"><title>", row->number,
                severity_name(row->finding->severity));
    html_text(out, row->finding->title);
    strbuf_addf(out,
                "</title><rect class=\"hit\" x=\"0\" width=\"100%%\" y=\"%d\" height=\"%d\"/>"
                "<text class=\"number\" x=\"%.2f%%\" dx=\"-10\" y=\"%d\">%zu</text>"
                "<line x1=\"%.2f%%\" x2=\"%.2f%%\" y1=\"%d\" y2=\"%d\"/>",
                y - ROW_HEIGHT / 2, ROW_HEIGHT, from, y + 4, row->number, from, to, y, y);
    add_mark(timeline, row, row->first, y, out);
    for (size_t i = 0; i < row->finding->evidence_count; i++) {
        const struct evidence *evidence = &row->finding->evidence[i];
        if (evidence->time > row->first && evidence->time < row->last &&
            strcmp(evidence->host, timeline->view->hosts[row->host].name) == 0)
            add_mark(timeline, row, evidence->time, y, out);
    }
    if (row->last != row->first)
        add_mark(timeline, row, row->last, y, out);
    add_label(row, from, to, y, out);
    strbuf_adds(out, "</g></a>\n");
}

/* Rows that are drawn of the ones of this host, which follow each other. */
static size_t rows_of_host(const struct timeline *timeline, size_t host, size_t first)
{
    size_t count = 0;
    while (first + count < timeline->rows.count && timeline->rows.items[first + count].host == host)
        count++;
    return count;
}

static size_t drawn(size_t count)
{
    return count < ROWS_A_LANE ? count : ROWS_A_LANE;
}

static void add_lane(const struct timeline *timeline, size_t host, size_t first, size_t count,
                     int y, struct strbuf *out)
{
    strbuf_addf(out,
                "<line class=\"lane\" x1=\"0\" x2=\"100%%\" y1=\"%d\" y2=\"%d\"/>"
                "<text class=\"host\" x=\"0\" y=\"%d\">",
                y, y, y + 17);
    html_text(out, timeline->view->hosts[host].name);
    strbuf_addf(out, "%s</text>\n", count ? "" : ": nothing with a time");
    for (size_t i = 0; i < drawn(count); i++)
        add_row(timeline, &timeline->rows.items[first + i],
                y + LANE_HEAD + (int)i * ROW_HEIGHT + ROW_HEIGHT / 2, out);
    int64_t taken = timeline->view->hosts[host].taken;
    if (is_drawable(taken)) {
        double x = position(timeline, taken);
        strbuf_addf(out,
                    "<line class=\"taken\" x1=\"%.2f%%\" x2=\"%.2f%%\" y1=\"%d\" y2=\"%d\"/>\n", x,
                    x, y, y + LANE_HEAD + (int)drawn(count) * ROW_HEIGHT);
    }
}

/* Around 0,0, so that <use> can put them anywhere. */
static const char marks[] = "<defs>"
                            "<path id=\"mark-critical\" d=\"M0-7 7 0 0 7-7 0z\"/>"
                            "<rect id=\"mark-error\" x=\"-5\" y=\"-5\" width=\"10\" height=\"10\"/>"
                            "<path id=\"mark-warning\" d=\"M0-6 6 5-6 5z\"/>"
                            "<circle id=\"mark-info\" r=\"4.5\"/>"
                            "</defs>\n";

static void add_drawing(const struct timeline *timeline, struct strbuf *out)
{
    size_t hosts = timeline->view->host_count < LANES ? timeline->view->host_count : LANES;
    int height = 0;
    size_t first = 0;
    for (size_t host = 0; host < hosts; host++) {
        size_t count = rows_of_host(timeline, host, first);
        height += LANE_HEAD + (int)drawn(count) * ROW_HEIGHT + ROW_HEIGHT / 2;
        first += count;
    }
    strbuf_addf(out,
                "<svg class=\"timeline\" aria-hidden=\"true\" width=\"100%%\" height=\"%d\">\n%s",
                height + AXIS_HEIGHT, marks);
    add_ticks(timeline, out, height);
    int y = 0;
    first = 0;
    for (size_t host = 0; host < hosts; host++) {
        size_t count = rows_of_host(timeline, host, first);
        add_lane(timeline, host, first, count, y, out);
        y += LANE_HEAD + (int)drawn(count) * ROW_HEIGHT + ROW_HEIGHT / 2;
        first += count;
    }
    strbuf_addf(out, "<line class=\"lane\" x1=\"0\" x2=\"100%%\" y1=\"%d\" y2=\"%d\"/></svg>\n",
                height, height);
}

static int compare_rows(const void *a, const void *b)
{
    const struct row *left = a, *right = b;
    if (left->first != right->first)
        return left->first < right->first ? -1 : 1;
    return left->number < right->number ? -1 : left->number > right->number;
}

static void add_table(struct timeline *timeline, struct strbuf *out)
{
    qsort(timeline->rows.items, timeline->rows.count, sizeof *timeline->rows.items, compare_rows);
    strbuf_adds(out, "<details class=\"more\"><summary>The timeline as a table</summary>\n"
                     "<div class=\"scroll\" role=\"region\" aria-label=\"Timeline as a table\" "
                     "tabindex=\"0\"><table>\n<thead><tr><th scope=\"col\">First</th>"
                     "<th scope=\"col\">Last</th><th scope=\"col\">Host</th>"
                     "<th scope=\"col\">Severity</th><th scope=\"col\">Finding</th></tr></thead>\n"
                     "<tbody>\n");
    for (size_t i = 0; i < timeline->rows.count && i < TABLE_ROWS; i++) {
        const struct row *row = &timeline->rows.items[i];
        strbuf_adds(out, "<tr><td>");
        html_time(out, row->first);
        strbuf_adds(out, "</td><td>");
        html_time(out, row->last);
        strbuf_adds(out, "</td><td>");
        html_text(out, timeline->view->hosts[row->host].name);
        strbuf_adds(out, "</td><td>");
        html_badge(out, row->finding->severity);
        strbuf_addf(out, "</td><td><a href=\"#f%zu\">", row->number);
        html_text(out, row->finding->title);
        strbuf_adds(out, "</a></td></tr>\n");
    }
    strbuf_adds(out, "</tbody>\n</table></div></details>\n");
}

bool html_has_timeline(const struct view *view)
{
    for (size_t host = 0; host < view->host_count; host++)
        for (size_t i = 0; i < view->finding_count; i++)
            if (row_of(view, i, host).first != TIME_UNKNOWN)
                return true;
    return false;
}

void html_timeline(const struct view *view, struct strbuf *out)
{
    struct timeline timeline = {.view = view, .start = TIME_UNKNOWN, .end = TIME_UNKNOWN};
    collect(&timeline);
    if (timeline.failed)
        out->failed = true;
    if (timeline.rows.count > 0) {
        strbuf_adds(out, "<section aria-labelledby=\"timeline\">\n"
                         "<h2 id=\"timeline\">Timeline</h2>\n<p class=\"note\">");
        html_period(out, timeline.start, timeline.end);
        strbuf_adds(out, ", by the clock of each host. A row is a finding, with its number; the "
                         "dashed line is when the report was taken.</p>\n<div class=\"panel\">\n"
                         "<ul class=\"legend marks\">");
        for (int i = SEVERITY_COUNT - 1; i >= 0; i--) {
            const char *name = severity_name((enum severity)i);
            strbuf_addf(out,
                        "<li><svg class=\"%s\" aria-hidden=\"true\" width=\"16\" height=\"16\">"
                        "<use href=\"#mark-%s\" x=\"8\" y=\"8\"/></svg> %s</li>",
                        name, name, name);
        }
        strbuf_adds(out, "</ul>\n");
        add_drawing(&timeline, out);
        strbuf_adds(out, "</div>\n");
        add_table(&timeline, out);
        strbuf_adds(out, "</section>\n");
    }
    vec_free(&timeline.rows);
}
