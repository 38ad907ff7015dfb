/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * Which member of a report a file is that comes without one, as people attach them to tickets: by
 * its name alone, which rules and tables must know.
 */
#pragma once

#include "analyzer/report/path_index.h"
#include "analyzer/report/report.h"
#include "common/strbuf.h"

struct loose_place {
    struct strbuf folder; /* stands for the host: files of one folder are one host's. May be "" */
    struct strbuf path;   /* of the member: "var/log/SMlog.1.gz" */
};

/*
 * Where the file named `report` ("Downloads/SMlog.1.gz") belongs. A name that lies in its place
 * (".../var/log/xen/hypervisor.log") is taken at its word; else the last part decides, without
 * rotation and compression, and the first of the `known` patterns that has it. False when none has.
 */
bool loose_place_find(const struct path_index *known, const char *report,
                      const struct report_limits *limits, struct loose_place *ret);
void loose_place_release(struct loose_place *place);
