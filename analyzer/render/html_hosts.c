/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * The inventory: what each host is, where the hosts of a pool differ, and what they have in common.
 *
 * What is the same everywhere is said once, and what differs is listed by value with the hosts that
 * have it. So one host and sixty-four take about the same room, and the odd one out stands alone.
 */
#include <inttypes.h>

#include "analyzer/render/html.h"
#include "common/units.h"

#define VALUES_SHOWN                                                                               \
    12 /* of a property; when all hosts differ, a list of all values tells nobody */

static bool is_told(const struct inventory_row *row, size_t host_count)
{
    for (size_t i = 0; i < host_count; i++)
        if (*row->values[i])
            return true;
    return false;
}

static bool is_column(const struct inventory_row *row, size_t host_count)
{
    return !row->is_compared && is_told(row, host_count);
}

static void add_score(const struct view *view, const struct view_host *host, struct strbuf *out)
{
    strbuf_adds(out, "<td data-label=\"Score\">");
    if (host->score >= 0 && view_is_judged(view)) {
        strbuf_addf(out, "<span class=\"meter\"><span class=\"points %s\">%d</span>",
                    html_score_class(view, host->score), host->score);
        html_score_bar(out, view, host->score);
        strbuf_adds(out, "</span></td>\n");
    } else {
        strbuf_adds(out, "<span class=\"none\">none</span></td>\n");
    }
}

static void add_report(const struct view_host *host, struct strbuf *out)
{
    char size[32];
    strbuf_adds(out, "<td data-label=\"Report\"><span>");
    html_time(out, host->taken);
    if (host->taken != TIME_UNKNOWN)
        strbuf_adds(out, host->taken_is_known ? ", " : " (guessed), ");
    strbuf_addf(out, "%" PRId64 " files, %s</span></td>\n", host->entries,
                units_format_bytes(host->bytes, size, sizeof size));
}

static void add_value(struct strbuf *out, const char *text)
{
    if (*text)
        html_text(out, text);
    else
        strbuf_adds(out, "<span class=\"none\">not known</span>");
}

static void add_host(const struct view *view, const struct inventory *inventory, size_t index,
                     struct strbuf *out)
{
    strbuf_adds(out, "<tr><th scope=\"row\">");
    html_text(out, view->hosts[index].name);
    strbuf_adds(out, "</th>\n");
    add_score(view, &view->hosts[index], out);
    for (size_t i = 0; inventory && i < inventory->row_count; i++) {
        const struct inventory_row *row = &inventory->rows[i];
        if (!is_column(row, view->host_count))
            continue;
        strbuf_adds(out, "<td data-label=\"");
        html_text(out, row->title);
        strbuf_adds(out, "\"><span>");
        add_value(out, row->values[index]);
        strbuf_adds(out, "</span></td>\n");
    }
    add_report(&view->hosts[index], out);
    strbuf_adds(out, "</tr>\n");
}

static void add_table(const struct view *view, const struct inventory *inventory,
                      struct strbuf *out)
{
    strbuf_adds(
        out,
        "<div class=\"scroll\" role=\"region\" aria-label=\"Table of the hosts\" tabindex=\"0\">"
        "<table class=\"hosts\">\n<thead><tr><th scope=\"col\">Host</th>"
        "<th scope=\"col\">Score</th>");
    for (size_t i = 0; inventory && i < inventory->row_count; i++)
        if (is_column(&inventory->rows[i], view->host_count)) {
            strbuf_adds(out, "<th scope=\"col\">");
            html_text(out, inventory->rows[i].title);
            strbuf_adds(out, "</th>");
        }
    strbuf_adds(out, "<th scope=\"col\">Report</th></tr></thead>\n<tbody>\n");
    for (size_t i = 0; i < view->host_count; i++)
        add_host(view, inventory, i, out);
    strbuf_adds(out, "</tbody>\n</table></div>\n");
}

/* The first host with the value of `index`: the one that stands for all of them. */
static size_t first_alike(const struct inventory_row *row, size_t index)
{
    size_t first = 0;
    while (strcmp(row->values[first], row->values[index]) != 0)
        first++;
    return first;
}

static size_t count_alike(const struct inventory_row *row, size_t index, size_t host_count)
{
    size_t count = 0;
    for (size_t i = 0; i < host_count; i++)
        count += strcmp(row->values[i], row->values[index]) == 0;
    return count;
}

/* How many values, and how many hosts that tell one. */
static size_t count_values(const struct inventory_row *row, size_t host_count, size_t *ret_known)
{
    size_t values = 0;
    *ret_known = 0;
    for (size_t i = 0; i < host_count; i++) {
        *ret_known += *row->values[i] != '\0';
        values += *row->values[i] && first_alike(row, i) == i;
    }
    return values;
}

