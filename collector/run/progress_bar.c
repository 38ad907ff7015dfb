/* SPDX-License-Identifier: LGPL-2.1-only */
#include "collector/run/progress_bar.h"

#include <inttypes.h>

#include "common/terminal.h"
#include "common/units.h"

#define WIDE_CELLS     60 /* a bar fits from here on */
#define BAR_SHARE      6  /* it takes a sixth of the line */
#define MAX_BAR_CELLS  24
#define MIN_NAME_CELLS 8 /* less than that says nothing */

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
        terminal_clip(state->name, cells - used, &line);
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
