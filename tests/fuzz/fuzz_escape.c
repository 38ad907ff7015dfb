/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * Whatever goes in, what comes out has no raw control character, is UTF-8, and (as markup) holds no
 * character with a meaning; markup read back is what a terminal would have shown.
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

static void read_back(const struct strbuf *markup, struct strbuf *ret)
{
    static const char *const entities[] = {"&amp;", "&lt;", "&gt;", "&quot;", "&#39;"};
    for (size_t i = 0, n; i < markup->length; i += n) {
        size_t e = 0;
        while (e < 5 && strncmp(markup->data + i, entities[e], strlen(entities[e])) != 0)
            e++;
        n = e < 5 ? strlen(entities[e]) : 1;
        strbuf_addc(ret, e < 5 ? "&<>\"'"[e] : markup->data[i]);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    CLEANUP(strbuf_release)
    struct strbuf shown = STRBUF_INIT,
                  markup = STRBUF_INIT, back = STRBUF_INIT, utf8 = STRBUF_INIT;
    escape_terminal(&shown, (const char *)data, size, true);
    check_characters(&shown, "");
    escape_markup(&markup, (const char *)data, size);
    check_characters(&markup, "<>\"'");
    read_back(&markup, &back);
    if (back.length != shown.length || memcmp(back.data, shown.data, shown.length) != 0)
        __builtin_trap();
    escape_utf8(&utf8, (const char *)data, size);
    unsigned point;
    for (size_t i = 0, n; i < utf8.length; i += n)
        if (!(n = escape_utf8_length(utf8.data + i, utf8.length - i, &point)))
            __builtin_trap();
    return 0;
}
