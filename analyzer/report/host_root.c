/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * Reports come as the collector made them, re-packed by hand, bundled by XenCenter or cut down to a
 * few files, so the top folder has to be recognised by what stands below it.
 *
 * The names here are those of directories on any Linux system and of XenCenter's bundle files;
 * which files matter is none of this module's business.
 */
#include "analyzer/report/host_root.h"

#include <fnmatch.h>
#include <string.h>

#include "analyzer/report/member_name.h"

static bool is_known_directory(const char *name, size_t length)
{
    static const char *const names[] = {
        "var", "etc", "proc", "sys", "boot", "root", "opt",          "run",
        "tmp", "usr", "lib",  "dev", "home", "srv",  "sos_commands", "sos_reports",
    };
    for (size_t i = 0; i < ARRAY_SIZE(names); i++)
        if (strlen(names[i]) == length && memcmp(names[i], name, length) == 0)
            return true;
    return false;
}

bool host_root_is_report_folder(const char *component, size_t length)
{
    static const char prefix[] = "bug-report-";
    const size_t prefix_length = sizeof prefix - 1, digits = 14;
    return length >= prefix_length + digits && memcmp(component, prefix, prefix_length) == 0 &&
           strspn(component + prefix_length, "0123456789") >= digits;
}

struct host_root host_root_split(const char *path)
{
    struct host_root known = {0}, folder = {.rest = path, .reason = ROOT_FOLDER};

    for (const char *p = path;;) {
        const char *slash = strchr(p, '/');
        if (!slash)
            break;
        size_t length = (size_t)(slash - p);
        if (host_root_is_report_folder(p, length))
            return (struct host_root){(size_t)(slash - path), slash + 1, ROOT_REPORT_FOLDER};
        if (!known.rest && is_known_directory(p, length))
            known =
                (struct host_root){p > path ? (size_t)(p - 1 - path) : 0, p, ROOT_KNOWN_DIRECTORY};
        folder.length = (size_t)(slash - path);
        folder.rest = p = slash + 1;
    }
    return known.rest ? known : folder;
}

bool host_root_is_bundle_list(const char *base)
{
    return fnmatch("*-Masters.txt", base, 0) == 0 || fnmatch("*-Coordinators.txt", base, 0) == 0;
}

bool host_root_is_bundle_file(const char *base)
{
    static const char *const patterns[] = {
        "pool-manifest.json", "*-Metadata.json", "*-XenCenter.log", "README*", "SHA256SUMS", "*.sha256", ".DS_Store",
    };
    if (host_root_is_bundle_list(base))
        return true;
    for (size_t i = 0; i < ARRAY_SIZE(patterns); i++)
        if (fnmatch(patterns[i], base, 0) == 0)
            return true;
    return false;
}

bool host_root_is_below(const char *path, const char *folder)
{
    size_t length = strlen(folder);
    return strncmp(path, folder, length) == 0 && path[length] == '/';
}

/* True when the last component of root (path[0..length)) is that of the host's own root. */
static bool is_same_folder(const char *path, size_t length, const char *root)
{
    const char *base = member_name_base(root);
    size_t base_length = strlen(base);
    return base_length > 0 && length >= base_length &&
           memcmp(path + length - base_length, base, base_length) == 0 &&
           (length == base_length || path[length - base_length - 1] == '/');
}

void host_root_inside(const char *root, const char *archive, const char *path, struct strbuf *out)
{
    struct host_root inner = host_root_split(path);
    const char *base = member_name_base(archive);

    strbuf_clear(out);
    if (inner.reason != ROOT_FOLDER &&
        (host_root_is_below(inner.rest, archive) || is_same_folder(path, inner.length, root))) {
        strbuf_adds(out, inner.rest);
        return;
    }
    if (host_root_is_below(path, base))
        strbuf_add(out, archive, (size_t)(base - archive));
    else
        strbuf_addf(out, "%s/", archive);
    strbuf_adds(out, path);
}
