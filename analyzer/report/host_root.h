/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * Which host a path belongs to. See report.h: a host is a report's top folder.
 */
#pragma once

#include <stdbool.h>

#include "common/strbuf.h"

/* How sure a split is, the surest first. */
enum host_root_reason {
    ROOT_REPORT_FOLDER,   /* "bug-report-20250303101112/" is in the path */
    ROOT_KNOWN_DIRECTORY, /* up to the first directory of a Linux system: var, etc, proc ... */
    ROOT_FOLDER,          /* everything before the file's name */
};

struct host_root {
    size_t length; /* of the root in the path, without the slash after it; 0: the path is below no
                      folder */
    const char *rest; /* the path below the root, points into the path */
    enum host_root_reason reason;
};

/* `path` is normalised. */
struct host_root host_root_split(const char *path);

/* "bug-report-" and 14 digits: what the collector calls its top folder. */
bool host_root_is_report_folder(const char *component, size_t length);

/* Files of a pool bundle that belong to no host: lists of hosts, XenCenter's own log, and the like.
 */
bool host_root_is_bundle_file(const char *base);

/* The bundle's list of hosts among them. */
bool host_root_is_bundle_list(const char *base);

/* True when `path` is somewhere below `folder`. */
bool host_root_is_below(const char *path, const char *folder);

/*
 * Where a member of an archive inside a host's report belongs: `archive` is that archive's path
 * below the root without suffix ("etc/systemd"), `root` the host's root, `path` the member's name
 * in the archive. The result
 * ("etc/systemd/system/x.service") replaces `out`.
 */
void host_root_inside(const char *root, const char *archive, const char *path, struct strbuf *out);