static void add_hosts_with(const struct view *view, const struct inventory_row *row, size_t index,
                           struct strbuf *out)
{
    const char *between = "";
    for (size_t i = 0; i < view->host_count; i++)
        if (strcmp(row->values[i], row->values[index]) == 0) {
            strbuf_adds(out, between);
            html_text(out, view->hosts[i].name);
            between = ", ";
        }
}

/* One value of a property with its hosts. At most half of those that tell: it is the odd one. */
static void add_group(const struct view *view, const struct inventory_row *row, size_t index,
                      size_t known, struct strbuf *out)
{
    size_t alike = count_alike(row, index, view->host_count);
    bool is_odd = *row->values[index] && alike * 2 <= known;
    strbuf_addf(out, "<div class=\"value%s\"><dt>", is_odd ? " odd" : "");
    add_value(out, row->values[index]);
    if (is_odd)
        strbuf_adds(out, " <span class=\"differs\">differs</span>");
    strbuf_addf(out, "</dt><dd>%s", alike > 1 ? "" : "only ");
    add_hosts_with(view, row, index, out);
    if (alike > 3)
        strbuf_addf(out, " <span class=\"note\">(%zu hosts)</span>", alike);
    strbuf_adds(out, "</dd></div>\n");
}

static void add_difference(const struct view *view, const struct inventory_row *row, size_t values,
                           size_t known, struct strbuf *out)
{
    size_t shown = 0;
    strbuf_adds(out, "<li><h4>");
    html_text(out, row->title);
    strbuf_adds(out, "</h4>\n<dl>\n");
    for (size_t i = 0; i < view->host_count; i++)
        if (first_alike(row, i) == i && (shown < VALUES_SHOWN || !*row->values[i])) {
            add_group(view, row, i, known, out);
            shown += *row->values[i] != '\0';
        }
    strbuf_adds(out, "</dl>\n");
    if (values > VALUES_SHOWN)
        strbuf_addf(out, "<p class=\"note\">and %zu more values</p>\n", values - VALUES_SHOWN);
    if (*row->note) {
        strbuf_adds(out, "<p class=\"note\">");
        html_text(out, row->note);
        strbuf_adds(out, "</p>\n");
    }
    strbuf_adds(out, "</li>\n");
}

static void add_differences(const struct view *view, const struct inventory *inventory,
                            struct strbuf *out)
{
    size_t differing = 0, alike = 0, known;
    for (size_t i = 0; i < inventory->row_count; i++) {
        const struct inventory_row *row = &inventory->rows[i];
        size_t values = row->is_compared ? count_values(row, view->host_count, &known) : 0;
        if (values > 1 && differing++ == 0)
            strbuf_adds(out,
                        "<h3>Differences between the hosts</h3>\n<ul class=\"differences\">\n");
        if (values > 1)
            add_difference(view, row, values, known, out);
        alike += values == 1;
    }
    if (differing)
        strbuf_adds(out, "</ul>\n");
    else if (alike)
        strbuf_addf(out,
                    "<p class=\"calm\">The hosts are alike in all %zu properties that are "
                    "known of them.</p>\n",
                    alike);
}

static void add_common(const struct view *view, const struct inventory *inventory,
                       struct strbuf *out)
{
    bool is_open = false;
    for (size_t i = 0; i < inventory->row_count; i++) {
        const struct inventory_row *row = &inventory->rows[i];
        size_t known, first = 0;
        if (!row->is_compared || count_values(row, view->host_count, &known) != 1)
            continue;
        while (!*row->values[first])
            first++;
        if (!is_open)
            strbuf_addf(out, "<h3>%s</h3>\n<dl class=\"common panel\">\n",
                        view->host_count > 1 ? "The same on all hosts" : "What it is made of");
        is_open = true;
        strbuf_adds(out, "<div><dt>");
        html_text(out, row->title);
        strbuf_adds(out, "</dt><dd>");
        html_text(out, row->values[first]);
        if (known < view->host_count)
            strbuf_addf(out, " <span class=\"note\">(known of %zu hosts)</span>", known);
        strbuf_adds(out, "</dd></div>\n");
    }
    strbuf_adds(out, is_open ? "</dl>\n" : "");
}

void html_hosts(const struct view *view, struct strbuf *out)
{
    const struct inventory *inventory = view->verdict->inventory;
    if (view->host_count == 0)
        return;
    if (inventory && inventory->host_count != view->host_count)
        inventory = NULL;
    strbuf_adds(out, "<section aria-labelledby=\"hosts\">\n<h2 id=\"hosts\">Hosts</h2>\n");
    add_table(view, inventory, out);
    if (inventory && view->host_count > 1)
        add_differences(view, inventory, out);
    if (inventory)
        add_common(view, inventory, out);
    strbuf_adds(out, "</section>\n");
}
