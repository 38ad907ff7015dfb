/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * A bar belongs to a terminal that is ours: a run in the background, or one on a terminal that
 * cannot go back in its line, shows none. Names of entries are foreign text and are escaped.
 */
#include "collector/run/progress.h"

#include <stdarg.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "collector/plan/plan_totals.h"
#include "collector/run/progress_bar.h"
#include "common/escape.h"
#include "common/io.h"
#include "common/terminal.h"

#define REDRAW_MS     100  /* ten times a second is as fast as eyes are */
#define WORDS_MS      5000 /* lines stay, so there are fewer of them */
#define ESTIMATE_MS   1000 /* before that, and ... */
#define SOON_MS       500  /* no word then: the last entry may still take long */
#define ESTIMATE_PART 20   /* ... before a twentieth is done, an estimate would only jump */

void progress_start(struct progress *progress, FILE *out, enum progress_wish wish,
                    const struct plan *plan, int64_t deadline_ms)
{
    *progress = (struct progress){.out = out,
                                  .total = plan->entries.count,
                                  .begun_ms = io_now_ms(),
                                  .deadline_ms = deadline_ms};
    pthread_mutex_init(&progress->lock, NULL);
    FILE *bar = out ? out : stderr;
    if (wish == PROGRESS_ON || (wish == PROGRESS_AUTO && out && terminal_can_redraw(out)))
        progress->bar = bar;
    progress->terminal = progress->bar && terminal_can_redraw(bar);
    progress->cost_total = plan_total(plan, NULL).expected_ms;
}

static void wipe(struct progress *progress)
{
    if (progress->terminal && progress->drawn_ms)
        fputs("\r\033[K", progress->bar);
    progress->drawn_ms = 0;
}

static void put_line(struct progress *progress, FILE *out, bool stamped, const char *text)
{
    time_t now = time(NULL);
    struct tm local;
    localtime_r(&now, &local);
    struct strbuf safe = STRBUF_INIT;
    escape_terminal(&safe, text, strlen(text), false);
    wipe(progress);
    if (stamped)
        fprintf(out, "[%02d/%02d/%02d %02d:%02d:%02d %s]  ", local.tm_mon + 1, local.tm_mday,
                local.tm_year % 100, local.tm_hour, local.tm_min, local.tm_sec, local.tm_zone);
    fprintf(out, "%s\n", safe.data);
    fflush(out);
    strbuf_release(&safe);
}

static void vput(struct progress *progress, bool stamped, const char *format, va_list arguments)
{
    char line[2048];
    if (!progress->out)
        return;
    vsnprintf(line, sizeof line, format, arguments);
    pthread_mutex_lock(&progress->lock);
    put_line(progress, progress->out, stamped, line);
    pthread_mutex_unlock(&progress->lock);
}

void progress_line(struct progress *progress, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    vput(progress, true, format, arguments);
    va_end(arguments);
}

void progress_say(struct progress *progress, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    vput(progress, false, format, arguments);
    va_end(arguments);
}

void progress_begin(struct progress *progress, int worker, const struct plan_entry *entry)
{
    if (worker < 0 || worker >= PROGRESS_WORKERS)
        return;
    pthread_mutex_lock(&progress->lock);
    progress->busy[worker] = (struct progress_busy){entry, io_now_ms()};
    pthread_mutex_unlock(&progress->lock);
}

/* The entry that has been running for longest: the one to know about when nothing moves. */
static const char *current_name(const struct progress *progress)
{
    const struct progress_busy *oldest = NULL;
    for (size_t i = 0; i < PROGRESS_WORKERS; i++) {
        const struct progress_busy *busy = &progress->busy[i];
        if (busy->entry && (!oldest || busy->since_ms < oldest->since_ms))
            oldest = busy;
    }
    return oldest ? oldest->entry->source : "";
}

static int64_t time_left(const struct progress *progress, int64_t now)
{
    int64_t elapsed = now - progress->begun_ms;
    if (elapsed < ESTIMATE_MS || progress->cost_done * ESTIMATE_PART < progress->cost_total ||
        progress->cost_done == 0)
        return -1;
    double scale = (double)elapsed / (double)progress->cost_done;
    int64_t left = (int64_t)(scale * (double)(progress->cost_total - progress->cost_done));
    int64_t allowed = progress->deadline_ms > now ? progress->deadline_ms - now : 0;
    left = left < allowed ? left : allowed;
    return left < SOON_MS ? -1 : left;
}

static bool in_background(FILE *file)
{
    pid_t group = tcgetpgrp(fileno(file));
    return group >= 0 && group != getpgrp();
}

/* The last column stays free: a character there makes some terminals begin a new line. */
static void draw(struct progress *progress)
{
    int64_t now = io_now_ms();
    struct strbuf line = STRBUF_INIT;
    struct progress_state state = {.done = progress->done,
                                   .total = progress->total,
                                   .bytes = progress->bytes,
                                   .elapsed_ms = now - progress->begun_ms,
                                   .left_ms = time_left(progress, now),
                                   .name = current_name(progress)};
    if (!progress->terminal) {
        strbuf_adds(&line, "Progress: ");
        progress_words_format(&state, &line);
        put_line(progress, progress->bar, true, line.data);
    } else if (!in_background(progress->bar)) {
        progress_bar_format(&state, terminal_columns(progress->bar) - 1, &line);
        fprintf(progress->bar, "\r%s\033[K", line.data);
        fflush(progress->bar);
    }
    progress->drawn_ms = now;
    strbuf_release(&line);
}

void progress_tick(struct progress *progress)
{
    int64_t pause = progress->terminal ? REDRAW_MS : WORDS_MS;
    if (!progress->bar)
        return;
    pthread_mutex_lock(&progress->lock);
    if (!progress->drawn_ms || io_now_ms() - progress->drawn_ms >= pause)
        draw(progress);
    pthread_mutex_unlock(&progress->lock);
}

void progress_step(struct progress *progress, const struct plan_entry *entry)
{
    progress->done++;
    progress->bytes += entry->bytes;
    progress->cost_done += plan_entry_ms(entry);
    progress_tick(progress);
}

void progress_end(struct progress *progress)
{
    pthread_mutex_lock(&progress->lock);
    if (progress->bar && !progress->terminal)
        draw(progress);
    wipe(progress);
    if (progress->bar)
        fflush(progress->bar);
    pthread_mutex_unlock(&progress->lock);
}
