/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * A look at a zip file's list of files (the central directory) before libarchive gets it.
 *
 * Zip describes every member twice, in the list and in front of its data, and nothing keeps members
 * from sharing data. Both are used for attacks: archives that two programs read differently, and
 * bombs of a few kilobytes in which thousands of members overlap.
 */
#pragma once

#include "analyzer/report/report.h"
#include "common/compiler.h"

enum zip_state {
    ZIP_GOOD,
    ZIP_NO_LIST, /* no list of files, or a damaged one: the archive was cut; it can be read front to
                    back */
    ZIP_REFUSED, /* `text` says why; do not read it */
};

struct zip_check {
    enum zip_state state;
    char text[256];      /* for ZIP_NO_LIST and ZIP_REFUSED: a clause, "its entries overlap" */
    int64_t prefix;      /* bytes in front of the first member that do not belong to the archive */
    int64_t suffix;      /* bytes behind the archive's end */
    int64_t unlisted;    /* bytes between the members that the list does not name */
    char **contradicted; /* names of members that list and header describe differently, sorted */
    size_t contradicted_count;
};

/* Only fails with ERR_NOMEM. `fd` is read with pread(2). Release the result with
 * zip_check_release(). */
int zip_check(int fd, int64_t size, const struct report_limits *limits, struct zip_check *ret,
              struct err *err);
void zip_check_release(struct zip_check *check);

/* Whether `name` (as archived) is one of the contradicted. */
bool zip_check_contradicts(const struct zip_check *check, const char *name);
