/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * The rate is smoothed over the last seconds and starts anew after a wait, so that the time left is
 * that of the link as it is now. Texts come from servers and file names: they are escaped here.
 */
#include "upload/cli/progress.h"

#include <jansson.h>

#include "common/escape.h"
#include "common/io.h"
#include "common/terminal.h"
#include "common/units.h"

#define REDRAW_MS 100   /* as fast as eyes are */
#define EVENT_MS  500   /* of JSON */
#define LINE_MS   30000 /* lines stay, and fill journals */
#define RATE_MS   1000  /* a piece of the measurement */
#define SMOOTHING 0.3   /* weight of the last piece */
#define BAR_WIDE  70    /* columns from which on a bar has room */
#define BAR_CELLS 20

void progress_init(struct progress *progress, FILE *out, const char *wish)
{
    bool terminal = terminal_can_redraw(out);
    enum progress_mode mode = PROGRESS_LINES;
    if (wish && strcmp(wish, "json") == 0)
        mode = PROGRESS_JSON;
    else if (wish && strcmp(wish, "none") == 0)
        mode = PROGRESS_NONE;
    else if (terminal)
        mode = PROGRESS_BAR;
    *progress = (struct progress){.out = out, .mode = mode};
}

/* Takes the bar away, before somebody else writes. */
static void clear(struct progress *progress)
{
    if (progress->drawn)
        fputs("\r\033[K", progress->out);
    progress->drawn = false;
    fflush(progress->out);
}

static void put_line(struct progress *progress, const char *line)
{
    struct strbuf safe = STRBUF_INIT;
    clear(progress);
    escape_terminal(&safe, line, strlen(line), false);
    fprintf(progress->out, "%s\n", safe.data);
    fflush(progress->out);
    strbuf_release(&safe);
}

/* Takes `more`, which may be NULL. */
static void put_event(struct progress *progress, const char *event, const char *message,
                      json_t *more)
{
    struct strbuf text = STRBUF_INIT;
    json_t *object =
        json_pack("{s:s, s:I, s:I, s:I}", "event", event, "bytes", (json_int_t)progress->bytes,
                  "total", (json_int_t)progress->total, "rate", (json_int_t)progress->rate);
    if (message) {
        escape_utf8(&text, message, strlen(message));
        json_object_set_new(object, "message", json_string(text.data));
    }
    json_object_update(object, more);
    if (object && json_dumpf(object, progress->out, JSON_COMPACT) == 0)
        fputc('\n', progress->out);
    fflush(progress->out);
    json_decref(more);
    json_decref(object);
    strbuf_release(&text);
}

static void forget_rate(struct progress *progress)
{
    progress->rate = 0;
    progress->mark_ms = 0;
}

void progress_start(struct progress *progress, const char *file, int64_t total, const char *line)
{
    progress->total = total;
    progress->bytes = 0;
    progress->drawn_bytes = 0;
    progress->drawn_ms = io_now_ms();
    forget_rate(progress);
    if (progress->mode == PROGRESS_JSON) {
        struct strbuf name = STRBUF_INIT;
        escape_utf8(&name, file, strlen(file));
        put_event(progress, "start", line, json_pack("{s:s}", "file", name.data));
        strbuf_release(&name);
    } else {
        put_line(progress, line);
    }
}

void progress_say(struct progress *progress, const char *line)
{
    if (progress->mode == PROGRESS_JSON)
        put_event(progress, "progress", line, NULL);
    else
        put_line(progress, line);
}

static void measure(struct progress *progress, int64_t now)
{
    int64_t passed = now - progress->mark_ms, sent = progress->bytes - progress->mark_bytes;
    if (progress->mark_ms && sent >= 0 && passed < RATE_MS)
        return;
    if (progress->mark_ms && sent >= 0) {
        double rate = (double)sent * 1000 / (double)passed;
        progress->rate =
            progress->rate > 0 ? progress->rate + SMOOTHING * (rate - progress->rate) : rate;
    }
    progress->mark_ms = now;
    progress->mark_bytes = progress->bytes;
}

static void add_clock(double seconds, struct strbuf *out)
{
    int64_t s = (int64_t)(seconds + 0.5);
    if (s >= 100 * 3600)
        strbuf_adds(out, "days");
    else if (s >= 3600)
        strbuf_addf(out, "%d:%02d:%02d", (int)(s / 3600), (int)(s / 60 % 60), (int)(s % 60));
    else
        strbuf_addf(out, "%d:%02d", (int)(s / 60), (int)(s % 60));
}

