/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * Some consequences look odd and are kept: `--detail --scan` gives `--detail--scan` (three hyphens
 * lose one), and a device name with a dot (eth0.10) leaves the name without a suffix.
 */
#include "collector/plan/naming.h"

#include <string.h>

#define LONGEST_NAME  2048 /* with folders and pseudonyms it fits PATH_MAX of whoever unpacks it */
#define LONGEST_LABEL 200  /* file systems take 255 bytes; a plugin's command is its own label */

/* The most bytes, up to `length`, that do not end within a character of UTF-8. */
static size_t whole_characters(const char *text, size_t length)
{
    while (length > 0 && ((unsigned char)text[length] & 0xc0) == 0x80)
        length--;
    return length;
}

static void add_component(const char *name, size_t length, struct strbuf *out)
{
    const char *slash = out->length ? strrchr(out->data, '/') : NULL;
    if (length == 0 || (length == 1 && name[0] == '.'))
        return;
    if (length == 2 && memcmp(name, "..", 2) == 0) {
        strbuf_truncate(out, slash ? (size_t)(slash - out->data) : 0);
        return;
    }
    if (out->length)
        strbuf_addc(out, '/');
    strbuf_add(out, name, length);
}

bool naming_from_path(const char *path, struct strbuf *out)
{
    for (size_t n; *path; path += n + (path[n] == '/')) {
        n = strcspn(path, "/");
        add_component(path, n, out);
    }
    if (out->length <= LONGEST_NAME)
        return true;
    strbuf_truncate(out, whole_characters(out->data, LONGEST_LABEL));
    return false;
}

void naming_from_label(const char *label, struct strbuf *out)
{
    bool pending = false; /* a hyphen that may be the first of two */
    for (; *label; label++) {
        unsigned char c = (unsigned char)*label;
        if (c == ' ' || c == '-') {
            if (!pending)
                strbuf_addc(out, '-');
            pending = !pending;
            continue;
        }
        pending = false;
        strbuf_addc(out, c == '/' ? '%' : c < 0x20 || c == 0x7f ? '_' : (char)c);
    }
    bool cut = out->length > LONGEST_LABEL;
    if (cut)
        strbuf_truncate(out, whole_characters(out->data, LONGEST_LABEL));
    if (cut || !memchr(out->data, '.', out->length) || strspn(out->data, ".") == out->length)
        strbuf_adds(out, ".out");
}

void naming_command_label(const char *const *argv, struct strbuf *out)
{
    const char *slash = strrchr(argv[0], '/');
    strbuf_adds(out, slash ? slash + 1 : argv[0]);
    for (argv++; *argv; argv++)
        strbuf_addf(out, " %s", *argv);
}
