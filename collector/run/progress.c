/* SPDX-License-Identifier: LGPL-2.1-only */
#include "collector/run/progress.h"

#include <stdarg.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "common/escape.h"
#include "common/io.h"
#include "common/units.h"

#define BAR_CELLS  24
#define REDRAW_MS  100
#define NAME_CELLS 36

void progress_start(struct progress *progress, FILE *out, size_t total)
{
    *progress =
        (struct progress){.out = out, .terminal = out && isatty(fileno(out)), .total = total};
}

static void wipe(struct progress *progress)
{
    if (progress->terminal && progress->drawn_ms)
        fputs("\r\033[K", progress->out);
    progress->drawn_ms = 0;
}

void progress_line(struct progress *progress, const char *format, ...)
{
    if (!progress->out)
        return;
    char line[2048];
    time_t now = time(NULL);
    struct tm local;
    localtime_r(&now, &local);
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(line, sizeof line, format, arguments);
    va_end(arguments);
    struct strbuf safe = STRBUF_INIT;
    escape_terminal(&safe, line, strlen(line), false);
    wipe(progress);
    fprintf(progress->out, "[%02d/%02d/%02d %02d:%02d:%02d %s]  %s\n", local.tm_mon + 1,
            local.tm_mday, local.tm_year % 100, local.tm_hour, local.tm_min, local.tm_sec,
            local.tm_zone, safe.data);
    fflush(progress->out);
    strbuf_release(&safe);
}

static void draw(struct progress *progress, const char *name)
{
    char size[32];
    size_t cells = progress->total ? progress->done * BAR_CELLS / progress->total : 0;
    struct strbuf safe = STRBUF_INIT;
    escape_terminal(&safe, name, strlen(name), false);
    fputs("\r[", progress->out);
    for (size_t i = 0; i < BAR_CELLS; i++)
        fputc(i < cells ? '#' : '.', progress->out);
    fprintf(progress->out, "] %zu/%zu  %s  %.*s\033[K", progress->done, progress->total,
            units_format_bytes(progress->bytes, size, sizeof size), NAME_CELLS, safe.data);
    fflush(progress->out);
    strbuf_release(&safe);
}

void progress_step(struct progress *progress, const char *name, int64_t bytes)
{
    progress->done++;
    progress->bytes += bytes;
    int64_t now = io_now_ms();
    if (!progress->terminal || (progress->drawn_ms && now - progress->drawn_ms < REDRAW_MS))
        return;
    draw(progress, name);
    progress->drawn_ms = now;
}

void progress_end(struct progress *progress)
{
    if (!progress->out)
        return;
    wipe(progress);
    fflush(progress->out);
}
