/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * Names are brought into one form before anything compares them, so that "./var//log/SMlog",
 * "/var/log/SMlog" and "var/log/SMlog" are the same member, and a second one is a duplicate.
 * Backslashes stay: systemd unit files are full of them.
 */
#include "analyzer/report/member_name.h"

#include <string.h>
#include <strings.h>

static bool is_escape(const char *component, size_t length)
{
    if (length < 2 || component[0] != '.' || component[1] != '.')
        return length >= 3 && memmem(component, length, "\\..", 3) != NULL;
    return length == 2 || component[2] == '\\';
}

enum member_name_result member_name_normalise(const char *name, const struct report_limits *limits,
                                              struct strbuf *out)
{
    int depth = 0;

    strbuf_clear(out);
    if (strlen(name) > limits->name_bytes)
        return MEMBER_NAME_LONG;
    for (const char *p = name; *p;) {
        size_t length = strcspn(p, "/");
        if (is_escape(p, length))
            return MEMBER_NAME_ESCAPE;
        if (length > 0 && !(length == 1 && *p == '.')) {
            if (++depth > limits->path_depth)
                return MEMBER_NAME_LONG;
            if (out->length > 0)
                strbuf_addc(out, '/');
            strbuf_add(out, p, length);
        }
        p += length;
        p += strspn(p, "/");
    }
    return out->length > 0 ? MEMBER_NAME_OK : MEMBER_NAME_EMPTY;
}

static bool has_suffix(const char *name, const char *suffix, size_t *length)
{
    size_t name_length = strlen(name), suffix_length = strlen(suffix);
    if (name_length <= suffix_length ||
        strcasecmp(name + name_length - suffix_length, suffix) != 0 ||
        name[name_length - suffix_length - 1] == '/')
        return false;
    *length = name_length - suffix_length;
    return true;
}

enum compression member_name_compression(const char *name, size_t *length)
{
    static const char *const others[] = {".bz2", ".xz", ".zst"};
    if (has_suffix(name, ".gz", length))
        return COMPRESSION_GZIP;
    for (size_t i = 0; i < ARRAY_SIZE(others); i++)
        if (has_suffix(name, others[i], length))
            return COMPRESSION_OTHER;
    *length = strlen(name);
    return COMPRESSION_NONE;
}

bool member_name_is_archive(const char *name, size_t *length)
{
    static const char *const suffixes[] = {".tar",     ".tar.gz", ".tgz",    ".tar.bz2",
                                           ".tbz",     ".tbz2",   ".tar.xz", ".txz",
                                           ".tar.zst", ".tzst",   ".zip"};
    for (size_t i = 0; i < ARRAY_SIZE(suffixes); i++)
        if (has_suffix(name, suffixes[i], length))
            return true;
    return false;
}

const char *member_name_base(const char *name)
{
    const char *slash = strrchr(name, '/');
    return slash ? slash + 1 : name;
}
