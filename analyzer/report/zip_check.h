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

/* A member, as list and header say it. */
struct zip_member {
    const char *name; /* as archived; cut at a NUL byte */
    int64_t data;     /* where its bytes begin in the file */
    int64_t packed, unpacked;
    int64_t modified; /* epoch seconds, or 0 */
    uint32_t crc;
    unsigned method;
    bool is_encrypted, is_regular;
};

struct zip_check {
    enum zip_state state;
    char text[256];      /* for ZIP_NO_LIST and ZIP_REFUSED: a clause, "its entries overlap" */
    int64_t prefix;      /* bytes in front of the first member that do not belong to the archive */
    int64_t suffix;      /* bytes behind the archive's end */
    int64_t unlisted;    /* bytes between the members that the list does not name */
    char **contradicted; /* names of members that list and header describe differently, sorted */
    size_t contradicted_count;
    struct zip_member *members; /* of a good archive, in the order of their places */
    size_t member_count;
    bool is_plain; /* every member is stored or deflated */
};

/* Only fails with ERR_NOMEM. `fd` is read with pread(2). Release the result with
 * zip_check_release(). */
int zip_check(int fd, int64_t size, const struct report_limits *limits, struct zip_check *ret,
              struct err *err);
void zip_check_release(struct zip_check *check);

/* Whether `name` (as archived) is one of the contradicted. */
bool zip_check_contradicts(const struct zip_check *check, const char *name);
