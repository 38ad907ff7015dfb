/* SPDX-License-Identifier: LGPL-2.1-only */
#include "common/terminal.h"

#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "common/escape.h"

#define FIRST_WIDE 0x1100 /* no character before it takes two columns */

static const char dots[] = "...";

unsigned terminal_columns(FILE *file)
{
    struct winsize size;
    if (ioctl(fileno(file), TIOCGWINSZ, &size) < 0 || size.ws_col == 0)
        return TERMINAL_COLUMNS;
    return size.ws_col;
}

bool terminal_can_redraw(FILE *file)
{
    const char *kind = getenv("TERM");
    return isatty(fileno(file)) && !(kind && strcmp(kind, "dumb") == 0);
}

/* Columns of the character at text; how many bytes it has goes to *ret_bytes. */
static unsigned character_width(const char *text, size_t length, size_t *ret_bytes)
{
    unsigned point = 0;
    unsigned bytes = escape_utf8_length(text, length, &point);
    *ret_bytes = bytes ? bytes : 1;
    return point >= FIRST_WIDE ? 2 : 1;
}

unsigned terminal_width(const char *text, size_t length)
{
    unsigned width = 0;
    size_t bytes;
    for (size_t i = 0; i < length; i += bytes)
        width += character_width(text + i, length - i, &bytes);
    return width;
}

static void keep_end(const struct strbuf *text, unsigned width, unsigned room, struct strbuf *out)
{
    size_t i = 0, bytes;
    for (; width > room; i += bytes)
        width -= character_width(text->data + i, text->length - i, &bytes);
    strbuf_adds(out, dots);
    strbuf_add(out, text->data + i, text->length - i);
}

static void keep_beginning(const struct strbuf *text, unsigned room, struct strbuf *out)
{
    size_t i = 0, bytes;
    unsigned next;
    while ((next = character_width(text->data + i, text->length - i, &bytes)) <= room) {
        room -= next;
        i += bytes;
    }
    strbuf_add(out, text->data, i);
    strbuf_adds(out, dots);
}

void terminal_clip(const char *text, unsigned columns, struct strbuf *out)
{
    struct strbuf safe = STRBUF_INIT;
    escape_terminal(&safe, text, strlen(text), false);
    unsigned width = terminal_width(safe.data, safe.length);
    unsigned for_dots = sizeof dots - 1;
    if (width <= columns)
        strbuf_add(out, safe.data, safe.length);
    else if (columns > for_dots && safe.data[0] == '/' && !strchr(safe.data, ' '))
        keep_end(&safe, width, columns - for_dots, out);
    else if (columns > for_dots)
        keep_beginning(&safe, columns - for_dots, out);
    strbuf_release(&safe);
}
