/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * What surrounds the findings: what happened when on which host, and what the hosts are made of.
 *
 * It is no judgement: nothing here changes a score. Which things happen and which properties hosts
 * have is data (rules/timeline.yaml, rules/inventory.yaml). Hosts are named by their index in the
 * report set. Texts come from reports and are hostile.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A kind of events and how it is drawn. `shape` and `colour` are names from fixed lists. */
struct event_kind {
    const char *name, *title, *description;
    const char *shape, *colour;
};

/* Events of one kind that lie so close together that they are one thing. */
struct event {
    unsigned kind, host;
    int64_t first, last; /* epoch seconds of the host's clock; never unknown */
    int64_t count;
    const char *text; /* of the first one */
    const char *rule; /* whose hits these are, or NULL */
};

/* A time in which a host's logs were written. */
struct log_span {
    unsigned host;
    int64_t from, to;
};

struct timeline {
    const struct event_kind *kinds; /* the most important first */
    size_t kind_count;
    struct event *events; /* by time */
    size_t event_count;
    struct log_span *spans; /* by host, then time; none: nothing is known about it */
    size_t span_count;
};

/* A property of hosts. */
struct inventory_row {
    const char *title;
    const char *note;    /* why a difference matters, or "" */
    bool is_compared;    /* the hosts of a pool should be alike */
    const char **values; /* one a host, "" where the report does not tell */
};

struct inventory {
    struct inventory_row *rows;
    size_t row_count;
    size_t host_count;
};
