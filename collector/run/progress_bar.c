/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * Columns are counted without the locale: what may be two columns wide counts as two. So a line is
 * sometimes shorter than it could be, and never breaks.
 */
#include "collector/run/progress_bar.h"

#include <inttypes.h>
#include <string.h>

#include "common/escape.h"
#include "common/units.h"

#define WIDE_CELLS     60 /* a bar fits from here on */
#define BAR_SHARE      6  /* it takes a sixth of the line */
#define MAX_BAR_CELLS  24
#define MIN_NAME_CELLS 8 /* less than that says nothing */
#define FIRST_WIDE     0x1100

static const char dots[] = "...";

const char *progress_clock(int64_t ms, char *buffer, size_t size)
{
    int64_t seconds = ms < 0 ? 0 : (ms + 500) / 1000;
    if (seconds >= 3600)
        snprintf(buffer, size, "%" PRId64 ":%02d:%02d", seconds / 3600, (int)(seconds / 60 % 60),
                 (int)(seconds % 60));
    else
        snprintf(buffer, size, "%d:%02d", (int)(seconds / 60), (int)(seconds % 60));
    return buffer;
}

/* Columns of the character at text; its bytes go to *ret_bytes. */
static unsigned cells_of(const char *text, size_t length, size_t *ret_bytes)
{
    unsigned point = 0;
    unsigned bytes = escape_utf8_length(text, length, &point);
    *ret_bytes = bytes ? bytes : 1;
    return point >= FIRST_WIDE ? 2 : 1;
}

static unsigned width_of(const char *text, size_t length)
{
    unsigned width = 0;
    size_t bytes;
    for (size_t i = 0; i < length; i += bytes)
        width += cells_of(text + i, length - i, &bytes);
    return width;
}

void progress_clip(const char *text, unsigned cells, struct strbuf *out)
{
    struct strbuf safe = STRBUF_INIT;
    escape_terminal(&safe, text, strlen(text), false);
    unsigned width = width_of(safe.data, safe.length);
    if (width <= cells) {
        strbuf_add(out, safe.data, safe.length);
    } else if (cells > strlen(dots)) {
        unsigned room = cells - (unsigned)strlen(dots);
        bool keep_end = safe.data[0] == '/';
        size_t i = 0, bytes;
        if (keep_end) {
            for (; width > room; i += bytes)
                width -= cells_of(safe.data + i, safe.length - i, &bytes);
            strbuf_adds(out, dots);
            strbuf_add(out, safe.data + i, safe.length - i);
        } else {
            unsigned next;
            while ((next = cells_of(safe.data + i, safe.length - i, &bytes)) <= room) {
                room -= next;
                i += bytes;
            }
            strbuf_add(out, safe.data, i);
            strbuf_adds(out, dots);
        }
    }
    strbuf_release(&safe);
}

static void add_bar(const struct progress_state *state, unsigned cells, struct strbuf *out)
{
    cells = cells > MAX_BAR_CELLS ? MAX_BAR_CELLS : cells;
    size_t full = state->total ? state->done * cells / state->total : cells;
    strbuf_addc(out, '[');
    for (size_t i = 0; i < cells; i++)
        strbuf_addc(out, i < full ? '#' : '.');
    strbuf_adds(out, "] ");
}

void progress_bar_format(const struct progress_state *state, unsigned cells, struct strbuf *out)
{
    char text[32];
    struct strbuf line = STRBUF_INIT;
    bool wide = cells >= WIDE_CELLS;
    if (wide)
        add_bar(state, cells / BAR_SHARE, &line);
    strbuf_addf(&line, "%zu/%zu ", state->done, state->total);
    strbuf_addf(&line, "%s%s", wide ? " " : "",
                units_format_bytes(state->bytes, text, sizeof text));
    if (wide)
        strbuf_addf(&line, "  %s", progress_clock(state->elapsed_ms, text, sizeof text));
    if (state->left_ms >= 0)
        strbuf_addf(&line, "%s ~%s left", wide ? "," : "",
                    progress_clock(state->left_ms, text, sizeof text));
    unsigned used = (unsigned)line.length + 2;
    if (used + MIN_NAME_CELLS <= cells) {
        strbuf_adds(&line, "  ");
        progress_clip(state->name, cells - used, &line);
        strbuf_add(out, line.data, line.length);
    } else { /* all of it is ASCII here */
        strbuf_add(out, line.data, line.length < cells ? line.length : cells);
    }
    strbuf_release(&line);
}

void progress_words_format(const struct progress_state *state, struct strbuf *out)
{
    char text[32];
    strbuf_addf(out, "%zu of %zu entries, %s", state->done, state->total,
                units_format_bytes(state->bytes, text, sizeof text));
    strbuf_addf(out, ", %s", progress_clock(state->elapsed_ms, text, sizeof text));
    if (state->left_ms >= 0)
        strbuf_addf(out, ", about %s left", progress_clock(state->left_ms, text, sizeof text));
    if (*state->name)
        strbuf_addf(out, ": %s", state->name);
}
