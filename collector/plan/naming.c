/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * Some consequences look odd and are kept: `--detail --scan` gives `--detail--scan` (three hyphens
 * lose one), and a device name with a dot (eth0.10) leaves the name without a suffix.
 */
#include "collector/plan/naming.h"

#include <string.h>

void naming_from_path(const char *path, struct strbuf *out)
{
    strbuf_adds(out, path + strspn(path, "/"));
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
    if (!memchr(out->data, '.', out->length))
        strbuf_adds(out, ".out");
}

void naming_command_label(const char *const *argv, struct strbuf *out)
{
    const char *slash = strrchr(argv[0], '/');
    strbuf_adds(out, slash ? slash + 1 : argv[0]);
    for (argv++; *argv; argv++)
        strbuf_addf(out, " %s", *argv);
}
