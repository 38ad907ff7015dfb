/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * Programs that take a log for a terminal write colours into it, also into the middle of a word
 * (`grep --color` marks what it was asked for). Such a sequence is ESC, `[`, parameters and a
 * letter; a few others have a byte behind ESC, or a text that ends with BEL.
 */
#include "collector/redact/terminal.h"

#include <string.h>

#define SHIFT_IN '\x0f' /* what tput's "no attributes" ends with on some terminals */

static const char *skip(const char *p, const char *to, char first, char last)
{
    while (p < to && *p >= first && *p <= last)
        p++;
    return p;
}

/* Behind the sequence whose ESC is at p. */
static const char *sequence_end(const char *p, const char *to)
{
    char kind = ++p < to ? *p++ : '\0';
    if (kind == '[') {
        p = skip(p, to, '0', '?');
        p = skip(p, to, ' ', '/');
        return p < to && *p >= '@' && *p <= '~' ? p + 1 : p;
    }
    if (kind == ']') {
        const char *bell = memchr(p, '\a', (size_t)(to - p));
        return bell ? bell + 1 : p;
    }
    return kind >= ' ' && kind <= '/' && p < to ? p + 1 : p; /* ESC ( B */
}

void terminal_strip(const char *from, const char *to, struct strbuf *out)
{
    for (const char *p = from; p < to;) {
        const char *plain = p;
        while (p < to && *p != TERMINAL_ESCAPE && *p != SHIFT_IN)
            p++;
        strbuf_add(out, plain, (size_t)(p - plain));
        if (p < to)
            p = *p == SHIFT_IN ? p + 1 : sequence_end(p, to);
    }
}
