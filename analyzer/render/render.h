/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * Renderers: a verdict for people or for programs. One const table row each (render_find), so a
 * new format is one file and one row. They append to a buffer; writing it out, atomically, is the
 * caller's.
 */
#pragma once

#include "analyzer/verdict/verdict.h"
#include "common/strbuf.h"

struct render_input {
    const struct verdict *verdict;
    const struct report_set *reports;
    struct database *database;  /* facts and, for HTML, the host inventory */
    enum severity min_severity; /* findings below are not shown (the score does not change) */
    bool colour;                /* text: the output is a terminal that shows colours */
    int width;                  /* text: columns of the terminal, 0: do not wrap */
};

struct view;

struct renderer {
    const char *name;    /* value of --format */
    const char *media;   /* one word for --help */
    bool shows_context;  /* the lines around a proof */
    bool shows_overview; /* the verdict's timeline and inventory */
    int (*as)(const struct view *view, struct strbuf *out, struct err *err);
};

/* Appends to `out`. */
int render_as(const struct renderer *renderer, const struct render_input *input,
              struct strbuf *out, struct err *err);

/* NULL when there is no such format. */
const struct renderer *render_find(const char *name);

/*
 * The exit status that goes with --format nagios, by the Monitoring Plugins Development Guidelines:
 * critical for a finding of severity error or critical, unknown when nothing could be judged.
 * Suppressed findings do not count.
 */
enum nagios_state { NAGIOS_OK, NAGIOS_WARNING, NAGIOS_CRITICAL, NAGIOS_UNKNOWN };

enum nagios_state render_nagios_state(const struct verdict *verdict);

/* The line for a run that came to no verdict. `reason` may be foreign. */
void render_nagios_unknown(const char *reason, struct strbuf *out);

/* NULL-ended names, for messages. */
const char *const *render_names(void);