/* " 42%  1.3 MiB of 3.1 MiB, 512.0 KiB/s, 0:04 left" */
static void add_words(const struct progress *progress, struct strbuf *out)
{
    char done[32], total[32], rate[32];
    int64_t percent = progress->total ? progress->bytes * 100 / progress->total : 100;
    strbuf_addf(out, "%3d%%  %s of %s", (int)percent,
                units_format_bytes(progress->bytes, done, sizeof done),
                units_format_bytes(progress->total, total, sizeof total));
    if (progress->rate < 1)
        return;
    strbuf_addf(out, ", %s/s, ", units_format_bytes((int64_t)progress->rate, rate, sizeof rate));
    add_clock((double)(progress->total - progress->bytes) / progress->rate, out);
    strbuf_adds(out, " left");
}

/* A run in the background must not write into what somebody else draws. */
static bool in_background(FILE *file)
{
    pid_t group = tcgetpgrp(fileno(file));
    return group >= 0 && group != getpgrp();
}

/* The last column stays free: a sign there makes some terminals begin a new line. */
static void draw(struct progress *progress)
{
    struct strbuf line = STRBUF_INIT;
    size_t columns = terminal_columns(progress->out) - 1;
    if (in_background(progress->out))
        return;
    if (columns >= BAR_WIDE) {
        int64_t full = progress->total ? progress->bytes * BAR_CELLS / progress->total : BAR_CELLS;
        strbuf_addc(&line, '[');
        for (int64_t i = 0; i < BAR_CELLS; i++)
            strbuf_addc(&line, i < full ? '#' : '.');
        strbuf_adds(&line, "] ");
    }
    add_words(progress, &line);
    strbuf_truncate(&line, columns);
    fprintf(progress->out, "\r%s\033[K", line.data);
    fflush(progress->out);
    progress->drawn = true;
    strbuf_release(&line);
}

void progress_update(struct progress *progress, int64_t confirmed, int64_t sending)
{
    static const int64_t pauses[] = {[PROGRESS_LINES] = LINE_MS,
                                     [PROGRESS_BAR] = REDRAW_MS,
                                     [PROGRESS_JSON] = EVENT_MS,
                                     [PROGRESS_NONE] = INT64_MAX};
    int64_t now = io_now_ms(), bytes = confirmed + sending;
    progress->bytes = bytes < progress->total ? bytes : progress->total;
    measure(progress, now);
    if (now - progress->drawn_ms < pauses[progress->mode])
        return;
    progress->drawn_ms = now;
    if (progress->mode == PROGRESS_LINES && progress->bytes == progress->drawn_bytes)
        return; /* the same line again says nothing */
    progress->drawn_bytes = progress->bytes;
    if (progress->mode == PROGRESS_BAR) {
        draw(progress);
    } else if (progress->mode == PROGRESS_JSON) {
        put_event(progress, "progress", NULL, NULL);
    } else {
        struct strbuf line = STRBUF_INIT;
        add_words(progress, &line);
        put_line(progress, line.data + strspn(line.data, " "));
        strbuf_release(&line);
    }
}

void progress_wait(struct progress *progress, int64_t wait_ms, const struct err *why)
{
    char message[sizeof why->text + sizeof why->where];
    forget_rate(progress);
    err_message(why, message, sizeof message);
    if (progress->mode == PROGRESS_JSON) {
        put_event(progress, "wait", message, json_pack("{s:I}", "ms", (json_int_t)wait_ms));
    } else {
        struct strbuf line = STRBUF_INIT;
        strbuf_addf(&line, "%s; trying again in %.*f s", message, wait_ms < 10000,
                    (double)wait_ms / 1000);
        put_line(progress, line.data);
        strbuf_release(&line);
    }
}

void progress_done(struct progress *progress, const char *line)
{
    progress->bytes = progress->total;
    if (progress->mode == PROGRESS_JSON)
        put_event(progress, "done", line, NULL);
    else if (line)
        put_line(progress, line);
    else
        clear(progress);
}

void progress_failed(struct progress *progress, const char *why, int status)
{
    clear(progress);
    if (progress->mode == PROGRESS_JSON)
        put_event(progress, "failed", why, json_pack("{s:i}", "status", status));
}
