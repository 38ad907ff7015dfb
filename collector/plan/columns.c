/* SPDX-License-Identifier: LGPL-2.1-only */
#include "collector/plan/columns.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "common/escape.h"
#include "common/terminal.h"

#define MAX_COLUMNS 12
#define GAP         2

int columns_add(struct columns *columns, struct err *err, const char *format, ...)
{
    struct strbuf plain = STRBUF_INIT, safe = STRBUF_INIT;
    va_list arguments;
    va_start(arguments, format);
    strbuf_vaddf(&plain, format, arguments);
    va_end(arguments);
    escape_terminal(&safe, plain.data, plain.length, false);
    bool ok = strbuf_ok(&plain) && strbuf_ok(&safe);
    char **cell = ok ? vec_push(&columns->cells) : NULL;
    if (cell)
        *cell = strdup(safe.data);
    strbuf_release(&plain);
    strbuf_release(&safe);
    return cell && *cell ? 0 : err_nomem(err);
}

static void add_blanks(struct strbuf *out, unsigned count)
{
    strbuf_addf(out, "%*s", (int)count, "");
}

static void print_cell(const char *text, char side, unsigned width, struct strbuf *out)
{
    unsigned pad = width - terminal_width(text, strlen(text));
    if (side == 'r')
        add_blanks(out, pad);
    strbuf_adds(out, text);
    if (side != 'r')
        add_blanks(out, pad);
    add_blanks(out, GAP);
}

void columns_print(const struct columns *columns, unsigned width, struct strbuf *out)
{
    unsigned widths[MAX_COLUMNS] = {0}, used = 0;
    size_t count = strlen(columns->sides), last = count - 1;
    for (size_t i = 0; i < columns->cells.count; i++) {
        unsigned cell = terminal_width(columns->cells.items[i], strlen(columns->cells.items[i]));
        widths[i % count] = cell > widths[i % count] ? cell : widths[i % count];
    }
    for (size_t k = 0; k < last; k++)
        used += widths[k] + GAP;
    for (size_t i = 0; i < columns->cells.count; i++) {
        const char *text = columns->cells.items[i];
        if (i % count != last) {
            print_cell(text, columns->sides[i % count], widths[i % count], out);
            continue;
        }
        if (columns->sides[last] == 'r')
            add_blanks(out, widths[last] - terminal_width(text, strlen(text)));
        terminal_clip(text, !width ? (unsigned)-1 : width > used ? width - used : 0, out);
        strbuf_addc(out, '\n');
    }
}

void columns_release(struct columns *columns)
{
    for (size_t i = 0; i < columns->cells.count; i++)
        free(columns->cells.items[i]);
    vec_free(&columns->cells);
}
