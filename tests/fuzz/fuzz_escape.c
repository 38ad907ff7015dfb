/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * Whatever goes in, what comes out has no raw control character, is UTF-8, and (as markup) holds no
 * character with a meaning; the markup of what a terminal shows is the markup of the text itself.
 */
#include <stdint.h>

#include "common/escape.h"

static void check_characters(const struct strbuf *out, const char *forbidden)
{
    unsigned point;
    for (size_t i = 0, n; i < out->length; i += n) {
        n = escape_utf8_length(out->data + i, out->length - i, &point);
        if (n == 0 || (escape_is_dangerous(point) && point != '\n' && point != '\t') ||
            (point && point < 0x80 && strchr(forbidden, (int)point)))
            __builtin_trap();
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    CLEANUP(strbuf_release)
    struct strbuf shown = STRBUF_INIT, markup = STRBUF_INIT, again = STRBUF_INIT,
                  utf8 = STRBUF_INIT;
    escape_terminal(&shown, (const char *)data, size, true);
    check_characters(&shown, "");
    escape_markup(&markup, (const char *)data, size);
    check_characters(&markup, "<>\"'");
    escape_markup(&again, shown.data, shown.length);
    if (again.length != markup.length || memcmp(again.data, markup.data, markup.length) != 0)
        __builtin_trap();
    escape_utf8(&utf8, (const char *)data, size);
    unsigned point;
    for (size_t i = 0, n; i < utf8.length; i += n)
        if (!(n = escape_utf8_length(utf8.data + i, utf8.length - i, &point)))
            __builtin_trap();
    return 0;
}
